// The paths of the HTTP port: /metrics, /healthz, /readyz and a page to look at.
#pragma once

#include <pgweir/metrics/snapshot.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/http_server.hpp>
#include <pgweir/net/inspection.hpp>

#include <functional>
#include <string>
#include <utility>

namespace pgweir::metrics {

class Site {
public:
    using ReadStatus = std::function<DaemonStatus()>;

    /// The inspector outlives the site, and the site the server that asks it.
    Site(net::Inspector& inspector, ReadStatus read_status)
        : inspector_{inspector}, read_status_{std::move(read_status)}
    {
    }

    /// For net::HttpServer.
    [[nodiscard]] net::HttpHandler handler();

private:
    net::Task<net::HttpResponse> answer(std::string path);
    net::Task<net::HttpResponse> healthz();
    [[nodiscard]] net::HttpResponse readyz() const;
    net::Task<Snapshot> take_snapshot();

    net::Inspector& inspector_;
    ReadStatus read_status_;
};

} // namespace pgweir::metrics
