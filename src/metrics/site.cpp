#include <pgweir/metrics/site.hpp>

#include <pgweir/metrics/exporter.hpp>
#include <pgweir/metrics/status_page.hpp>

namespace pgweir::metrics {

net::HttpHandler Site::handler()
{
    return [this](std::string path) { return answer(std::move(path)); };
}

net::Task<net::HttpResponse> Site::answer(std::string path)
{
    net::HttpResponse response;
    if (path == "/metrics") {
        response.body = to_prometheus(co_await take_snapshot());
        response.content_type = prometheus_content_type;
    } else if (path == "/healthz") {
        response = co_await healthz();
    } else if (path == "/readyz") {
        response = readyz();
    } else if (path == "/") {
        response.body = status_page(co_await take_snapshot());
        response.content_type = "text/html; charset=utf-8";
    } else {
        response.status = 404;
        response.body = "not found; there are /, /metrics, /healthz and /readyz\n";
    }
    co_return response;
}

// That this runs says that the control thread does; the workers are asked.
net::Task<net::HttpResponse> Site::healthz()
{
    const net::Inspection inspection = co_await inspector_.inspect(net::Detail::pulse);
    net::HttpResponse response;
    response.body = inspection.silent.empty() ? "ok\n" : "";
    for (const WorkerId worker : inspection.silent) {
        response.status = 503;
        response.body += "worker " + std::to_string(index_of(worker)) + " does not answer\n";
    }
    co_return response;
}

net::HttpResponse Site::readyz() const
{
    switch (read_status_().readiness) {
    case Readiness::ready: return {.status = 200, .body = "ready\n"};
    case Readiness::draining: return {.status = 503, .body = "draining\n"};
    case Readiness::starting: break;
    }
    return {.status = 503, .body = "starting\n"};
}

net::Task<Snapshot> Site::take_snapshot()
{
    Snapshot snapshot;
    snapshot.inspection = co_await inspector_.inspect(net::Detail::counts);
    snapshot.daemon = read_status_();
    snapshot.process = read_process_usage();
    co_return snapshot;
}

} // namespace pgweir::metrics
