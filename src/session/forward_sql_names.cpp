// The part of ClientForwarder for statements that were prepared by the protocol and are named in
// SQL: PostgreSQL has one space of names for both.
#include <pgweir/session/forward.hpp>
#include <pgweir/session/question.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace pgweir::session {

namespace client_type = wire::client_type;
using wire::FrameHeader;

// The server knows the statement by another name, or not at all: then an empty one of that name
// is made for it to drop, in a segment of its own.
ClientForwarder::Done ClientForwarder::query_deallocate(
    FrameHeader header, const Statement& statement, std::string_view name
)
{
    if (must_wait_for_drop()) return Done::wait;
    Buffer& own = outputs_.to_server.own();
    if (server_->prepared.find(statement.id()) == nullptr) {
        append_empty_statement(statement);
        append_hidden_sync();
    }
    wire::append_query(own, deallocate_sql(statement.server_name()));
    outputs_.to_server.commit();
    expect_query(true);
    server_->deallocating.push_back({std::string{name}, statement.id()});
    used_ = header.frame_size();
    return Done::yes;
}

void ClientForwarder::append_empty_statement(const Statement& statement)
{
    const std::array<std::byte, 2> no_types{};
    wire::append_parse(outputs_.to_server.own(), statement.server_name(), {}, no_types);
    server_->replies.push({.reply = Reply::parse, .is_hidden = true});
    server_->prepared.suspect(statement.id()); // should the DEALLOCATE not come to pass
}

ClientForwarder::Done ClientForwarder::parse_deallocate(FrameHeader header, const std::string& name)
{
    const StatementRef statement = find(name);
    const bool is_own_name = is_lent(name);
    const bool is_there = is_own_name || server_->prepared.find(statement->id()) != nullptr;
    if (!is_there && server_->status != 'E') append_empty_statement(*statement);
    const std::string sql = deallocate_sql(is_own_name ? name : statement->server_name());
    const std::array<std::byte, 2> no_types{};
    wire::append_parse(outputs_.to_server.own(), {}, sql, no_types);
    outputs_.to_server.commit();
    server_->replies.push({.reply = Reply::parse});
    server_->is_unsynced = true;
    server_->deallocating.push_back({name, statement->id()});
    server_->drops_after_sync = true;
    own_unnamed(nullptr);
    used_ = header.frame_size();
    return Done::yes;
}

// EXECUTE finds what was prepared by the protocol, and PREPARE finds its name taken: for this query
// or segment the server has it by the client's own name.
void ClientForwarder::lend_names(const SqlReading& reading, bool is_query)
{
    const bool is_too_late = is_query && server_->is_unsynced;
    if (!client_.statements) return;
    for (const std::string& name : reading.prepared_names) {
        const StatementRef statement = find(name);
        if (!statement) continue;
        raise_doubts(*server_, client_, statement->reading(), knowledge_, clientele_);
        // A Sync behind a COPY has no answer.
        if (is_too_late || reading.may_copy_in || is_lent(name)) continue;
        lend_name(name, *statement, is_query);
        if (is_query) append_hidden_sync();
    }
    outputs_.to_server.commit();
}

void ClientForwarder::lend_name(
    std::string_view name, const Statement& statement, bool is_tolerated
)
{
    Buffer& own = outputs_.to_server.own();
    wire::append_parse(own, name, statement.query(), statement.types());
    server_->replies.push({.reply = Reply::parse, .is_hidden = true, .is_tolerated = is_tolerated});
    server_->lent.names.emplace_back(name);
}

bool ClientForwarder::is_lent(std::string_view name) const
{
    return std::ranges::find(server_->lent.names, name) != server_->lent.names.end();
}

// Behind the query or the segment, so that no error makes it skipped. Close works in a failed
// transaction too.
void ClientForwarder::take_names_back()
{
    const LentNames lent = std::exchange(server_->lent, {});
    if (lent.names.empty()) return;
    Buffer& own = outputs_.to_server.own();
    for (const std::string& name : lent.names) {
        wire::append_target(own, client_type::close, 'S', name);
        server_->replies.push({.reply = Reply::close, .is_hidden = true});
    }
    append_hidden_sync();
    outputs_.to_server.commit();
}

// SQL's PREPARE has taken it, or may have a moment ago: then PostgreSQL says so to the client. If
// it is free by then, nothing of that name must stay with the server.
void ClientForwarder::try_name(std::string_view name)
{
    constexpr std::array<std::byte, 2> no_types{};
    Buffer& own = outputs_.to_server.own();
    wire::append_parse(own, name, {}, no_types);
    wire::append_target(own, client_type::close, 'S', name);
    outputs_.to_server.commit();
    server_->replies.push({.reply = Reply::parse, .is_hidden = true});
    server_->replies.push({.reply = Reply::close, .is_hidden = true});
    server_->is_unsynced = true;
}

// Nothing that was prepared by the protocol: perhaps SQL's PREPARE has made it. The Flush is for
// who makes the name anew in the same segment.
ClientForwarder::Done ClientForwarder::close_sql_name(
    FrameHeader header, Bytes available, std::string_view name
)
{
    if (name.starts_with(Statement::name_prefix)) { // it could be ours
        server_->replies.push({.reply = Reply::close, .is_local = true});
        used_ = header.frame_size();
    } else if (is_sql_name(name)) {
        pass(header, available);
        wire::append_empty(outputs_.to_server.own(), client_type::flush);
        outputs_.to_server.commit();
        Effect effect;
        effect.client_name = name;
        effect.closes_sql_name = true;
        server_->replies.push({.reply = Reply::close}, std::move(effect));
    } else {
        pass(header, available);
        server_->replies.push({.reply = Reply::close});
    }
    server_->is_unsynced = true;
    return Done::yes;
}

// Of a statement that the client has made with SQL's PREPARE.
bool ClientForwarder::is_sql_name(std::string_view name) const { return !sql_text(name).empty(); }

// The PREPARE that made it. Empty: none did.
std::string_view ClientForwarder::sql_text(std::string_view name) const
{
    if (!client_.sql_prepared) return {};
    const auto found = std::ranges::find(
        *client_.sql_prepared, name, &SqlPrepared::value_type::first
    );
    return found != client_.sql_prepared->end() ? std::string_view{found->second}
                                                : std::string_view{};
}

void ClientForwarder::append_hidden_sync()
{
    wire::append_empty(outputs_.to_server.own(), client_type::sync);
    server_->replies.push({.reply = Reply::sync, .is_hidden = true});
    ++server_->segment;
}

} // namespace pgweir::session
