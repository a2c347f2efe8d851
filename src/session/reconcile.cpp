// Makes a server fit its next client, with messages in front of that one's own.
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <functional>

namespace pgweir::session {

namespace {

// Of two equal values the one at the lower address: so all of a pool's come to be one, and are
// found equal at a glance.
template <class Ref>
void share(Ref& a, Ref& b)
{
    if (std::less<>{}(a.get(), b.get())) {
        b = a;
    } else {
        a = b;
    }
}

bool reconcile_settings(ServerState& server, ClientState& client, Gather& to_server)
{
    if (same_settings(server.settings, client.wanted)) {
        share(client.wanted, server.settings);
        return false;
    }
    const std::string sql = reconcile(*server.settings, *client.wanted, *server.defaults);
    server.settings_before = server.settings;
    server.settings = client.wanted;
    if (sql.empty()) return false;
    append_hidden_query(server, sql, false, to_server);
    return true;
}

// In a query of its own, when the names arrive as they are in the client's encoding.
bool reconcile_channels(ServerState& server, ClientState& client, Gather& to_server, bool has_set)
{
    if (same_channels(server.channels, client.channels)) {
        share(client.channels, server.channels);
        return false;
    }
    const std::string sql = listen_sql(all_of(server.channels), all_of(client.channels));
    append_hidden_query(server, sql, false, to_server);
    server.channels = client.channels;
    server.relisten_in = has_set ? 2 : 1;
    return true;
}

bool contains(const SqlPrepared& all, const SqlPrepared::value_type& one)
{
    return std::ranges::find(all, one) != all.end();
}

// Each in a query of its own: one that cannot be prepared any more, because its table is gone, must
// not take the others with it.
bool reconcile_prepared(ServerState& server, ClientState& client, Gather& to_server)
{
    if (server.sql_prepared == client.sql_prepared) return false;
    static const SqlPrepared none;
    const SqlPrepared& from = server.sql_prepared ? *server.sql_prepared : none;
    const SqlPrepared& to = client.sql_prepared ? *client.sql_prepared : none;
    bool has_written = false;
    for (const auto& each : from) {
        if (contains(to, each)) continue;
        append_hidden_query(server, deallocate_sql(each.first), true, to_server);
        has_written = true;
    }
    for (const auto& each : to) {
        if (contains(from, each)) continue;
        append_hidden_query(server, each.second, true, to_server);
        has_written = true;
    }
    server.sql_prepared = client.sql_prepared;
    return has_written;
}

} // namespace

void append_hidden_query(
    ServerState& server, std::string_view sql, bool is_tolerated, Gather& to_server
)
{
    wire::append_query(to_server.own(), sql);
    to_server.commit();
    server.replies.push({.reply = Reply::query, .is_hidden = true, .is_tolerated = is_tolerated});
    server.unnamed_owner = ClientId{};
    ++server.segment;
}

bool reconcile_server(ServerState& server, ClientState& client, Gather& to_server)
{
    const bool has_set = reconcile_settings(server, client, to_server);
    const bool has_listened = reconcile_channels(server, client, to_server, has_set);
    const bool has_prepared = reconcile_prepared(server, client, to_server);
    return has_set || has_listened || has_prepared;
}

std::uint64_t hash_with(std::uint64_t hash, const SqlPrepared& prepared)
{
    constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15U;
    for (const auto& [name, text] : prepared) {
        hash = (hash ^ std::hash<std::string>{}(name)) * golden_ratio;
        hash = (hash ^ std::hash<std::string>{}(text)) * golden_ratio;
    }
    return hash;
}

std::uint64_t hash_with(std::uint64_t hash, const Channels& channels)
{
    // Not that of the statements: two channels are something else than one of them and its text.
    constexpr std::uint64_t factor = 0xd1342543de82ef95U;
    for (const std::string& name : channels) {
        hash = (hash ^ std::hash<std::string>{}(name)) * factor;
    }
    return hash;
}

} // namespace pgweir::session
