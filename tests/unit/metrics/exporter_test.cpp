#include <pgweir/metrics/exporter.hpp>

#include "support/snapshots.hpp"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

using namespace pgweir;
using namespace pgweir::test;
using metrics::Snapshot;
using net::ClientUse;
using net::ServerUse;

namespace {

// The lines of one metric, without help and type.
std::string lines_of(const std::string& text, const std::string& name)
{
    std::istringstream lines{text};
    std::string found;
    for (std::string line; std::getline(lines, line);) {
        const std::string start = line.substr(0, line.find_first_of("{ "));
        if (start == name) found += line + '\n';
    }
    return found;
}

Snapshot snapshot_of(std::shared_ptr<net::Pool> pool, const net::PoolCounts& counts = {})
{
    Snapshot snapshot;
    snapshot.inspection = make_inspection();
    snapshot.inspection.pools.push_back({std::move(pool), counts});
    snapshot.daemon.version = "1.2.3";
    snapshot.daemon.max_client_conn = 500;
    snapshot.daemon.started_at = std::chrono::system_clock::time_point{} + std::chrono::hours{1};
    return snapshot;
}

} // namespace

TEST_CASE("metrics/exporter: clients and servers are told apart by state")
{
    net::PoolCounts counts;
    counts.of(ClientUse::active) = 3;
    counts.of(ClientUse::waiting) = 2;
    counts.of(ClientUse::idle) = 10;
    counts.of(ServerUse::lent) = 3;
    counts.of(ServerUse::recovering) = 1;
    counts.of(ServerUse::held) = 1;
    const std::string text = metrics::to_prometheus(snapshot_of(make_pool("orders", "app"), counts)
    );
    CHECK(
        lines_of(text, "pgweir_clients")
        == "pgweir_clients{database=\"orders\",user=\"app\",state=\"active\"} 3\n"
           "pgweir_clients{database=\"orders\",user=\"app\",state=\"pinned\"} 0\n"
           "pgweir_clients{database=\"orders\",user=\"app\",state=\"waiting\"} 2\n"
           "pgweir_clients{database=\"orders\",user=\"app\",state=\"idle\"} 10\n"
           "pgweir_clients{database=\"orders\",user=\"app\",state=\"closing\"} 0\n"
    );
    CHECK(
        lines_of(text, "pgweir_servers")
        == "pgweir_servers{database=\"orders\",user=\"app\",state=\"active\"} 3\n"
           "pgweir_servers{database=\"orders\",user=\"app\",state=\"being_canceled\"} 2\n"
           "pgweir_servers{database=\"orders\",user=\"app\",state=\"idle\"} 0\n"
           "pgweir_servers{database=\"orders\",user=\"app\",state=\"listening\"} 0\n"
           "pgweir_servers{database=\"orders\",user=\"app\",state=\"login\"} 0\n"
           "pgweir_servers{database=\"orders\",user=\"app\",state=\"tested\"} 0\n"
           "pgweir_servers{database=\"orders\",user=\"app\",state=\"used\"} 0\n"
    );
}

TEST_CASE("metrics/exporter: each worker has its load, its clients and those it gave away")
{
    Snapshot snapshot = snapshot_of(make_pool("orders", "app"));
    snapshot.inspection.workers = {{75, 12, 3}, {5, 0, 0}};
    const std::string text = metrics::to_prometheus(snapshot);
    CHECK(
        lines_of(text, "pgweir_worker_load")
        == "pgweir_worker_load{worker=\"0\"} 0.75\npgweir_worker_load{worker=\"1\"} 0.05\n"
    );
    CHECK(
        lines_of(text, "pgweir_worker_clients")
        == "pgweir_worker_clients{worker=\"0\"} 12\npgweir_worker_clients{worker=\"1\"} 0\n"
    );
    CHECK(
        lines_of(text, "pgweir_client_moves_total")
        == "pgweir_client_moves_total{worker=\"0\"} 3\npgweir_client_moves_total{worker=\"1\"} 0\n"
    );
}

TEST_CASE("metrics/exporter: the queue has a length and an age")
{
    const auto pool = make_pool("orders", "app");
    const Snapshot snapshot = snapshot_of(pool);
    pool::Waiter waiter{ClientId{1}, WorkerId{0}};
    waiter.start(snapshot.inspection.now - std::chrono::milliseconds{2'500});
    REQUIRE(pool->shared().enqueue(waiter) == pgweir::pool::Shared::Queued::first);
    const std::string text = metrics::to_prometheus(snapshot);
    const std::string labels = "{database=\"orders\",user=\"app\"} ";
    CHECK(lines_of(text, "pgweir_waiters") == "pgweir_waiters" + labels + "1\n");
    CHECK(
        lines_of(text, "pgweir_oldest_waiter_seconds")
        == "pgweir_oldest_waiter_seconds" + labels + "2.5\n"
    );
    CHECK(lines_of(text, "pgweir_pool_size") == "pgweir_pool_size" + labels + "20\n");
    pool->shared().withdraw(waiter);
}

TEST_CASE("metrics/exporter: counters carry their label, and the sum of all workers")
{
    const auto pool = make_pool("orders", "app");
    pool->counters(WorkerId{0}).query_timeouts.add(2);
    pool->counters(WorkerId{1}).query_timeouts.add(1);
    const std::string text = metrics::to_prometheus(snapshot_of(pool));
    CHECK(
        lines_of(text, "pgweir_timeouts_total")
            .find("pgweir_timeouts_total{database=\"orders\",user=\"app\",kind=\"query\"} 3\n")
        != std::string::npos
    );
}

TEST_CASE("metrics/exporter: errors are counted by SQLSTATE, those of logins apart")
{
    const auto pool = make_pool("orders", "app");
    pool->errors().add("22012");
    pool->errors().add("22012");
    Snapshot snapshot = snapshot_of(pool);
    snapshot.daemon.login_errors["28P01"] = 4;
    const std::string text = metrics::to_prometheus(snapshot);
    CHECK(
        lines_of(text, "pgweir_errors_total")
        == "pgweir_errors_total{database=\"orders\",user=\"app\",sqlstate=\"22012\"} 2\n"
    );
    CHECK(
        lines_of(text, "pgweir_login_errors_total")
        == "pgweir_login_errors_total{sqlstate=\"28P01\"} 4\n"
    );
}

TEST_CASE("metrics/exporter: a histogram's buckets add up, in seconds")
{
    const auto pool = make_pool("orders", "app");
    Histogram& waits = pool->counters(WorkerId{0}).wait_time;
    waits.observe(std::chrono::microseconds{50});
    waits.observe(std::chrono::milliseconds{200});
    waits.observe(std::chrono::minutes{5});
    const std::string text = metrics::to_prometheus(snapshot_of(pool));
    const std::string labels = "{database=\"orders\",user=\"app\"";
    const std::string buckets = lines_of(text, "pgweir_wait_seconds_bucket");
    CHECK(buckets.find(labels + ",le=\"0.0001\"} 1\n") != std::string::npos);
    CHECK(buckets.find(labels + ",le=\"0.25\"} 2\n") != std::string::npos);
    CHECK(buckets.find(labels + ",le=\"60\"} 2\n") != std::string::npos);
    CHECK(buckets.find(labels + ",le=\"+Inf\"} 3\n") != std::string::npos);
    CHECK(
        lines_of(text, "pgweir_wait_seconds_count")
        == "pgweir_wait_seconds_count" + labels + "} 3\n"
    );
    CHECK(lines_of(text, "pgweir_wait_seconds_sum").find("} 300.2") != std::string::npos);
}

TEST_CASE("metrics/exporter: the build and the process are described")
{
    Snapshot snapshot = snapshot_of(make_pool("orders", "app"));
    snapshot.process.cpu_time = std::chrono::milliseconds{1'500};
    snapshot.process.resident_size = 4'096;
    snapshot.inspection.silent.push_back(WorkerId{1});
    const std::string text = metrics::to_prometheus(snapshot);
    CHECK(lines_of(text, "pgweir_build_info") == "pgweir_build_info{version=\"1.2.3\"} 1\n");
    CHECK(lines_of(text, "process_start_time_seconds") == "process_start_time_seconds 3600\n");
    CHECK(lines_of(text, "process_cpu_seconds_total") == "process_cpu_seconds_total 1.5\n");
    CHECK(
        lines_of(text, "process_resident_memory_bytes") == "process_resident_memory_bytes 4096\n"
    );
    CHECK(lines_of(text, "pgweir_workers") == "pgweir_workers 2\n");
    CHECK(lines_of(text, "pgweir_silent_workers") == "pgweir_silent_workers 1\n");
}

TEST_CASE("metrics/exporter: dashboards for PgBouncer find its names")
{
    const auto pool = make_pool("orders", "app");
    pool->counters(WorkerId{0}).transactions.add(12);
    pool->counters(WorkerId{0}).query_time.observe(std::chrono::milliseconds{1'500});
    net::PoolCounts counts;
    counts.of(ClientUse::active) = 3;
    counts.of(ClientUse::idle) = 10;
    const std::string text = metrics::to_prometheus(snapshot_of(pool, counts));
    CHECK(lines_of(text, "pgbouncer_up") == "pgbouncer_up 1\n");
    CHECK(
        lines_of(text, "pgbouncer_pools_client_active_connections")
        == "pgbouncer_pools_client_active_connections{database=\"orders\",user=\"app\"} 13\n"
    );
    CHECK(
        lines_of(text, "pgbouncer_stats_totals_sql_transactions_pooled_total")
        == "pgbouncer_stats_totals_sql_transactions_pooled_total{database=\"orders\"} 12\n"
    );
    CHECK(
        lines_of(text, "pgbouncer_stats_totals_queries_duration_seconds_total")
        == "pgbouncer_stats_totals_queries_duration_seconds_total{database=\"orders\"} 1.5\n"
    );
    CHECK(
        lines_of(text, "pgbouncer_databases_pool_size")
        == "pgbouncer_databases_pool_size{name=\"orders\",host=\"db.internal\",port=\"5433\","
           "database=\"orders_on_disk\",force_user=\"\",pool_mode=\"transaction\"} 20\n"
    );
    CHECK(lines_of(text, "pgbouncer_used_clients") == "pgbouncer_used_clients 13\n");
    CHECK(
        lines_of(text, "pgbouncer_config_max_client_connections")
        == "pgbouncer_config_max_client_connections 500\n"
    );
}

TEST_CASE("metrics/exporter: no metric is declared twice, no sample given twice")
{
    Snapshot snapshot = snapshot_of(make_pool("orders", "app"));
    snapshot.inspection.pools.push_back({make_pool("orders", "report"), {}});
    std::istringstream lines{metrics::to_prometheus(snapshot)};
    std::set<std::string> seen;
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        const bool is_type = line.starts_with("# TYPE ");
        if (line.starts_with('#') && !is_type) continue;
        CHECK(seen.insert(line.substr(0, line.rfind(' '))).second);
    }
    CHECK(seen.size() > 100);
}
