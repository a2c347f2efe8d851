// The totals of the last minute, so that SHOW STATS can say how much it was a second. No clock: it
// is told the time with each sample.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/metrics/totals.hpp>

#include <deque>
#include <string>

namespace pgweir::admin {

/// PgBouncer's avg_ columns: counts and bytes a second; the time of one transaction and of one
/// query; the time that clients waited, in each second.
struct Averages {
    std::uint64_t server_assignments = 0;
    std::uint64_t transactions = 0;
    std::uint64_t queries = 0;
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t transaction_time = 0;
    std::uint64_t query_time = 0;
    std::uint64_t wait_time = 0;
    std::uint64_t client_parses = 0;
    std::uint64_t server_parses = 0;
    std::uint64_t binds = 0;
    std::uint64_t logins = 0;

    friend bool operator==(const Averages&, const Averages&) = default;
};

/// What happened between two readings that lie so far apart.
[[nodiscard]] Averages average(
    const metrics::Totals& before, const metrics::Totals& after, Duration elapsed
);

class StatsHistory {
public:
    static constexpr Duration period = std::chrono::seconds{60};
    static constexpr Duration sample_interval = std::chrono::seconds{1};

    /// Samples that come faster than the interval are not kept.
    void sample(TimePoint now, metrics::TotalsByDatabase totals);

    /// Over the last period, or since the first sample. `totals`: what is counted now.
    [[nodiscard]] Averages of(
        const std::string& database, const metrics::Totals& totals, TimePoint now
    ) const;
    /// Of all databases together.
    [[nodiscard]] Averages of_all(const metrics::Totals& totals, TimePoint now) const;

private:
    struct Sample {
        TimePoint time;
        metrics::TotalsByDatabase totals;
    };

    std::deque<Sample> samples_; // oldest first; bounded by period and interval
};

} // namespace pgweir::admin
