// What a pool has counted on all threads together, as plain numbers.
#pragma once

#include <pgweir/net/pool.hpp>
#include <pgweir/pool/counters.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pgweir::metrics {

[[nodiscard]] std::uint64_t total(const net::Pool& pool, Counter pool::Counters::* counter);

struct HistogramTotal {
    std::array<std::uint64_t, Histogram::bucket_count> buckets{}; // each for itself
    std::uint64_t sum_us = 0;

    [[nodiscard]] std::uint64_t count() const;
};
[[nodiscard]] HistogramTotal total(const net::Pool& pool, Histogram pool::Counters::* histogram);

/// The numbers that PgBouncer's STATS are made of. Times are microseconds.
struct Totals {
    std::uint64_t server_assignments = 0;
    std::uint64_t transactions = 0;
    std::uint64_t queries = 0;
    std::uint64_t received = 0; // bytes from clients
    std::uint64_t sent = 0;     // bytes to clients
    std::uint64_t transaction_time = 0;
    std::uint64_t query_time = 0;
    std::uint64_t wait_time = 0;
    std::uint64_t client_parses = 0;
    std::uint64_t server_parses = 0;
    std::uint64_t binds = 0;
    std::uint64_t logins = 0;

    Totals& operator+=(const Totals& other);
    friend bool operator==(const Totals&, const Totals&) = default;
};
[[nodiscard]] Totals totals_of(const net::Pool& pool);

using TotalsByDatabase = std::map<std::string, Totals>;
void add_to(TotalsByDatabase& totals, const net::Pool& pool);

} // namespace pgweir::metrics
