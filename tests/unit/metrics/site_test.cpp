#include <pgweir/metrics/site.hpp>

#include "support/run_task.hpp"
#include "support/worker_rig.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace pgweir::test;
using metrics::DaemonStatus;
using metrics::Readiness;
using net::HttpResponse;

namespace {

HttpResponse get(
    const std::string& path,
    Readiness readiness = Readiness::ready,
    Duration deadline = std::chrono::seconds{30}
)
{
    constexpr auto stuck = std::chrono::milliseconds{1};
    net::asio::io_context io;
    WorkerRig rig{1};
    static_cast<void>(rig.pools.find_or_make({"orders", "app"}));
    if (deadline != stuck) rig.workers[0]->start();
    net::Inspector inspector{io.get_executor(), rig.pools, rig.workers, deadline};
    metrics::Site site{inspector, [readiness] {
                           DaemonStatus status;
                           status.readiness = readiness;
                           status.version = "1.2.3";
                           return status;
                       }};
    return run_task(io, site.handler()(path));
}

HttpResponse get_from_stuck(const std::string& path)
{
    return get(path, Readiness::ready, std::chrono::milliseconds{1});
}

} // namespace

TEST_CASE("metrics/site: /metrics is Prometheus' text")
{
    const HttpResponse response = get("/metrics");
    CHECK(response.status == 200);
    CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(response.body.find("\npgweir_build_info{version=\"1.2.3\"} 1\n") != std::string::npos);
    CHECK(
        response.body.find("\npgweir_pool_size{database=\"orders\",user=\"app\"} 20\n")
        != std::string::npos
    );
}

TEST_CASE("metrics/site: a stuck worker does not hold up a scrape")
{
    const HttpResponse response = get_from_stuck("/metrics");
    CHECK(response.status == 200);
    CHECK(response.body.find("\npgweir_silent_workers 1\n") != std::string::npos);
}

TEST_CASE("metrics/site: /healthz says whether every thread answers")
{
    CHECK(get("/healthz").status == 200);
    const HttpResponse ill = get_from_stuck("/healthz");
    CHECK(ill.status == 503);
    CHECK(ill.body == "worker 0 does not answer\n");
}

TEST_CASE("metrics/site: /readyz says whether new clients are welcome")
{
    CHECK(get("/readyz", Readiness::ready).status == 200);
    CHECK(get("/readyz", Readiness::starting).status == 503);
    const HttpResponse draining = get("/readyz", Readiness::draining);
    CHECK(draining.status == 503);
    CHECK(draining.body == "draining\n");
}

TEST_CASE("metrics/site: there is a page for people")
{
    const HttpResponse response = get("/");
    CHECK(response.status == 200);
    CHECK(response.content_type == "text/html; charset=utf-8");
    CHECK(response.body.find("<td>orders</td>") != std::string::npos);
}

TEST_CASE("metrics/site: other paths are not found")
{
    CHECK(get("/favicon.ico").status == 404);
    CHECK(get("/metrics/x").status == 404);
}
