#include <pgweir/admin/show.hpp>

#include "columns.hpp"

#include <algorithm>

namespace pgweir::admin {

namespace {

Table show_config(const View& view)
{
    Table table{columns_of(Show::config), {}};
    for (const ConfigRow& row : view.config.rows) {
        table.rows.push_back(
            {row.key, row.value, row.default_value, row.is_changeable ? "yes" : "no"}
        );
    }
    return table;
}

Table show_help()
{
    Table table{columns_of(Show::help), {}};
    for (const HelpRow& row : help_rows()) {
        table.rows.push_back({row.command, std::string{row.description}});
    }
    return table;
}

// Paused is who has paused pools, and only them: one that is paused alone shows in DATABASES.
Table show_state(const View& view)
{
    const auto& pools = view.inspection.pools;
    const bool is_paused = !pools.empty()
                           && std::ranges::all_of(pools, [](const net::PoolRow& row) {
                                  return row.pool->shared().is_paused();
                              });
    const auto yes_if = [](bool condition) { return condition ? "yes" : "no"; };
    return {
        columns_of(Show::state),
        {{"active", yes_if(!is_paused)}, {"paused", yes_if(is_paused)}, {"suspended", "no"}},
    };
}

} // namespace

std::string mode_name(pool::Mode mode)
{
    switch (mode) {
    case pool::Mode::transaction: return "transaction";
    case pool::Mode::session: return "session";
    case pool::Mode::statement: return "statement";
    }
    return "unknown";
}

std::int64_t whole_seconds(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::int64_t rest_in_microseconds(Duration duration)
{
    const auto rest = duration % std::chrono::seconds{1};
    return std::chrono::duration_cast<std::chrono::microseconds>(rest).count();
}

net::Detail detail_of(Show what)
{
    switch (what) {
    case Show::clients:
    case Show::servers: return net::Detail::rows;
    case Show::databases:
    case Show::lists:
    case Show::pools:
    case Show::users: return net::Detail::counts;
    case Show::classes:
    case Show::config:
    case Show::help:
    case Show::state:
    case Show::stats:
    case Show::stats_averages:
    case Show::stats_totals:
    case Show::totals:
    case Show::version: return net::Detail::none;
    }
    return net::Detail::rows;
}

std::vector<std::string> columns_of(Show what)
{
    switch (what) {
    case Show::classes: return classes_columns();
    case Show::clients:
    case Show::servers: return connections_columns();
    case Show::config: return {"key", "value", "default", "changeable"};
    case Show::databases: return databases_columns();
    case Show::help: return {"command", "description"};
    case Show::lists: return {"list", "items"};
    case Show::pools: return pools_columns();
    case Show::state: return {"key", "value"};
    case Show::stats: return stats_columns(StatsPart::both);
    case Show::stats_averages: return stats_columns(StatsPart::averages);
    case Show::stats_totals: return stats_columns(StatsPart::totals);
    case Show::totals: return {"name", "value"};
    case Show::users: return users_columns();
    case Show::version: return {"version"};
    }
    return {};
}

Table show(Show what, const View& view, const StatsHistory& history)
{
    switch (what) {
    case Show::classes: return show_classes(view);
    case Show::clients: return show_clients(view);
    case Show::config: return show_config(view);
    case Show::databases: return show_databases(view);
    case Show::help: return show_help();
    case Show::lists: return show_lists(view);
    case Show::pools: return show_pools(view);
    case Show::servers: return show_servers(view);
    case Show::state: return show_state(view);
    case Show::stats: return show_stats(StatsPart::both, view, history);
    case Show::stats_averages: return show_stats(StatsPart::averages, view, history);
    case Show::stats_totals: return show_stats(StatsPart::totals, view, history);
    case Show::totals: return show_totals(view, history);
    case Show::users: return show_users(view);
    case Show::version: return {columns_of(what), {{"pgweir " + view.config.version}}};
    }
    return {};
}

} // namespace pgweir::admin
