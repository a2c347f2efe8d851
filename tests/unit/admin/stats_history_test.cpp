#include <pgweir/admin/stats_history.hpp>

#include <doctest/doctest.h>

using namespace pgweir;
using admin::Averages;
using admin::StatsHistory;
using metrics::Totals;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr TimePoint start = TimePoint{} + std::chrono::hours{1};

Totals with_queries(std::uint64_t count)
{
    Totals totals;
    totals.queries = count;
    return totals;
}

} // namespace

TEST_CASE("admin/stats_history: counts are a second's, times are one transaction's or query's")
{
    Totals before;
    before.transactions = 100;
    before.transaction_time = 1'000'000;
    Totals after;
    after.transactions = 120;
    after.transaction_time = 1'600'000;
    after.queries = 40;
    after.query_time = 400'000;
    after.wait_time = 5'000'000;
    after.received = 10'000;
    const Averages averages = admin::average(before, after, seconds{10});
    CHECK(averages.transactions == 2);
    CHECK(averages.transaction_time == 30'000);
    CHECK(averages.queries == 4);
    CHECK(averages.query_time == 10'000);
    CHECK(averages.wait_time == 500'000);
    CHECK(averages.received == 1'000);
}

TEST_CASE("admin/stats_history: where nothing happened there is nothing to divide by")
{
    CHECK(admin::average({}, {}, seconds{10}) == Averages{});
    CHECK(admin::average({}, with_queries(5), seconds{0}) == Averages{});
    CHECK(StatsHistory{}.of("orders", with_queries(5), start) == Averages{});
}

TEST_CASE("admin/stats_history: averages are of the last minute, not of all time")
{
    StatsHistory history;
    // A thousand a second for ten minutes, then ten a second for two.
    std::uint64_t queries = 0;
    TimePoint now = start;
    for (int i = 0; i < 600; ++i, now += seconds{1}) {
        history.sample(now, {{"orders", with_queries(queries += 1'000)}});
    }
    for (int i = 0; i < 120; ++i, now += seconds{1}) {
        history.sample(now, {{"orders", with_queries(queries += 10)}});
    }
    CHECK(history.of("orders", with_queries(queries + 10), now).queries == 10);
}

TEST_CASE("admin/stats_history: a young history averages over its own age")
{
    StatsHistory history;
    history.sample(start, {});
    history.sample(start + seconds{1}, {{"orders", with_queries(30)}});
    CHECK(history.of("orders", with_queries(60), start + seconds{2}).queries == 30);
}

TEST_CASE("admin/stats_history: samples that come too fast are not kept")
{
    StatsHistory history;
    history.sample(start, {});
    for (int i = 1; i < 1'000; ++i) {
        history.sample(start + milliseconds{i}, {{"orders", with_queries(1'000'000)}});
    }
    CHECK(history.of("orders", with_queries(100), start + seconds{1}).queries == 100);
}

TEST_CASE("admin/stats_history: all databases together")
{
    StatsHistory history;
    history.sample(start, {{"orders", with_queries(100)}, {"other", with_queries(50)}});
    CHECK(history.of_all(with_queries(250), start + seconds{10}).queries == 10);
}
