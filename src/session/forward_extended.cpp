// The part of ClientForwarder for the messages of the extended protocol, but for Parse.
#include <pgweir/session/forward.hpp>
#include <pgweir/session/local_answers.hpp>
#include <pgweir/session/question.hpp>
#include <pgweir/session/sequences.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/writer.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::session {

namespace client_type = wire::client_type;
using wire::body_of;
using wire::frame_header_size;
using wire::FrameHeader;

namespace {

// Names longer than this are left for the server to refuse.
constexpr std::size_t names_size_max = 8'192;

// Nearly always the client was told what the server has, long ago.
bool must_look_at_shape(const NamedStatement* named, const PreparedCache::Entry* entry)
{
    return named != nullptr && (named->told != entry->shape || named->told == shape_untold);
}

} // namespace

ClientForwarder::Done ClientForwarder::bind(FrameHeader header, Bytes available, Step& step)
{
    const auto head = wire::read_bind_head(body_of(header, available));
    const bool is_whole = available.size() >= header.frame_size();
    if (!head && !is_whole && available.size() < names_size_max) {
        step.wanted = std::min(header.frame_size(), names_size_max);
        return Done::more;
    }
    if (head && !is_whole && header.frame_size() <= names_size_max && may_signal(head->statement)) {
        step.wanted = header.frame_size();
        return Done::more;
    }
    ++step.counts.binds;
    if (!head || is_skipped()) {
        pass_expecting(header, available, Reply::bind);
        return Done::yes;
    }
    Target target = resolve(head->statement, step);
    if (target.must_wait) return Done::wait;
    server_->bound.client = ClientId{};
    std::optional<Done> not_yet;
    if (must_look_at_shape(target.named, target.entry)) {
        not_yet = look_at_shape(header, available, *head, target, step);
    }
    if (not_yet) return *not_yet;
    std::optional<BoundSignal> signal;
    const bool may_signal_now = target.named != nullptr ? raise_doubts_of(*target.statement)
                                                        : raise_doubts_of(head->statement);
    if (may_signal_now && is_whole) {
        signal = bind_signal(*head, body_of(header, available), step);
        if (signal) target = signal->target;
        if (target.must_wait) return Done::wait;
    }
    const std::optional<Signal> given = signal ? signal->signal : std::nullopt;
    if (signal || !server_->signal_portals.empty()) note_portal(head->portal, given);
    if (!target.is_renamed) {
        pass_expecting(header, available, Reply::bind);
        return Done::yes;
    }
    note_use(head->statement, false);
    wire::Writer{outputs_.to_server.own(), client_type::bind}
        .cstring(head->portal)
        .cstring(target.name)
        .finish(header.body_size - head->size);
    outputs_.to_server.commit();
    pass_rest(header, available, frame_header_size + head->size);
    expect_use(Reply::bind, head->statement);
    return Done::yes;
}

// What is bound may be executed. An unnamed one that was too long to be read may do anything. True:
// it may name another client.
bool ClientForwarder::raise_doubts_of(std::string_view client_name)
{
    if (const StatementRef statement = find(client_name)) return raise_doubts_of(*statement);
    if (!client_name.empty()) return false;
    server_->doubts |= askable_parts;
    server_->unknown_settings.change(
        SettingsChange::unknown, {}, server_->serial, server_->segment
    );
    return false;
}

bool ClientForwarder::raise_doubts_of(const Statement& statement)
{
    const SqlReading& reading = statement.reading();
    if (has_foreign_sequences(*server_, client_, reading)) {
        discard_sequences(*server_, true, outputs_.to_server);
        server_->is_unsynced = true;
    }
    note_unsettling(reading);
    raise_doubts(*server_, client_, reading, knowledge_, clientele_);
    lend_names(reading, false);
    return reading.uses_process_id;
}

// What comes behind it in a pipeline is sent before it is answered.
void ClientForwarder::note_unsettling(const SqlReading& reading)
{
    const bool drops_all = reading.kind == SqlKind::drops_all
                           && reading.ends.has(Part::prepared_statements); // not DISCARD PLANS
    const bool is_ddl = (reading.ends | reading.changes).has(Part::temp_objects);
    if (drops_all || is_ddl) server_->is_unsettled = true;
    if (!drops_all) return;
    server_->drops_after_sync = true;
    server_->is_dropping = true;
    server_->named_before_drop = client_.named_count;
}

ClientForwarder::Done ClientForwarder::describe(FrameHeader header, Bytes available, Step& step)
{
    if (const auto done = need_whole(header, available, step)) return *done;
    const auto body = wire::read_target(body_of(header, available));
    Target target;
    if (body && body->kind == 'S' && !is_skipped()) target = resolve(body->name, step);
    if (target.must_wait) return Done::wait;
    if (!target.is_renamed) {
        const bool is_bound = server_->bound.client == client_.id && body && body->kind == 'P'
                              && body->name == server_->bound.portal && !is_skipped();
        if (is_bound) return describe_bound(header, available);
        pass_expecting(header, available, Reply::describe);
        return Done::yes;
    }
    note_use(body->name, true);
    wire::append_target(outputs_.to_server.own(), client_type::describe, 'S', target.name);
    outputs_.to_server.commit();
    used_ = header.frame_size();
    if (target.named != nullptr) {
        expect_shape(*body, target);
    } else {
        expect_use(Reply::describe, body->name);
    }
    return Done::yes;
}

// A name whose Parse is still to be answered may be nobody's by the time that an error names it.
void ClientForwarder::expect_use(Reply reply, std::string_view client_name)
{
    ReplyQueue& replies = server_->replies;
    if (replies.is_undecided(client_name)) {
        replies.push({.reply = reply}, {.client_name = std::string{client_name}});
    } else {
        replies.push({.reply = reply});
    }
    server_->is_unsynced = true;
}

// Statements stay on the server for the next one that asks for the same text.
ClientForwarder::Done ClientForwarder::close(FrameHeader header, Bytes available, Step& step)
{
    if (const auto done = need_whole(header, available, step)) return *done;
    const auto body = wire::read_target(body_of(header, available));
    const bool is_ours = body && body->kind == 'S' && !body->name.empty() && !is_skipped();
    if (!is_ours) {
        if (body && body->kind == 'S' && !is_skipped()) return close_unnamed(header, available);
        pass_expecting(header, available, Reply::close);
        return Done::yes;
    }
    if (find_named(body->name) == nullptr) return close_sql_name(header, available, body->name);
    const Expected answer{.reply = Reply::close, .is_local = !is_lent(body->name)};
    server_->replies.push(answer, rename(body->name, nullptr));
    server_->is_unsynced = true;
    used_ = header.frame_size();
    if (!answer.is_local) pass(header, available);
    return Done::yes;
}

// It goes for whomever it belongs to.
ClientForwarder::Done ClientForwarder::close_unnamed(FrameHeader header, Bytes available)
{
    pass(header, available);
    server_->replies.push({.reply = Reply::close}, rename({}, nullptr));
    server_->is_unsynced = true;
    server_->unnamed_owner = ClientId{};
    client_.unnamed_lives_on = 0;
    return Done::yes;
}

void ClientForwarder::sync()
{
    if (server_->is_copying_in) return; // PostgreSQL does not answer it
    const bool drops_statements = std::exchange(server_->drops_after_sync, false);
    server_->is_unsettled = false;
    server_->is_dropping = false;
    server_->bound.client = {};
    server_->replies.push({.reply = Reply::sync, .drops_statements = drops_statements});
    server_->is_unsynced = false;
    ++server_->segment;
    take_names_back();
}

void ClientForwarder::copy_ended()
{
    if (server_->is_copying_in) {
        server_->is_copying_in = false;
    } else if (server_->replies.may_copy_in()) {
        server_->replies.push({.reply = Reply::copy_end});
    }
}

// Answers that only wait for us need not wait longer.
void ClientForwarder::flush(FrameHeader header, Bytes available)
{
    answer_locally(*server_, outputs_.to_client);
    pass(header, available);
}

void ClientForwarder::note_parse(std::string_view client_name)
{
    if (is_first_) server_->rerun.parsed = client_name;
}

// The first use of a statement of ours: should PostgreSQL think that it has become unusable.
void ClientForwarder::note_use(std::string_view client_name, bool is_shape_new)
{
    Rerun& rerun = server_->rerun;
    if (!is_first_ || rerun.from) return;
    rerun.from = at_;
    rerun.is_shape_new = is_shape_new || rerun.parsed == client_name;
}

// Small messages are looked at whole; PostgreSQL itself would not take a name this long.
std::optional<ClientForwarder::Done> ClientForwarder::need_whole(
    FrameHeader header, Bytes available, Step& step
)
{
    if (available.size() >= header.frame_size()) return std::nullopt;
    if (header.frame_size() > names_size_max) {
        violation(step, "08P01", "a statement or portal name is too long");
        return Done::yes;
    }
    step.wanted = header.frame_size();
    return Done::more;
}

} // namespace pgweir::session
