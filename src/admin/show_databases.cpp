#include "columns.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace pgweir::admin {

namespace {

// A database of the configuration, or one that a client has asked for, with all its pools.
struct DatabaseView {
    std::string name;
    net::Upstream upstream;
    pool::Options options;
    std::uint32_t servers = 0;
    std::uint32_t clients = 0;
    bool is_paused = false;

    [[nodiscard]] std::string hosts() const
    {
        std::string all;
        for (const net::HostPort& each : upstream.hosts)
            all += (all.empty() ? "" : ",") + each.host;
        return all;
    }
    [[nodiscard]] std::uint16_t port() const
    {
        return upstream.hosts.empty() ? net::HostPort{}.port : upstream.hosts.front().port;
    }
};

// clang-format off
// Zero is PgBouncer's "no limit"; the limits that are zero here do not exist. The user is the
// client's, so none is forced.
constexpr std::array database_columns{
    Column<DatabaseView>{"name", [](const DatabaseView& row) -> Value { return row.name; }},
    Column<DatabaseView>{"host", [](const DatabaseView& row) -> Value { return row.hosts(); }},
    Column<DatabaseView>{"port", [](const DatabaseView& row) { return text(row.port()); }},
    Column<DatabaseView>{"database", [](const DatabaseView& row) -> Value { return row.upstream.dbname.empty() ? row.name : row.upstream.dbname; }},
    Column<DatabaseView>{"force_user", [](const DatabaseView&) -> Value { return std::nullopt; }},
    Column<DatabaseView>{"pool_size", [](const DatabaseView& row) { return text(row.options.size); }},
    Column<DatabaseView>{"min_pool_size", [](const DatabaseView& row) { return text(row.options.min_size); }},
    Column<DatabaseView>{"reserve_pool_size", [](const DatabaseView&) { return text(0); }},
    Column<DatabaseView>{"server_lifetime", [](const DatabaseView& row) { return text(whole_seconds(row.options.server_lifetime)); }},
    Column<DatabaseView>{"pool_mode", [](const DatabaseView& row) -> Value { return mode_name(row.options.mode); }},
    Column<DatabaseView>{"load_balance_hosts", [](const DatabaseView& row) -> Value { return row.upstream.balances_hosts ? "random" : "disable"; }},
    Column<DatabaseView>{"max_connections", [](const DatabaseView& row) { return text(row.options.max_db_connections); }},
    Column<DatabaseView>{"current_connections", [](const DatabaseView& row) { return text(row.servers); }},
    Column<DatabaseView>{"max_client_connections", [](const DatabaseView&) { return text(0); }},
    Column<DatabaseView>{"current_client_connections", [](const DatabaseView& row) { return text(row.clients); }},
    Column<DatabaseView>{"paused", [](const DatabaseView& row) { return text(row.is_paused ? 1 : 0); }},
    Column<DatabaseView>{"disabled", [](const DatabaseView&) { return text(0); }},
};

struct UserView {
    std::string name;
    std::uint32_t cap = 0;                // max_user_connections
    std::optional<pool::Options> options{}; // of its first pool; none: it has never logged in
    std::uint32_t servers = 0;
    std::uint32_t clients = 0;
};

constexpr std::array user_columns{
    Column<UserView>{"name", [](const UserView& row) -> Value { return row.name; }},
    Column<UserView>{"pool_size", [](const UserView& row) -> Value { return row.options ? text(row.options->size) : std::nullopt; }},
    Column<UserView>{"reserve_pool_size", [](const UserView&) -> Value { return std::nullopt; }},
    Column<UserView>{"pool_mode", [](const UserView& row) -> Value { return row.options ? Value{mode_name(row.options->mode)} : std::nullopt; }},
    Column<UserView>{"max_user_connections", [](const UserView& row) { return text(row.cap); }},
    Column<UserView>{"current_connections", [](const UserView& row) { return text(row.servers); }},
    Column<UserView>{"max_user_client_connections", [](const UserView&) { return text(0); }},
    Column<UserView>{"current_client_connections", [](const UserView& row) { return text(row.clients); }},
};

struct ListView {
    std::string_view list;
    std::size_t items;
};

constexpr std::array list_columns{
    Column<ListView>{"list", [](const ListView& row) -> Value { return std::string{row.list}; }},
    Column<ListView>{"items", [](const ListView& row) { return text(row.items); }},
};
// clang-format on

std::vector<DatabaseView> database_views(const View& view)
{
    std::map<std::string, DatabaseView> databases;
    for (const DatabaseRow& row : view.config.databases) {
        databases[row.name] = {.name = row.name, .upstream = row.upstream, .options = row.options};
    }
    for (const auto& [pool, counts] : view.inspection.pools) {
        const std::string& name = pool->name().database;
        const auto [entry, is_new] = databases.try_emplace(name);
        DatabaseView& row = entry->second;
        if (is_new) {
            row.name = name;
            row.upstream = pool->upstream();
            row.options = pool->options();
        }
        row.servers += pool->shared().total();
        row.clients += counts.client_count();
        row.is_paused = row.is_paused || pool->shared().is_paused();
    }
    std::vector<DatabaseView> rows;
    rows.reserve(databases.size());
    for (auto& [name, row] : databases) rows.push_back(std::move(row));
    return rows;
}

std::vector<UserView> user_views(const View& view)
{
    std::map<std::string, UserView> users;
    for (const UserRow& row : view.config.users) users[row.name] = {row.name, row.cap};
    for (const auto& [pool, counts] : view.inspection.pools) {
        UserView& row = users[pool->name().user];
        row.name = pool->name().user;
        row.cap = pool->options().max_user_connections;
        if (!row.options) row.options = pool->options();
        row.servers += pool->shared().total();
        row.clients += counts.client_count();
    }
    std::vector<UserView> rows;
    rows.reserve(users.size());
    for (auto& [name, row] : users) rows.push_back(std::move(row));
    return rows;
}

} // namespace

std::vector<std::string> databases_columns() { return names_of(database_columns); }

Table show_databases(const View& view)
{
    return make_table(database_columns, database_views(view));
}

std::vector<std::string> users_columns() { return names_of(user_columns); }

Table show_users(const View& view) { return make_table(user_columns, user_views(view)); }

// We keep no lists of free objects, no peers, and no DNS cache: zero is how many there are.
Table show_lists(const View& view)
{
    net::PoolCounts counts;
    for (const net::PoolRow& row : view.inspection.pools) counts += row.counts;
    const std::array lists{
        ListView{"databases", database_views(view).size()},
        ListView{"users", user_views(view).size()},
        ListView{"peers", 0},
        ListView{"pools", view.inspection.pools.size()},
        ListView{"peer_pools", 0},
        ListView{"free_clients", 0},
        ListView{"used_clients", counts.client_count()},
        ListView{"login_clients", view.config.logins},
        ListView{"free_servers", 0},
        ListView{"used_servers", counts.server_count()},
        ListView{"dns_names", 0},
        ListView{"dns_zones", 0},
        ListView{"dns_queries", 0},
        ListView{"dns_pending", 0},
    };
    return make_table(list_columns, lists);
}

} // namespace pgweir::admin
