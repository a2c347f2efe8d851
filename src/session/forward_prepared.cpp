// The part of ClientForwarder that deals with prepared statements.
#include <pgweir/session/forward.hpp>
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
using wire::frame_header_size;
using wire::FrameHeader;

namespace {

const NamedStatement* find_in(const ClientState& client, std::string_view name)
{
    return client.statements ? client.statements->look_up(name) : nullptr;
}

} // namespace

ClientForwarder::Done ClientForwarder::parse(FrameHeader header, Bytes available, Step& step)
{
    const bool is_whole = available.size() >= header.frame_size();
    if (!is_whole) return parse_in_part(header, available, step);

    const Bytes body = available.subspan(frame_header_size, header.body_size);
    const auto parsed = wire::read_parse(body);
    ++step.counts.client_parses;
    if (!parsed || is_skipped()) { // the server will complain, or skip it too
        pass_expecting(header, available, Reply::parse);
        return Done::yes;
    }
    if (must_wait_for_drop()) return Done::wait;
    used_ = header.frame_size();
    note_parse(parsed->name);
    const bool is_taken = is_sql_name(parsed->name);
    if (is_taken && server_->replies.awaits_close_of(parsed->name)) return Done::wait;
    const StatementRef statement = intern(*parsed);
    const SqlReading& reading = statement->reading();
    if (reading.kind == SqlKind::deallocate_one && parsed->name.empty() && find(reading.name)) {
        return parse_deallocate(header, reading.name);
    }
    if (options_.refuses_pins) {
        const Parts refused = certain_pins(reading, knowledge_);
        if (!refused.empty()) return refuse_parse(*parsed, refused);
    }
    server_->drops_after_sync |= reading.kind == SqlKind::drops_all;
    if (server_->lent.are_all || needs_own_names(reading)) {
        if (is_taken) { // the server has it, and says that it is taken
            pass_expecting(header, available, Reply::parse);
            return Done::yes;
        }
        return parse_by_own_name(*parsed, statement, available.first(used_), step);
    }
    if (!parsed->name.empty()) return parse_named(*parsed, statement, is_taken, step);
    if (may_keep_unnamed(reading) && table_.seen_before(parsed->query, parsed->types)) {
        return parse_statement(*parsed, statement, step);
    }
    parse_unnamed(statement, available.first(used_), step);
    return Done::yes;
}

ClientForwarder::Done ClientForwarder::parse_named(
    const wire::ParseBody& body, const StatementRef& statement, bool is_taken, Step& step
)
{
    if (server_->replies.is_undecided(body.name)) return Done::wait;
    if (find(body.name)) return parse_again(body, step);
    const bool may_be_taken = is_taken || server_->doubts.has(Part::prepared_statements);
    if (may_be_taken && server_->status != 'E') try_name(body.name);
    return parse_statement(body, statement, step);
}

bool ClientForwarder::may_keep_unnamed(const SqlReading& reading) const
{
    return options_.prepare_unnamed && !server_->unknown_settings.are_private()
           && reading.kind != SqlKind::deallocate_one && reading.kind != SqlKind::drops_all;
}

ClientForwarder::Done ClientForwarder::refuse_parse(const wire::ParseBody& body, Parts refused)
{
    constexpr std::array<std::byte, 2> no_types{};
    wire::append_parse(outputs_.to_server.own(), "pgweir_refused", refused_text, no_types);
    outputs_.to_server.commit();
    const Expected failure{.reply = Reply::parse, .refused = refused};
    if (body.name.empty()) {
        server_->replies.push(failure, rename({}, nullptr));
    } else {
        server_->replies.push(failure);
    }
    server_->is_unsynced = true;
    return Done::yes;
}

// Too little of it is here to read it. What is too big to hold passes through, if it needs no name.
ClientForwarder::Done ClientForwarder::parse_in_part(
    FrameHeader header, Bytes available, Step& step
)
{
    if (header.frame_size() <= options_.hold_max || available.size() == frame_header_size) {
        step.wanted = std::min(header.frame_size(), options_.hold_max);
        return Done::more;
    }
    const bool is_named = available[frame_header_size] != std::byte{0};
    if (is_named && !is_skipped()) {
        violation(
            step,
            "54000",
            "a statement to prepare has " + std::to_string(header.body_size) + " bytes, more than "
                + std::to_string(options_.hold_max),
            "Raise max_packet_size, or send it without a statement name."
        );
        return Done::yes;
    }
    ++step.counts.client_parses;
    ++step.counts.server_parses;
    if (!is_skipped()) own_unnamed(nullptr);
    pass_expecting(header, available, Reply::parse);
    return Done::yes;
}

// As it came; the text is remembered, because Bind may come after the transaction, on another
// server.
void ClientForwarder::parse_unnamed(const StatementRef& statement, Bytes frame, Step& step)
{
    Effect effect = rename({}, statement);
    own_unnamed(client_.unnamed);
    outputs_.to_server.borrow(frame);
    server_->replies.push({.reply = Reply::parse}, std::move(effect));
    server_->is_unsynced = true;
    ++step.counts.server_parses;
}

bool ClientForwarder::has_unnamed_here() const
{
    return client_.unnamed_lives_on == server_->serial && server_->unnamed_owner == client_.id;
}

void ClientForwarder::own_unnamed(const StatementRef& statement)
{
    client_.unnamed = statement;
    client_.unnamed_lives_on = server_->serial;
    server_->unnamed_owner = client_.id;
}

// PostgreSQL refuses a name that is taken. It says so itself, about the name that it knows.
ClientForwarder::Done ClientForwarder::parse_again(const wire::ParseBody& body, Step& step)
{
    const StatementRef taken = find(body.name);
    const Target target = prepare(taken, body.name, step);
    if (target.must_wait) return Done::wait;
    const std::string_view name = target.is_renamed ? target.name : body.name;
    wire::append_parse(outputs_.to_server.own(), name, body.query, body.types);
    outputs_.to_server.commit();
    Effect effect;
    effect.client_name = body.name;
    server_->replies.push({.reply = Reply::parse}, std::move(effect));
    server_->is_unsynced = true;
    ++step.counts.server_parses;
    return Done::yes;
}

// A statement that the server has already is not sent again; only in a transaction that has failed,
// or may have, where the server decides what may still be parsed, it is, without a name.
ClientForwarder::Done ClientForwarder::parse_statement(
    const wire::ParseBody& body, const StatementRef& statement, Step& step
)
{
    PreparedCache::Entry* entry = server_->prepared.find(statement->id());
    if (entry != nullptr && !entry->is_confirmed && entry->sent_in != server_->segment) {
        return Done::wait;
    }
    const bool is_closing = server_->prepared.is_closing(statement->id(), server_->segment);
    if (entry == nullptr && is_closing) return Done::wait;
    if (entry != nullptr && is_stale(*entry)) {
        close_on_server(statement->id());
        entry = nullptr;
    }
    Effect effect = rename(body.name, statement);
    if (body.name.empty()) client_.unnamed_lives_on = 0;
    server_->is_unsynced = true;
    const bool may_have_failed = server_->status == 'E'
                                 || server_->replies.awaits_earlier_segment();
    if (entry != nullptr && !may_have_failed) {
        server_->prepared.touch(*entry);
        server_->replies.push({.reply = Reply::parse, .is_local = true}, std::move(effect));
        return Done::yes;
    }
    std::string_view name;
    if (entry == nullptr) {
        name = statement->server_name();
        evict(options_.max_prepared_statements - 1);
        close_suspect(statement->id());
        server_->prepared.add(statement->id(), server_->segment, body.name);
        effect.id = statement->id();
        effect.adds_to_server = true;
    } else {
        server_->unnamed_owner = ClientId{};
    }
    wire::Writer{outputs_.to_server.own(), client_type::parse}.cstring(name).finish(
        body.query.size() + 1 + body.types.size()
    );
    outputs_.to_server.commit();
    outputs_.to_server.borrow(as_bytes({body.query.data(), body.query.size() + 1}));
    outputs_.to_server.borrow(body.types);
    server_->replies.push({.reply = Reply::parse}, std::move(effect));
    ++step.counts.server_parses;
    return Done::yes;
}

ClientForwarder::Target ClientForwarder::resolve(std::string_view client_name, Step& step)
{
    if (must_wait_for_drop()) return {.must_wait = true};
    if (client_name.empty()) return resolve_unnamed(step);
    const NamedStatement* const named = find_named(client_name);
    if (named == nullptr) return {}; // the server says that there is none, in its own words
    Target target = prepare(named->statement, client_name, step);
    if (target.entry != nullptr) target.named = named;
    return target;
}

ClientForwarder::Target ClientForwarder::resolve_unnamed(Step& step)
{
    const bool is_own = client_.unnamed && needs_own_names(client_.unnamed->reading());
    if (has_unnamed_here() && !is_own) return {};
    if (client_.unnamed) return prepare(client_.unnamed, {}, step);
    if (server_->unnamed_owner != ClientId{}) { // somebody else's: this client has none
        wire::append_target(outputs_.to_server.own(), client_type::close, 'S', {});
        outputs_.to_server.commit();
        server_->replies.push({.reply = Reply::close, .is_hidden = true});
        server_->unnamed_owner = ClientId{};
    }
    return {};
}

// The statement goes in front of the message that needs it, in the same write. When the cache is
// full the oldest is closed with a message that needs nothing else, so that there is never more
// than one extra; only at twice the size it must go now.
ClientForwarder::Target ClientForwarder::prepare(
    const StatementRef& statement, std::string_view client_name, Step& step
)
{
    if (server_->lent.are_all || needs_own_names(statement->reading())) {
        return prepare_by_own_name(statement, client_name, step);
    }
    if (PreparedCache::Entry* const entry = server_->prepared.find(statement->id())) {
        if (must_wait_for(*entry, client_name)) return {.must_wait = true};
        if (!is_stale(*entry)) {
            server_->prepared.touch(*entry);
            evict(options_.max_prepared_statements, &statement->id());
            return {
                .is_renamed = true,
                .name = statement->server_name(),
                .statement = statement.get(),
                .entry = entry
            };
        }
        close_on_server(statement->id());
    }
    // Parsed now, it is parsed under the settings of now: others who ask for it under those that
    // it was named for must not meet it.
    const std::uint64_t parse_hash = parse_hash_now();
    if (statement->parse_hash() != parse_hash) {
        return prepare(
            table_.intern(statement->query(), statement->types(), parse_hash), client_name, step
        );
    }
    if (server_->prepared.is_closing(statement->id(), server_->segment)) return {.must_wait = true};
    evict(std::size_t{options_.max_prepared_statements} * 2 - 1);
    close_suspect(statement->id());
    PreparedCache::Entry& entry = parse_on_server(*statement, step);
    return {
        .is_renamed = true,
        .name = statement->server_name(),
        .statement = statement.get(),
        .entry = &entry
    };
}

PreparedCache::Entry& ClientForwarder::parse_on_server(const Statement& statement, Step& step)
{
    wire::append_parse(
        outputs_.to_server.own(), statement.server_name(), statement.query(), statement.types()
    );
    outputs_.to_server.commit();
    Effect effect;
    effect.id = statement.id();
    effect.adds_to_server = true;
    server_->replies.push({.reply = Reply::parse, .is_hidden = true}, std::move(effect));
    ++step.counts.server_parses;
    return server_->prepared.add(statement.id(), server_->segment, {});
}

void ClientForwarder::evict(std::size_t keep, const StatementId* used)
{
    if (const auto surplus = server_->prepared.surplus(keep, used)) close_on_server(*surplus);
}

// What may stand there under this name, unknown to us, would make Parse fail.
void ClientForwarder::close_suspect(const StatementId& id)
{
    if (!server_->prepared.is_suspect(id)) return;
    wire::append_target(outputs_.to_server.own(), client_type::close, 'S', server_name_of(id));
    outputs_.to_server.commit();
    server_->replies.push({.reply = Reply::close, .is_hidden = true});
}

void ClientForwarder::close_on_server(const StatementId& id)
{
    wire::append_target(outputs_.to_server.own(), client_type::close, 'S', server_name_of(id));
    outputs_.to_server.commit();
    server_->prepared.close(id, server_->segment);
    Effect effect;
    effect.id = id;
    effect.removes_from_server = true;
    server_->replies.push({.reply = Reply::close, .is_hidden = true}, std::move(effect));
}

// Tables or types have changed since it was parsed, or will have: it may have another result type,
// or be of a type that is gone, or be gone itself. In a failed transaction nothing can be done.
bool ClientForwarder::is_stale(const PreparedCache::Entry& entry) const
{
    if (!entry.is_confirmed || server_->status == 'E') return false;
    const bool is_unsettled = server_->is_unsettled && entry.checked_in != server_->segment;
    return is_unsettled || server_->prepared.is_stale(entry);
}

StatementRef ClientForwarder::find(std::string_view client_name) const
{
    if (client_name.empty()) return client_.unnamed;
    const NamedStatement* const named = find_named(client_name);
    return named == nullptr ? nullptr : named->statement;
}

const NamedStatement* ClientForwarder::find_named(std::string_view client_name) const
{
    const NamedStatement* const named = find_in(client_, client_name);
    const bool is_dropped = named != nullptr && server_ != nullptr && server_->is_dropping
                            && named->number <= server_->named_before_drop;
    return is_dropped ? nullptr : named;
}

// Gives a name another meaning (null: none). The Effect knows how to take it back.
Effect ClientForwarder::rename(std::string_view client_name, const StatementRef& statement)
{
    Effect effect;
    effect.client_name = client_name;
    if (client_name.empty()) {
        effect.before = client_.unnamed;
    } else if (const NamedStatement* const named = find_in(client_, client_name)) {
        effect.before = named->statement; // though it is being dropped: that may fail
        effect.told_before = named->told;
    }
    effect.changes_client = true;
    set_statement(client_, client_name, statement);
    return effect;
}

// Whether a Parse succeeded matters to a later segment, but for the client's own: if that one
// failed, the client's name means nothing either, and the server says so.
bool ClientForwarder::must_wait_for(const PreparedCache::Entry& entry, std::string_view name) const
{
    if (entry.is_confirmed || entry.sent_in == server_->segment) return false;
    return entry.client_name.empty() || entry.client_name != name;
}

bool ClientForwarder::must_wait_for_drop() const { return server_->replies.awaits_drop(); }

void set_statement(
    ClientState& client, std::string_view name, const StatementRef& statement, Shape told
)
{
    if (name.empty()) {
        client.unnamed = statement;
        return;
    }
    if (!client.statements) client.statements = std::make_unique<NamedStatements>();
    if (statement) {
        const NamedStatement named{statement, ++client.named_count, told};
        client.statements->insert_or_assign(std::string{name}, named);
    } else if (const auto found = client.statements->find(name);
               found != client.statements->end()) {
        client.statements->remove(found);
    }
}

} // namespace pgweir::session
