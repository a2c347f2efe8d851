#include <pgweir/session/forward.hpp>
#include <pgweir/session/local_answers.hpp>
#include <pgweir/session/question.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/reader.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::session {

namespace server_type = wire::server_type;
using wire::body_of;
using wire::frame_header_size;
using wire::FrameHeader;

namespace {

// Longer errors are passed on with only their front looked at.
constexpr std::size_t look_at_max = 32'768;

// Only these are looked into; of the others the header says enough.
bool is_looked_into(char type)
{
    return type == server_type::ready_for_query || type == server_type::error
           || type == server_type::command_complete || type == server_type::parameter_status
           || type == server_type::notification;
}

// A row of what we have asked ourselves is seen whole; longer ones are not carried.
constexpr std::size_t answer_row_max = 1U << 20U;

bool has_type(Bytes message, char type) { return std::to_integer<char>(message.front()) == type; }

bool is_bulk(char type) { return type == server_type::data_row || type == server_type::copy_data; }

std::size_t whole_rows_size(Bytes rest, bool is_query)
{
    const std::byte* at = rest.data();
    std::size_t left = rest.size();
    while (left >= frame_header_size) {
        const char type = std::to_integer<char>(*at);
        const bool is_row = is_bulk(type) || (is_query && type == server_type::row_description);
        if (!is_row) break;
        const std::size_t frame_size = load_be32(at + 1) + std::size_t{1};
        if (frame_size < frame_header_size || frame_size > left) break;
        at += frame_size;
        left -= frame_size;
    }
    return rest.size() - left;
}

bool take_row(Answer& answer, FrameHeader header, Bytes available)
{
    const Bytes body = body_of(header, available);
    if (header.frame_size() <= answer_row_max) return take_answer_row(answer, body);
    take_long_answer_row(answer, body);
    return true;
}

} // namespace

Step ServerForwarder::forward(Bytes input)
{
    Step step;
    if (!whole_answer(input, step)) forward_messages(input, step);
    return step;
}

[[gnu::noinline]] void ServerForwarder::forward_messages(Bytes input, Step& step)
{
    if (!input.empty() && !has_type(input, server_type::error)) server_.rerun.is_unheard = false;
    while (step.consumed < input.size()) {
        const Bytes rest = input.subspan(step.consumed);
        if (server_.stream.remaining > 0) {
            const std::size_t size = std::min(rest.size(), server_.stream.remaining);
            if (!server_.stream.is_dropped) to_client_.borrow(rest.first(size));
            server_.stream.remaining -= size;
            step.consumed += size;
            continue;
        }
        if (const std::size_t size = rows_size(rest); size > 0) {
            server_.has_described |= has_type(rest, server_type::row_description);
            to_client_.borrow(rest.first(size));
            step.consumed += size;
            continue;
        }
        const auto peeked = wire::peek_header(rest, wire::body_size_max);
        if (!peeked) {
            violation(step, "a message with an impossible length");
            return;
        }
        if (!*peeked) {
            step.wanted = frame_header_size;
            return;
        }
        const FrameHeader header = **peeked;
        const std::size_t looked_at = looked_at_size(header);
        if (rest.size() < looked_at) {
            step.wanted = looked_at;
            return;
        }
        if (!message(header, rest, step)) return;
        step.consumed += used_;
    }
}

// Nearly always: rows, a tag that changes nothing, and ReadyForQuery, all that is awaited, in one
// read. One look does what the loop does message by message. False: nothing was done.
bool ServerForwarder::whole_answer(Bytes input, Step& step)
{
    constexpr std::size_t ready_size = frame_header_size + 1;
    const bool is_plain = client_ != nullptr && server_.replies.is_one_query()
                          && server_.stream.remaining == 0 && server_.own_notifications == 0
                          && !server_.rerun.is_wanted && !client_->listening
                          && server_.signals_to == nullptr;
    if (!is_plain || input.size() <= frame_header_size + ready_size) return false;
    const std::size_t rows = whole_rows_size(input, true);
    const Bytes end = input.subspan(rows);
    if (end.size() <= frame_header_size + ready_size) return false;

    const Bytes complete = end.first(end.size() - ready_size);
    if (!has_type(complete, server_type::command_complete)) return false;
    if (load_be32(&complete[1]) + std::size_t{1} != complete.size()) return false;
    const char first = std::to_integer<char>(complete[frame_header_size]); // of the tag
    const bool is_described = rows > 0 && has_type(input, server_type::row_description);
    const bool may_be_into = first == 'S' && !is_described;
    if (may_change_session(first) || may_be_into) return false;

    const Bytes ready = end.last(ready_size);
    const bool is_ready = has_type(ready, server_type::ready_for_query)
                          && load_be32(&ready[1]) == 5;
    const char status = std::to_integer<char>(ready.back());
    if (!is_ready || (status != 'I' && status != 'T')) return false;

    server_.rerun.is_unheard = false;
    to_client_.borrow(input);
    step.consumed = input.size();
    ++step.counts.ready;
    client_->reruns = 0;
    server_.replies.pop();
    became_ready(status, false);
    return true;
}

// How much of a message must be here before anything is done about it.
std::size_t ServerForwarder::looked_at_size(FrameHeader header) const
{
    const bool is_answer = header.type == server_type::data_row && is_answer_row();
    if (is_answer) return std::min(header.frame_size(), answer_row_max);
    const bool is_row = header.type == server_type::data_row;
    const bool may_signal = server_.signals_to != nullptr;
    const bool is_verdict = is_row && (may_signal || server_.replies.front_signals());
    if (is_verdict || (may_signal && header.type == server_type::notice))
        return std::min(header.frame_size(), look_at_max);
    if (header.type == server_type::row_description && server_.replies.awaits_shape()) {
        return std::min(header.frame_size(), shape_size_max);
    }
    if (!is_looked_into(header.type)) return frame_header_size;
    return std::min(header.frame_size(), look_at_max);
}

// How much of the front is whole rows, and what describes them, of an answer that the client gets
// as it is. Millions of them: nothing is decided here.
std::size_t ServerForwarder::rows_size(Bytes rest) const
{
    const ReplyQueue& replies = server_.replies;
    const char first = std::to_integer<char>(rest.front());
    if (!is_bulk(first) && first != server_type::row_description) return 0;
    if (is_hidden() || replies.empty() || replies.front_is_local()) return 0;
    if (replies.front_signals() || server_.signals_to != nullptr) return 0;
    return whole_rows_size(rest, replies.front_is(Reply::query));
}

// False: the server broke the protocol.
bool ServerForwarder::message(FrameHeader header, Bytes available, Step& step)
{
    if (is_bulk(header.type)) { // millions of them: little else to decide
        if (server_.replies.empty()) return violation(step, "data that nobody waits for");
        answer_locally(server_, to_client_);
        if (header.type == server_type::data_row) return row(header, available, step);
        pass(header, available, is_hidden());
        return true;
    }
    answer_locally(server_, to_client_);
    switch (header.type) {
    case server_type::parse_complete: return answered(Reply::parse, header, available, step);
    case server_type::bind_complete: return answered(Reply::bind, header, available, step);
    case server_type::close_complete: return answered(Reply::close, header, available, step);
    case server_type::row_description:
        server_.has_described = true;
        return answered_or_passed(Reply::describe, header, available, step);
    case server_type::no_data: return answered_or_passed(Reply::describe, header, available, step);
    case server_type::command_complete:
        if (!is_reconciling()) command_complete(body_of(header, available));
        return answered_or_passed(Reply::execute, header, available, step);
    case server_type::empty_query:
    case server_type::portal_suspended:
        return answered_or_passed(Reply::execute, header, available, step);
    case server_type::ready_for_query: return ready(header, available, step);
    case server_type::error: error(header, available); return true;
    case server_type::parameter_status: parameter(header, available); return true;
    case server_type::notification: notification(header, available); return true;
    case server_type::copy_in:
        if (server_.replies.empty()) return violation(step, "a COPY that nobody asked for");
        server_.is_copying_in = !server_.replies.drop_syncs_of_copy_in();
        break;
    case server_type::copy_both: server_.is_copying_in = true; break;
    case server_type::notice:
        if (server_.signals_to == nullptr || !is_missed_signal(header, available)) break;
        pass(header, available, true);
        step.consumed += used_;
        step.stop = Stop::need_signal;
        return false;
    case server_type::parameter_description:
    case server_type::copy_out:
    case server_type::copy_done:
    case server_type::function_call_response: break;
    default: {
        const int code = static_cast<unsigned char>(header.type);
        return violation(step, "a message of type " + std::to_string(code));
    }
    }
    pass(header, available, is_hidden());
    return true;
}

bool ServerForwarder::row(FrameHeader header, Bytes available, Step& step)
{
    if (is_answer_row() && !take_row(*server_.answer, header, available)) {
        return violation(step, "a row that does not answer what it was asked");
    }
    if (is_permission(header, available)) {
        server_.signal = server_.replies.take_signal();
        step.stop = Stop::need_signal;
        return false;
    }
    if (server_.signals_to != nullptr) {
        tell_signalled(header, available);
    } else {
        pass(header, available, is_hidden());
    }
    return true;
}

bool ServerForwarder::answered(Reply reply, FrameHeader header, Bytes available, Step& step)
{
    if (!server_.replies.front_is(reply)) return violation(step, "an answer that nobody waits for");
    pass(header, available, is_hidden());
    const bool is_use = reply == Reply::bind || reply == Reply::describe;
    if (is_use && !is_answer_to_us()) server_.rerun.from.reset(); // it is usable
    if (server_.replies.front_effect() != nullptr) {
        take_effect(header, available);
    } else {
        server_.replies.pop();
    }
    // Nothing else may come before what we have to say: a Flush was sent behind it, perhaps.
    answer_locally(server_, to_client_);
    return true;
}

[[gnu::noinline]] void ServerForwarder::take_effect(FrameHeader header, Bytes available)
{
    Effect effect;
    server_.replies.pop(&effect);
    if (effect.tells_shape || effect.is_shape_check) shape_told(effect, header, available);
    if (effect.closes_sql_name) sql_name_closed(effect.client_name);
    if (effect.removes_from_server) server_.prepared.closed(effect.id);
    if (effect.adds_to_server) {
        server_.prepared.confirm(effect.id);
        server_.parsed.push_back(effect.id);
    }
}

// The same messages come inside the answer to a simple Query, and end nothing there.
bool ServerForwarder::answered_or_passed(
    Reply reply, FrameHeader header, Bytes available, Step& step
)
{
    if (server_.replies.front_is(reply)) return answered(reply, header, available, step);
    if (server_.replies.empty()) return violation(step, "an answer that nobody waits for");
    pass(header, available, is_hidden());
    return true;
}

bool ServerForwarder::ready(FrameHeader header, Bytes available, Step& step)
{
    ReplyQueue& replies = server_.replies;
    const bool is_expected = replies.front_is(Reply::query) || replies.front_is(Reply::sync)
                             || replies.front_is(Reply::function_call)
                             || (replies.empty() && replies.may_have_synced());
    if (!is_expected || header.body_size != 1) {
        return violation(step, "a ReadyForQuery that nobody waits for");
    }
    const char status = std::to_integer<char>(available[frame_header_size]);
    if (status != 'I' && status != 'T' && status != 'E') {
        return violation(step, "an unknown transaction status");
    }
    const bool says_again = std::exchange(server_.rerun.is_wanted, false);
    const bool hidden = is_hidden() || says_again;
    if (!hidden && needs_news(status)) {
        step.stop = Stop::need_news;
        return false;
    }
    if (says_again) step.stop = Stop::say_again;
    if (!hidden) {
        ++step.counts.ready;
        client_->reruns = 0;
    }
    const bool is_hidden_query = hidden && replies.front_is(Reply::query);
    pass(header, available, hidden);
    if (replies.empty()) {
        replies.stop_skipping();
        server_.is_unsynced = false;
    } else {
        replies.pop();
    }
    became_ready(status, is_hidden_query);
    answer_locally(server_, to_client_);
    return true;
}

// PostgreSQL tells a session, whenever a transaction of its own ends, what others have notified
// before. True once for each end.
[[gnu::noinline]] bool ServerForwarder::needs_news(char status)
{
    if (!client_->listening) return server_.own_notifications > 0;
    Listening& listening = *client_->listening;
    const bool is_behind = (status == 'I' && listening.is_behind())
                           || server_.own_notifications > 0;
    listening.has_caught_up = false;
    return is_behind;
}

void ServerForwarder::became_ready(char status, bool was_hidden_query)
{
    // Of several messages of ours the last one counts: a BEGIN is behind these SETs, perhaps.
    if (!was_hidden_query || !is_answer_to_us()) server_.status = status;
    server_.is_copying_in = false;
    server_.is_fresh = status == 'I' && server_.replies.empty();
    server_.is_discarding = false;
    server_.is_resetting = false;
    if (server_.replies.empty()) {
        server_.sets_default = false;
        if (!server_.unknown_settings.are_known()) settings_answered();
        if (status == 'I') server_.signal_portals.clear();
    } else if (status == 'I' && !was_hidden_query && !server_.changes.empty()) {
        server_.has_changes_from_before = true;
    }
    server_.settings_then = nullptr;
    server_.has_described = false; // of what broke off, or was only described, or ours
    server_.cancel_reason.reset();
    if (status == 'I') {
        server_.abort_reason.reset();
        server_.has_told_settings = false;
        if (!was_hidden_query) { // what is behind that may do it
            server_.may_end_itself = false;
            server_.signals_to = nullptr;
        }
    }
    if (was_hidden_query) server_.settings_before = nullptr;
    if (was_hidden_query && server_.relisten_in > 0) --server_.relisten_in;
    // A query of ours has dropped the unnamed statement, if none was made behind it.
    if (was_hidden_query && server_.replies.empty()) server_.unnamed_owner = ClientId{};
    const bool may_deallocate = server_.replies.awaits_drop() || server_.drops_after_sync;
    if (!may_deallocate) server_.deallocating.clear();
}

// At the end of a transaction, what it has set for itself is gone.
void ServerForwarder::settings_answered()
{
    UnknownSettings& unknown = server_.unknown_settings;
    unknown.settle();
    if (server_.status == 'I' && !server_.doubts.has(Part::settings)) unknown.become_known();
}

void ServerForwarder::pass(FrameHeader header, Bytes available, bool is_hidden)
{
    used_ = std::min(header.frame_size(), available.size());
    if (!is_hidden) to_client_.borrow(available.first(used_));
    server_.stream = {.remaining = header.frame_size() - used_, .is_dropped = is_hidden};
}

bool ServerForwarder::violation(Step& step, std::string message)
{
    step.stop = Stop::violation;
    step.error = std::make_unique<wire::ErrorText>(
        wire::ErrorText{"FATAL", "08P01", "the server sent " + std::move(message), {}, {}}
    );
    return false;
}

} // namespace pgweir::session
