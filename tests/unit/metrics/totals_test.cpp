#include <pgweir/metrics/totals.hpp>

#include "support/snapshots.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;

TEST_CASE("metrics/totals: a counter is the sum of all threads, the front door's among them")
{
    const auto pool = make_pool("orders", "app");
    pool->counters(WorkerId{0}).queries.add(5);
    pool->counters(WorkerId{1}).queries.add(7);
    pool->front_door_counters().queries.add(1);
    CHECK(metrics::total(*pool, &pool::Counters::queries) == 13);
}

TEST_CASE("metrics/totals: a histogram is summed bucket by bucket")
{
    const auto pool = make_pool("orders", "app");
    pool->counters(WorkerId{0}).wait_time.observe(std::chrono::microseconds{50});
    pool->counters(WorkerId{1}).wait_time.observe(std::chrono::microseconds{60});
    pool->counters(WorkerId{1}).wait_time.observe(std::chrono::minutes{2});
    const auto total = metrics::total(*pool, &pool::Counters::wait_time);
    CHECK(total.buckets.front() == 2);
    CHECK(total.buckets.back() == 1);
    CHECK(total.count() == 3);
    CHECK(total.sum_us == 120'000'110);
}

TEST_CASE("metrics/totals: the users of a database are added up")
{
    const auto first = make_pool("orders", "app");
    const auto second = make_pool("orders", "report");
    const auto other = make_pool("other", "app");
    first->counters(WorkerId{0}).transactions.add(2);
    second->counters(WorkerId{0}).transactions.add(3);
    second->counters(WorkerId{0}).bytes_from_clients.add(100);
    second->counters(WorkerId{0}).bytes_to_clients.add(200);
    other->counters(WorkerId{0}).transactions.add(50);
    metrics::TotalsByDatabase totals;
    for (const auto& pool : {first, second, other}) metrics::add_to(totals, *pool);
    REQUIRE(totals.size() == 2);
    CHECK(totals["orders"].transactions == 5);
    CHECK(totals["orders"].received == 100);
    CHECK(totals["orders"].sent == 200);
    CHECK(totals["other"].transactions == 50);
}
