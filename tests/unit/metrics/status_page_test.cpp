#include <pgweir/metrics/status_page.hpp>

#include "support/snapshots.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace pgweir::test;

TEST_CASE("metrics/status_page: each pool has its row")
{
    metrics::Snapshot snapshot;
    snapshot.inspection = make_inspection();
    const auto pool = make_pool("orders", "app");
    pool->counters(WorkerId{0}).transactions.add(4711);
    net::PoolCounts counts;
    counts.of(net::ClientUse::waiting) = 17;
    snapshot.inspection.pools.push_back({pool, counts});
    snapshot.daemon.readiness = metrics::Readiness::draining;
    const std::string page = metrics::status_page(snapshot);
    CHECK(
        page.find("<td>orders</td><td>app</td><td>17</td><td>0</td><td>17</td>")
        != std::string::npos
    );
    CHECK(page.find("<td>4711</td>") != std::string::npos);
    CHECK(page.find("State: draining.") != std::string::npos);
}

TEST_CASE("metrics/status_page: a name cannot become markup")
{
    metrics::Snapshot snapshot;
    snapshot.inspection = make_inspection();
    snapshot.inspection.pools.push_back({make_pool("<script>", "\"&"), {}});
    const std::string page = metrics::status_page(snapshot);
    CHECK(page.find("<script>") == std::string::npos);
    CHECK(page.find("<td>&lt;script&gt;</td><td>&quot;&amp;</td>") != std::string::npos);
}

TEST_CASE("metrics/status_page: a worker that does not answer is named")
{
    metrics::Snapshot snapshot;
    snapshot.inspection = make_inspection();
    snapshot.inspection.silent.push_back(WorkerId{1});
    const std::string page = metrics::status_page(snapshot);
    CHECK(page.find("Worker 1 does not answer") != std::string::npos);
    CHECK(page.find("No client has logged in yet.") != std::string::npos);
}
