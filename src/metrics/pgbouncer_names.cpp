#include "families.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace pgweir::metrics {

namespace {

using net::ClientUse;
using net::PoolCounts;
using net::PoolRow;
using net::ServerUse;

struct PoolGauge {
    std::string_view name;
    std::string_view help;
    double (*value)(const net::Pool& pool, const PoolCounts& counts);
};

// clang-format off
// PgBouncer counts a client that needs no server as an active one.
constexpr std::array pool_gauges{
    PoolGauge{"pgbouncer_pools_client_active_connections", "Clients that have a server, or need none.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.client_count() - counts.of(ClientUse::waiting) - counts.of(ClientUse::closing)); }},
    PoolGauge{"pgbouncer_pools_client_waiting_connections", "Clients that wait for a server.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.of(ClientUse::waiting)); }},
    PoolGauge{"pgbouncer_pools_server_active_connections", "Servers that a client has.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.of(ServerUse::lent)); }},
    PoolGauge{"pgbouncer_pools_server_being_canceled_connections", "Servers that wait for the end of a cancel.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.of(ServerUse::recovering) + counts.of(ServerUse::held)); }},
    PoolGauge{"pgbouncer_pools_server_idle_connections", "Servers that are free.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.of(ServerUse::idle)); }},
    PoolGauge{"pgbouncer_pools_server_used_connections", "Servers that are being reset.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.of(ServerUse::resetting)); }},
    PoolGauge{"pgbouncer_pools_server_testing_connections", "Servers that are being checked.",
        [](const net::Pool&, const PoolCounts& counts) { return number(counts.of(ServerUse::checking)); }},
    PoolGauge{"pgbouncer_pools_server_login_connections", "Servers that are being opened.",
        [](const net::Pool& pool, const PoolCounts&) { return number(pool.shared().opening()); }},
};

struct DatabaseCounter {
    std::string_view name;
    std::string_view help;
    std::uint64_t Totals::* value;
    double unit = 1;
};

constexpr double microsecond = 1e-6;

constexpr std::array database_counters{
    DatabaseCounter{"pgbouncer_stats_totals_server_assignments_total", "Times that a client was given a server.", &Totals::server_assignments},
    DatabaseCounter{"pgbouncer_stats_totals_sql_transactions_pooled_total", "Transactions finished.", &Totals::transactions},
    DatabaseCounter{"pgbouncer_stats_totals_queries_pooled_total", "Queries of clients.", &Totals::queries},
    DatabaseCounter{"pgbouncer_stats_totals_received_bytes_total", "Bytes received from clients.", &Totals::received},
    DatabaseCounter{"pgbouncer_stats_totals_sent_bytes_total", "Bytes sent to clients.", &Totals::sent},
    DatabaseCounter{"pgbouncer_stats_totals_server_in_transaction_seconds_total", "Time that servers spent in transactions.", &Totals::transaction_time, microsecond},
    DatabaseCounter{"pgbouncer_stats_totals_queries_duration_seconds_total", "Time that servers spent on queries.", &Totals::query_time, microsecond},
    DatabaseCounter{"pgbouncer_stats_totals_client_wait_seconds_total", "Time that clients waited for a server.", &Totals::wait_time, microsecond},
    DatabaseCounter{"pgbouncer_stats_totals_client_parses_total", "Parse messages of clients.", &Totals::client_parses},
    DatabaseCounter{"pgbouncer_stats_totals_server_parses_total", "Parse messages that a server had to see.", &Totals::server_parses},
    DatabaseCounter{"pgbouncer_stats_totals_binds_total", "Bind messages of clients.", &Totals::binds},
};
// clang-format on

void add_pools(Families& families, const net::Inspection& inspection)
{
    for (const PoolGauge& gauge : pool_gauges) {
        families.gauge(gauge.name, gauge.help);
        for (const auto& [pool, counts] : inspection.pools) {
            families.add(gauge.value(*pool, counts), labels_of(*pool));
        }
    }
    families.gauge(
        "pgbouncer_pools_client_maxwait_seconds",
        "How long the first client of the queue has waited."
    );
    for (const auto& [pool, counts] : inspection.pools) {
        const TimePoint since = pool->shared().oldest_since().value_or(inspection.now);
        const std::chrono::duration<double> age = inspection.now - since;
        families.add(std::max(age.count(), 0.0), labels_of(*pool));
    }
}

void add_stats(Families& families, const std::vector<PoolRow>& pools)
{
    TotalsByDatabase totals;
    for (const PoolRow& row : pools) add_to(totals, *row.pool);
    for (const DatabaseCounter& counter : database_counters) {
        families.counter(counter.name, counter.help);
        for (const auto& [database, total] : totals) {
            families.add(number(total.*counter.value) * counter.unit, {{"database", database}});
        }
    }
}

struct DatabaseState {
    Labels labels;
    std::uint32_t size = 0;
    std::uint32_t cap = 0;
    std::uint32_t connections = 0;
    bool is_paused = false;
};

// The first user of a database speaks for it, as PgBouncer has one size a database.
std::vector<DatabaseState> database_states(const std::vector<PoolRow>& pools)
{
    std::map<std::string, DatabaseState> states;
    for (const auto& [pool, counts] : pools) {
        const auto [entry, is_new] = states.try_emplace(pool->name().database);
        DatabaseState& state = entry->second;
        state.connections += pool->shared().total();
        if (!is_new) continue;
        const net::Upstream upstream = pool->upstream();
        const net::HostPort place = upstream.hosts.empty() ? net::HostPort{}
                                                           : upstream.hosts.front();
        const std::string& name = pool->name().database;
        state.labels = {
            {"name", name},
            {"host", place.host},
            {"port", std::to_string(place.port)},
            {"database", upstream.dbname.empty() ? name : upstream.dbname},
            {"force_user", ""},
            {"pool_mode", name_of(pool->options().mode)},
        };
        state.size = pool->shared().size();
        state.cap = pool->options().max_db_connections;
        state.is_paused = pool->shared().is_paused();
    }
    std::vector<DatabaseState> rows;
    rows.reserve(states.size());
    for (auto& [name, state] : states) rows.push_back(std::move(state));
    return rows;
}

void add_databases(Families& families, const std::vector<PoolRow>& pools)
{
    const std::vector<DatabaseState> states = database_states(pools);
    families.gauge("pgbouncer_databases_pool_size", "Server connections that a pool may have.");
    for (const DatabaseState& state : states) families.add(state.size, state.labels);
    families.gauge(
        "pgbouncer_databases_max_connections", "Server connections it may have; 0 is no cap."
    );
    for (const DatabaseState& state : states) families.add(state.cap, state.labels);
    families.gauge("pgbouncer_databases_current_connections", "Server connections there are.");
    for (const DatabaseState& state : states) families.add(state.connections, state.labels);
    families.gauge("pgbouncer_databases_paused", "1 while an operator has paused it.");
    for (const DatabaseState& state : states) families.add(state.is_paused ? 1 : 0, state.labels);
    families.gauge("pgbouncer_databases_disabled", "Always 0: no database can be disabled.");
    for (const DatabaseState& state : states) families.add(0, state.labels);
}

void add_lists(Families& families, const Snapshot& snapshot)
{
    std::set<std::string> databases;
    std::set<std::string> users;
    PoolCounts counts;
    for (const PoolRow& row : snapshot.inspection.pools) {
        databases.insert(row.pool->name().database);
        users.insert(row.pool->name().user);
        counts += row.counts;
    }
    const auto add = [&](std::string_view name, std::string_view help, double value) {
        families.gauge(name, help);
        families.add(value);
    };
    add("pgbouncer_databases", "Databases that a client has used.", number(databases.size()));
    add("pgbouncer_users", "Users that have logged in.", number(users.size()));
    add("pgbouncer_pools",
        "Pools, one for each of these together.",
        number(snapshot.inspection.pools.size()));
    add("pgbouncer_used_clients", "Logged-in clients.", counts.client_count());
    add("pgbouncer_login_clients", "Clients that are logging in.", number(snapshot.daemon.logins));
    add("pgbouncer_used_servers", "Server connections.", counts.server_count());
    add("pgbouncer_config_max_client_connections",
        "Clients that may log in.",
        snapshot.daemon.max_client_conn);
    add("pgbouncer_config_max_user_connections",
        "Server connections that one user may have; 0 is no cap.",
        snapshot.daemon.max_user_connections);
}

} // namespace

void add_pgbouncer_names(Families& families, const Snapshot& snapshot)
{
    families.gauge("pgbouncer_up", "Always 1: who answers is there.");
    families.add(1);
    families.gauge("pgbouncer_version_info", "Always 1; the version is a label.");
    families.add(1, {{"version", "pgweir " + snapshot.daemon.version}});
    add_pools(families, snapshot.inspection);
    add_stats(families, snapshot.inspection.pools);
    add_databases(families, snapshot.inspection.pools);
    add_lists(families, snapshot);
}

} // namespace pgweir::metrics
