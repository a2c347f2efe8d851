#include <pgweir/session/forward.hpp>
#include <pgweir/session/lazy_block.hpp>
#include <pgweir/session/local_answers.hpp>
#include <pgweir/session/pinning.hpp>
#include <pgweir/session/question.hpp>
#include <pgweir/session/sequences.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/writer.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace pgweir::session {

namespace client_type = wire::client_type;
using wire::body_of;
using wire::frame_header_size;
using wire::FrameHeader;

namespace {

// A longer one must not come to PostgreSQL: the server would die, and may be somebody else's by
// then.
constexpr std::uint32_t small_size_max = 10'000;

// So much of a Query is read for what it may do; a longer one may do anything.
constexpr std::size_t query_front_size = 8'192;

// A name that it EXECUTEs or PREPAREs may be nobody's by then.
bool names_undecided(const SqlReading& reading, const ReplyQueue& replies)
{
    return std::ranges::any_of(reading.prepared_names, [&](const std::string& name) {
        return replies.is_undecided(name);
    });
}

} // namespace

Step ClientForwarder::forward(Bytes input, ServerState* server, bool is_plain_select)
{
    Step step;
    server_ = server;
    is_plain_select_ = is_plain_select;
    const bool owes_begin = client_.block != nullptr;
    if (server != nullptr) {
        if (server->rerun.is_wanted && !input.empty()) {
            step.stop = Stop::need_replies;
            return step;
        }
        is_first_ = std::exchange(server->is_fresh, false);
        server->rerun.open();
        if (owes_begin && !begin_block(step, input)) {
            server->is_fresh = is_first_;
            return step;
        }
    }
    forward_messages(step, input);
    if (!is_first_) return step;
    if (step.consumed > 0) {
        note_first(input.first(step.consumed));
    } else {
        server->is_fresh = !owes_begin;
    }
    return step;
}

// A copy of what is small costs little; what is large is not said again.
void ClientForwarder::note_first(Bytes said)
{
    Rerun& rerun = server_->rerun;
    if (said.size() > Rerun::size_max || client_.stream.remaining > 0) return;
    rerun.said.assign(said.data(), said.data() + said.size());
    rerun.is_unheard = outputs_.to_server.size() <= Rerun::piece_max;
}

void ClientForwarder::forward_messages(Step& step, Bytes input)
{
    while (step.consumed < input.size()) {
        const Bytes rest = input.subspan(step.consumed);
        if (client_.stream.remaining > 0) {
            const std::size_t size = std::min(rest.size(), client_.stream.remaining);
            if (!client_.stream.is_dropped) outputs_.to_server.borrow(rest.first(size));
            client_.stream.remaining -= size;
            step.consumed += size;
            continue;
        }
        if (!begin_message(step, rest)) return;
    }
}

// The BEGIN that it owes goes in front of a message that is there, or its front at least: the rest
// may take its time. False: it is not.
[[gnu::noinline]] bool ClientForwarder::begin_block(Step& step, Bytes input)
{
    const auto peeked = wire::peek_header(input, wire::body_size_max);
    std::size_t front = frame_header_size;
    if (peeked && *peeked) {
        const bool is_parse = (*peeked)->type == client_type::parse;
        front = std::min((*peeked)->frame_size(), is_parse ? options_.hold_max : query_front_size);
    }
    if (peeked && input.size() < front) {
        step.wanted = front;
        return false;
    }
    begin_on_server(*server_, client_, outputs_.to_server);
    return true;
}

// True: a message was dealt with, and the next may follow.
bool ClientForwarder::begin_message(Step& step, Bytes rest)
{
    const auto peeked = wire::peek_header(rest, wire::body_size_max);
    if (!peeked) {
        violation(step, "08P01", "invalid message length");
        return false;
    }
    if (!*peeked) {
        step.wanted = frame_header_size;
        return false;
    }
    const FrameHeader header = **peeked;
    const unsigned traits = wire::client_type_traits(header.type);
    if ((traits & wire::is_known_type) == 0) {
        const int code = static_cast<unsigned char>(header.type);
        violation(step, "08P01", "invalid frontend message type " + std::to_string(code));
        return false;
    }
    if ((traits & wire::is_small_type) != 0 && header.body_size > small_size_max) {
        violation(step, "08P01", "invalid message length");
        return false;
    }
    used_ = 0;
    at_ = step.consumed;
    switch (message(header, rest, step)) {
    case Done::yes: step.consumed += used_; return step.stop == Stop::need_input;
    case Done::more: return false;
    case Done::wait: step.stop = Stop::need_replies; return false;
    }
    return false;
}

ClientForwarder::Done ClientForwarder::message(FrameHeader header, Bytes available, Step& step)
{
    if (header.type == client_type::terminate) {
        step.stop = Stop::terminate;
        return Done::yes;
    }
    if (server_ == nullptr) return message_without_server(header, available, step);
    switch (header.type) {
    case client_type::query: return query(header, available, step);
    case client_type::parse: return parse(header, available, step);
    case client_type::bind: return bind(header, available, step);
    case client_type::describe: return describe(header, available, step);
    case client_type::close: return close(header, available, step);
    case client_type::execute: return execute(header, available, step);
    case client_type::function_call:
        ++step.counts.queries;
        pass_expecting(header, available, Reply::function_call);
        server_->is_unsynced = is_skipped();
        return Done::yes;
    case client_type::sync:
        pass(header, available);
        sync();
        return Done::yes;
    case client_type::copy_done:
    case client_type::copy_fail: copy_ended(); break;
    case client_type::flush: flush(header, available); return Done::yes;
    default: break;
    }
    pass(header, available);
    return Done::yes;
}

ClientForwarder::Done ClientForwarder::message_without_server(
    FrameHeader header, Bytes available, Step& step
)
{
    if ((wire::client_type_traits(header.type) & wire::is_ignorable_type) != 0) {
        used_ = std::min(header.frame_size(), available.size());
        client_.stream = {.remaining = header.frame_size() - used_, .is_dropped = true};
        return Done::yes;
    }
    if (header.type == client_type::query) {
        if (const auto done = answer_block_edge(header, available, step)) return *done;
    }
    const bool is_parse = header.type == client_type::parse;
    if (is_parse && parse_without_server(header, available, step)) return Done::yes;
    step.stop = Stop::need_server;
    return Done::yes;
}

ClientForwarder::Done ClientForwarder::query(FrameHeader header, Bytes available, Step& step)
{
    const bool is_known = std::exchange(is_plain_select_, false);
    if (is_known && !is_skipped()) {
        ++step.counts.queries;
        return plain_select(header, available);
    }
    const std::size_t front = std::min(header.frame_size(), frame_header_size + query_front_size);
    if (available.size() < front) {
        step.wanted = front;
        return Done::more;
    }
    ++step.counts.queries;
    if (is_skipped()) {
        pass(header, available);
        return Done::yes;
    }
    // No more than the front, even where there is more: the same for whatever pieces it comes in.
    std::string_view text = as_text(body_of(header, available.first(front)));
    if (text.ends_with('\0')) text.remove_suffix(1);
    const bool is_cut = front < header.frame_size();
    if (!is_cut && is_plain_select(text)) return plain_select(header, available);
    return read_query(header, available, text);
}

ClientForwarder::Done ClientForwarder::plain_select(FrameHeader header, Bytes available)
{
    pass(header, available);
    expect_query(false);
    return Done::yes;
}

// What is not plain, and may be only the front of a query.
[[gnu::noinline]] ClientForwarder::Done ClientForwarder::read_query(
    FrameHeader header, Bytes available, std::string_view text
)
{
    const bool is_cut = frame_header_size + query_front_size < header.frame_size();
    const SqlReading reading = read_sql(text, is_cut);
    if (reading.kind == SqlKind::deallocate_one && !is_cut && server_->status != 'E') {
        if (const StatementRef statement = find(reading.name)) {
            return query_deallocate(header, *statement, reading.name);
        }
    }
    if (options_.refuses_blocks && reading.kind == SqlKind::begins_transaction) {
        return refuse_block(header, available);
    }
    if (options_.refuses_pins) {
        const Parts refused = certain_pins(reading, knowledge_);
        if (!refused.empty()) return refuse_query(header, available, refused);
    }
    const bool awaits_drop = !reading.prepared_names.empty() && must_wait_for_drop();
    if (awaits_drop || names_undecided(reading, server_->replies)) return Done::wait;
    if (!is_cut && shows_names(reading) && !lend_all_names()) return Done::wait;
    if (has_foreign_sequences(*server_, client_, reading)) {
        discard_sequences(*server_, false, outputs_.to_server);
    }
    raise_doubts(*server_, client_, reading, knowledge_, clientele_);
    if (!is_cut && reading.uses_process_id && query_signal(header, text)) return Done::yes;
    if (!is_cut) lend_names(reading, true);
    pass(header, available);
    expect_query(reading.kind == SqlKind::drops_all);
    take_names_back();
    return Done::yes;
}

// Statement mode: said in the server's place, once it owes nothing any more.
ClientForwarder::Done ClientForwarder::refuse_block(FrameHeader header, Bytes available)
{
    if (!server_->replies.empty()) return Done::wait;
    Buffer& own = outputs_.to_client.own();
    wire::append_error(
        own,
        {"ERROR",
         "0A000",
         "transaction blocks are not allowed in statement pooling mode",
         {},
         "Set pool.mode to \"transaction\" for this database or user."}
    );
    wire::append_ready(own, server_->status);
    outputs_.to_client.commit();
    used_ = std::min(header.frame_size(), available.size());
    client_.stream = {.remaining = header.frame_size() - used_, .is_dropped = true};
    return Done::yes;
}

ClientForwarder::Done ClientForwarder::refuse_query(
    FrameHeader header, Bytes available, Parts refused
)
{
    wire::append_query(outputs_.to_server.own(), refused_text);
    outputs_.to_server.commit();
    expect_query(false, refused);
    used_ = std::min(header.frame_size(), available.size());
    client_.stream = {.remaining = header.frame_size() - used_, .is_dropped = true};
    return Done::yes;
}

// PostgreSQL drops the unnamed statement at every simple query.
void ClientForwarder::expect_query(
    bool drops_statements, Parts refused, const std::optional<Signal>& signal
)
{
    const Expected query{
        .reply = Reply::query, .drops_statements = drops_statements, .refused = refused
    };
    if (client_.unnamed || signal) {
        Effect effect = rename({}, nullptr);
        effect.signal = signal;
        server_->replies.push(query, std::move(effect));
    } else {
        server_->replies.push(query);
    }
    client_.unnamed_lives_on = 0;
    server_->unnamed_owner = ClientId{};
    server_->is_unsynced = false;
    ++server_->segment;
}

void ClientForwarder::pass(FrameHeader header, Bytes available) { pass_rest(header, available, 0); }

// The frame from `from` on: what there is of it now, the rest as it comes.
void ClientForwarder::pass_rest(FrameHeader header, Bytes available, std::size_t from)
{
    used_ = std::min(header.frame_size(), available.size());
    outputs_.to_server.borrow(available.first(used_).last(used_ - from));
    client_.stream = {.remaining = header.frame_size() - used_, .is_dropped = false};
}

void ClientForwarder::pass_expecting(FrameHeader header, Bytes available, Reply reply)
{
    pass(header, available);
    server_->replies.push({.reply = reply});
    server_->is_unsynced = true;
}

void ClientForwarder::violation(
    Step& step, std::string sqlstate, std::string message, std::string hint
)
{
    step.stop = Stop::violation;
    step.error = std::make_unique<wire::ErrorText>(
        wire::ErrorText{"FATAL", std::move(sqlstate), std::move(message), {}, std::move(hint)}
    );
}

} // namespace pgweir::session
