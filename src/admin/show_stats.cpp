#include "columns.hpp"

#include <array>

namespace pgweir::admin {

namespace {

using metrics::Totals;

// One number of STATS. PgBouncer spells it differently in each of its tables.
struct Stat {
    std::uint64_t Totals::* total;
    std::uint64_t Averages::* average;
    std::string_view total_in_stats;
    std::string_view average_in_stats;
    std::string_view total_alone;
    std::string_view average_alone;
    std::string_view in_totals; // behind total_ and avg_
};

// clang-format off
constexpr std::array stats{
    Stat{&Totals::server_assignments, &Averages::server_assignments, "total_server_assignment_count", "avg_server_assignment_count", "server_assignment_count", "server_assignment_count", "server_assignment_count"},
    Stat{&Totals::transactions, &Averages::transactions, "total_xact_count", "avg_xact_count", "xact_count", "xact_count", "xact_count"},
    Stat{&Totals::queries, &Averages::queries, "total_query_count", "avg_query_count", "query_count", "query_count", "query_count"},
    Stat{&Totals::received, &Averages::received, "total_received", "avg_recv", "bytes_received", "bytes_received", "client_bytes"},
    Stat{&Totals::sent, &Averages::sent, "total_sent", "avg_sent", "bytes_sent", "bytes_sent", "server_bytes"},
    Stat{&Totals::transaction_time, &Averages::transaction_time, "total_xact_time", "avg_xact_time", "xact_time", "xact_time", "xact_time"},
    Stat{&Totals::query_time, &Averages::query_time, "total_query_time", "avg_query_time", "query_time", "query_time", "query_time"},
    Stat{&Totals::wait_time, &Averages::wait_time, "total_wait_time", "avg_wait_time", "wait_time", "wait_time", "wait_time"},
    Stat{&Totals::client_parses, &Averages::client_parses, "total_client_parse_count", "avg_client_parse_count", "client_parse_count", "avg_client_parse_count", "ps_client_parse_count"},
    Stat{&Totals::server_parses, &Averages::server_parses, "total_server_parse_count", "avg_server_parse_count", "server_parse_count", "avg_server_parse_count", "ps_server_parse_count"},
    Stat{&Totals::binds, &Averages::binds, "total_bind_count", "avg_bind_count", "bind_count", "avg_bind_count", "ps_bind_count"},
    Stat{&Totals::logins, &Averages::logins, "total_client_login_count", "avg_client_login_count", "client_login_count", "avg_client_login_count", "client_login_count"},
};
// clang-format on

metrics::TotalsByDatabase totals_by_database(const View& view)
{
    metrics::TotalsByDatabase totals;
    for (const net::PoolRow& row : view.inspection.pools) metrics::add_to(totals, *row.pool);
    return totals;
}

} // namespace

std::vector<std::string> stats_columns(StatsPart part)
{
    std::vector<std::string> names{"database"};
    const bool is_alone = part != StatsPart::both;
    if (part != StatsPart::averages) {
        for (const Stat& stat : stats) {
            names.emplace_back(is_alone ? stat.total_alone : stat.total_in_stats);
        }
    }
    if (part != StatsPart::totals) {
        for (const Stat& stat : stats) {
            names.emplace_back(is_alone ? stat.average_alone : stat.average_in_stats);
        }
    }
    return names;
}

Table show_stats(StatsPart part, const View& view, const StatsHistory& history)
{
    Table table{stats_columns(part), {}};
    for (const auto& [database, totals] : totals_by_database(view)) {
        const Averages averages = history.of(database, totals, view.inspection.now);
        Table::Row& row = table.rows.emplace_back();
        row.emplace_back(database);
        if (part != StatsPart::averages) {
            for (const Stat& stat : stats) row.push_back(text(totals.*stat.total));
        }
        if (part != StatsPart::totals) {
            for (const Stat& stat : stats) row.push_back(text(averages.*stat.average));
        }
    }
    return table;
}

Table show_totals(const View& view, const StatsHistory& history)
{
    Totals totals;
    for (const auto& [database, each] : totals_by_database(view)) totals += each;
    const Averages averages = history.of_all(totals, view.inspection.now);
    Table table{{"name", "value"}, {}};
    for (const Stat& stat : stats) {
        table.rows.push_back({"total_" + std::string{stat.in_totals}, text(totals.*stat.total)});
    }
    for (const Stat& stat : stats) {
        table.rows.push_back({"avg_" + std::string{stat.in_totals}, text(averages.*stat.average)});
    }
    return table;
}

} // namespace pgweir::admin
