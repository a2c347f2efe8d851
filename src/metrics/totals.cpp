#include <pgweir/metrics/totals.hpp>

#include <numeric>

namespace pgweir::metrics {

std::uint64_t total(const net::Pool& pool, Counter pool::Counters::* counter)
{
    std::uint64_t sum = 0;
    for (const pool::Counters& counters : pool.counters()) sum += (counters.*counter).value();
    return sum;
}

HistogramTotal total(const net::Pool& pool, Histogram pool::Counters::* histogram)
{
    HistogramTotal sum;
    for (const pool::Counters& counters : pool.counters()) {
        const Histogram& part = counters.*histogram;
        for (std::size_t i = 0; i < Histogram::bucket_count; ++i) sum.buckets[i] += part.bucket(i);
        sum.sum_us += part.sum_us();
    }
    return sum;
}

std::uint64_t HistogramTotal::count() const
{
    return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

Totals& Totals::operator+=(const Totals& other)
{
    server_assignments += other.server_assignments;
    transactions += other.transactions;
    queries += other.queries;
    received += other.received;
    sent += other.sent;
    transaction_time += other.transaction_time;
    query_time += other.query_time;
    wait_time += other.wait_time;
    client_parses += other.client_parses;
    server_parses += other.server_parses;
    binds += other.binds;
    logins += other.logins;
    return *this;
}

Totals totals_of(const net::Pool& pool)
{
    using pool::Counters;
    return {
        .server_assignments = total(pool, &Counters::server_assignments),
        .transactions = total(pool, &Counters::transactions),
        .queries = total(pool, &Counters::queries),
        .received = total(pool, &Counters::bytes_from_clients),
        .sent = total(pool, &Counters::bytes_to_clients),
        .transaction_time = total(pool, &Counters::transaction_time).sum_us,
        .query_time = total(pool, &Counters::query_time).sum_us,
        .wait_time = total(pool, &Counters::wait_time).sum_us,
        .client_parses = total(pool, &Counters::client_parses),
        .server_parses = total(pool, &Counters::server_parses),
        .binds = total(pool, &Counters::binds),
        .logins = total(pool, &Counters::logins),
    };
}

void add_to(TotalsByDatabase& totals, const net::Pool& pool)
{
    totals[pool.name().database] += totals_of(pool);
}

} // namespace pgweir::metrics
