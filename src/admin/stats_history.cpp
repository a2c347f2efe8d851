#include <pgweir/admin/stats_history.hpp>

#include <utility>

namespace pgweir::admin {

using metrics::Totals;
using metrics::TotalsByDatabase;

namespace {

std::uint64_t per_second(std::uint64_t count, Duration elapsed)
{
    const std::chrono::duration<double> seconds = elapsed;
    return static_cast<std::uint64_t>(static_cast<double>(count) / seconds.count());
}

std::uint64_t each(std::uint64_t time, std::uint64_t count) { return count > 0 ? time / count : 0; }

Totals sum_of(const TotalsByDatabase& totals)
{
    Totals sum;
    for (const auto& [database, total] : totals) sum += total;
    return sum;
}

} // namespace

Averages average(const Totals& before, const Totals& after, Duration elapsed)
{
    if (elapsed <= Duration::zero()) return {};
    const auto rate = [&](std::uint64_t Totals::* field) {
        return per_second(after.*field - before.*field, elapsed);
    };
    const std::uint64_t transactions = after.transactions - before.transactions;
    const std::uint64_t queries = after.queries - before.queries;
    return {
        .server_assignments = rate(&Totals::server_assignments),
        .transactions = rate(&Totals::transactions),
        .queries = rate(&Totals::queries),
        .received = rate(&Totals::received),
        .sent = rate(&Totals::sent),
        .transaction_time = each(after.transaction_time - before.transaction_time, transactions),
        .query_time = each(after.query_time - before.query_time, queries),
        .wait_time = rate(&Totals::wait_time),
        .client_parses = rate(&Totals::client_parses),
        .server_parses = rate(&Totals::server_parses),
        .binds = rate(&Totals::binds),
        .logins = rate(&Totals::logins),
    };
}

void StatsHistory::sample(TimePoint now, TotalsByDatabase totals)
{
    if (!samples_.empty() && now < samples_.back().time + sample_interval) return;
    samples_.push_back({now, std::move(totals)});
    // The first one stays at least a period old, so that the averages span all of it.
    while (samples_.size() > 1 && samples_[1].time + period <= now) samples_.pop_front();
}

// A database that was not there at the first sample had counted nothing.
Averages StatsHistory::of(const std::string& database, const Totals& totals, TimePoint now) const
{
    if (samples_.empty()) return {};
    const Sample& first = samples_.front();
    const auto found = first.totals.find(database);
    const Totals before = found == first.totals.end() ? Totals{} : found->second;
    return average(before, totals, now - first.time);
}

Averages StatsHistory::of_all(const Totals& totals, TimePoint now) const
{
    if (samples_.empty()) return {};
    const Sample& first = samples_.front();
    return average(sum_of(first.totals), totals, now - first.time);
}

} // namespace pgweir::admin
