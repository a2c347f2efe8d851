// The part of ClientForwarder for pg_prepared_statements. While a statement reads it, and until the
// end of the segment, the server has none of our names, and all of the client's as the client said
// them: then what a client is shown is what it has made.
#include <pgweir/session/forward.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>

namespace pgweir::session {

namespace {

constexpr std::string_view savepoint_sql = "SAVEPOINT \"pgweir names\"";
constexpr std::string_view back_to_savepoint_sql = "ROLLBACK TO SAVEPOINT \"pgweir names\"";
constexpr std::string_view release_savepoint_sql = "RELEASE SAVEPOINT \"pgweir names\"";

} // namespace

bool ClientForwarder::shows_names(const SqlReading& reading) const
{
    if (reading.may_copy_in) return false; // a Sync behind it has no answer
    if (reading.reads_prepared || !reading.executes) return reading.reads_prepared;
    const auto shows = [this](const std::string& name) {
        if (const StatementRef statement = find(name)) return statement->reading().reads_prepared;
        const std::string_view text = sql_text(name);
        if (text.empty()) return client_.has_prepared_view; // made a moment ago: not known yet
        return may_read_catalog(text) && read_sql(text).reads_prepared;
    };
    return std::ranges::any_of(reading.prepared_names, shows);
}

// To be parsed. The rows of EXECUTE are those of what has the name when it is parsed: nobody else
// may have the statement.
bool ClientForwarder::needs_own_names(const SqlReading& reading) const
{
    return reading.executes || shows_names(reading);
}

// False: what came before must be answered first. In a transaction that has failed nothing can be
// parsed, though a query may end it and then read: it is shown none of ours at least.
bool ClientForwarder::lend_all_names()
{
    if (server_->lent.are_all) return true;
    ReplyQueue& replies = server_->replies;
    const bool is_begun = server_->is_unsynced; // the segment
    if (is_begun && replies.awaits_earlier_segment()) return false;
    if (!is_begun && !replies.empty()) {
        if (replies.needs_sync()) append_hidden_sync(); // behind a BEGIN that was owed
        outputs_.to_server.commit();
        return false;
    }
    if (is_skipped()) return true;
    std::vector<NamedInOrder> all;
    if (server_->status != 'E') all = statements_to_lend(is_begun);
    close_all_of_ours();
    if (is_begun) {
        for (const auto& each : all) lend_name(each.name, *each.statement, false);
    } else {
        lend_one_by_one(all);
    }
    outputs_.to_server.commit();
    server_->lent.are_all = true;
    return true;
}

// In the order in which they were made, which the view tells by their times. In the middle of a
// segment an error would be the client's: what may not be parsed any more is left out.
std::vector<ClientForwarder::NamedInOrder> ClientForwarder::statements_to_lend(bool is_begun) const
{
    std::vector<NamedInOrder> all;
    if (!client_.statements) return all;
    for (const auto& [name, named] : *client_.statements) {
        const bool is_wanted = !is_lent(name) && (!is_begun || is_sound(*named.statement));
        if (is_wanted) all.push_back({named.number, name, named.statement.get()});
    }
    std::ranges::sort(all, {}, &NamedInOrder::number);
    return all;
}

// One that cannot be parsed any more, because its table is gone, is just missing. Statements that
// are prepared outlive a savepoint that is gone back to.
void ClientForwarder::lend_one_by_one(const std::vector<NamedInOrder>& all)
{
    if (all.empty()) return;
    const bool is_in_block = server_->status == 'T';
    Gather& out = outputs_.to_server;
    if (is_in_block) append_hidden_query(*server_, savepoint_sql, true, out);
    for (const NamedInOrder& each : all) {
        lend_name(each.name, *each.statement, true);
        append_hidden_sync();
        if (is_in_block) append_hidden_query(*server_, back_to_savepoint_sql, true, out);
    }
    if (is_in_block) append_hidden_query(*server_, release_savepoint_sql, true, out);
}

// PostgreSQL has parsed it as it would now, and no table has changed since, as far as is known.
bool ClientForwarder::is_sound(const Statement& statement) const
{
    const SqlReading& reading = statement.reading();
    if (reading.reads_prepared || reading.executes) return true; // never kept, so never known
    if (statement.parse_hash() != parse_hash_now()) return false;
    PreparedCache& prepared = server_->prepared;
    if (const PreparedCache::Entry* const entry = prepared.find(statement.id())) {
        if (!entry->is_confirmed) return entry->sent_in == server_->segment;
        return !prepared.is_stale(*entry);
    }
    return !server_->has_changed_schema && knowledge_.statements.contains(statement.id());
}

void ClientForwarder::close_all_of_ours()
{
    for (const StatementId& id : server_->prepared.suspects()) close_suspect(id);
    for (const StatementId& id : server_->prepared.ids()) close_on_server(id);
}

ClientForwarder::Done ClientForwarder::parse_by_own_name(
    const wire::ParseBody& body, const StatementRef& statement, Bytes frame, Step& step
)
{
    const bool is_named = !body.name.empty();
    if (is_named && server_->replies.is_undecided(body.name)) return Done::wait;
    if (!lend_all_names()) return Done::wait;
    if (!is_named) {
        parse_unnamed(statement, frame, step);
        return Done::yes;
    }
    if (find(body.name)) return parse_again(body, step);
    if (!is_lent(body.name)) server_->lent.names.emplace_back(body.name);
    outputs_.to_server.borrow(frame);
    server_->replies.push({.reply = Reply::parse}, rename(body.name, statement));
    server_->is_unsynced = true;
    ++step.counts.server_parses;
    return Done::yes;
}

// It is called there as the client calls it.
ClientForwarder::Target ClientForwarder::prepare_by_own_name(
    const StatementRef& statement, std::string_view client_name, Step& step
)
{
    if (!lend_all_names()) return {.must_wait = true};
    const bool is_unnamed = client_name.empty();
    const bool is_there = is_unnamed ? has_unnamed_here() : is_lent(client_name);
    if (is_there) return {};
    if (is_unnamed) {
        wire::append_parse(outputs_.to_server.own(), {}, statement->query(), statement->types());
        server_->replies.push({.reply = Reply::parse, .is_hidden = true});
        own_unnamed(statement);
    } else {
        lend_name(client_name, *statement, false);
    }
    outputs_.to_server.commit();
    ++step.counts.server_parses;
    return {};
}

} // namespace pgweir::session
