#include "columns.hpp"

#include <algorithm>
#include <array>

namespace pgweir::admin {

namespace {

using net::ClientUse;
using net::ServerUse;

struct PoolView {
    const net::Pool& pool;
    const net::PoolCounts& counts;
    Duration maxwait;
};

Value none(const PoolView& /*row*/) { return "0"; }

// clang-format off
// Cancel requests have connections of their own, which last a moment and are in no pool: zero.
// PgBouncer counts a client that needs no server as an active one.
constexpr std::array pool_columns{
    Column<PoolView>{"database", [](const PoolView& row) -> Value { return row.pool.name().database; }},
    Column<PoolView>{"user", [](const PoolView& row) -> Value { return row.pool.name().user; }},
    Column<PoolView>{"cl_active", [](const PoolView& row) { return text(row.counts.client_count() - row.counts.of(ClientUse::waiting) - row.counts.of(ClientUse::closing)); }},
    Column<PoolView>{"cl_waiting", [](const PoolView& row) { return text(row.counts.of(ClientUse::waiting)); }},
    Column<PoolView>{"cl_active_cancel_req", none},
    Column<PoolView>{"cl_waiting_cancel_req", none},
    Column<PoolView>{"sv_active", [](const PoolView& row) { return text(row.counts.of(ServerUse::lent)); }},
    Column<PoolView>{"sv_active_cancel", none},
    Column<PoolView>{"sv_being_canceled", [](const PoolView& row) { return text(row.counts.of(ServerUse::recovering) + row.counts.of(ServerUse::held)); }},
    Column<PoolView>{"sv_idle", [](const PoolView& row) { return text(row.counts.of(ServerUse::idle)); }},
    Column<PoolView>{"sv_used", [](const PoolView& row) { return text(row.counts.of(ServerUse::resetting)); }},
    Column<PoolView>{"sv_tested", [](const PoolView& row) { return text(row.counts.of(ServerUse::checking)); }},
    Column<PoolView>{"sv_login", [](const PoolView& row) { return text(row.pool.shared().opening()); }},
    Column<PoolView>{"maxwait", [](const PoolView& row) { return text(whole_seconds(row.maxwait)); }},
    Column<PoolView>{"maxwait_us", [](const PoolView& row) { return text(rest_in_microseconds(row.maxwait)); }},
    Column<PoolView>{"pool_mode", [](const PoolView& row) -> Value { return mode_name(row.pool.options().mode); }},
    Column<PoolView>{"load_balance_hosts", [](const PoolView&) -> Value { return std::nullopt; }},
};
// clang-format on

} // namespace

std::vector<std::string> pools_columns() { return names_of(pool_columns); }

Table show_pools(const View& view)
{
    const TimePoint now = view.inspection.now;
    std::vector<PoolView> rows;
    for (const auto& [pool, counts] : view.inspection.pools) {
        const TimePoint since = pool->shared().oldest_since().value_or(now);
        // It may have come while the workers were asked.
        rows.push_back({*pool, counts, std::max(now - since, Duration::zero())});
    }
    return make_table(pool_columns, rows);
}

} // namespace pgweir::admin
