// What people and their tools look at: the HTTP port and the console. Lives on the control thread.
#pragma once

#include <pgweir/admin/console.hpp>
#include <pgweir/app/daemon.hpp>
#include <pgweir/metrics/site.hpp>
#include <pgweir/net/http_server.hpp>
#include <pgweir/net/inspection.hpp>

#include <chrono>
#include <string>

namespace pgweir::app {

class Surfaces {
public:
    Surfaces(Daemon& daemon, net::Tasks& tasks);

    /// A problem in words, or empty.
    [[nodiscard]] std::string open_http(const std::string& address) { return http_.open(address); }
    void start() { consoles_.start(); }
    void open_console(net::ConsoleClient client) { consoles_.open(std::move(client)); }

private:
    [[nodiscard]] admin::ConsoleActions make_actions();
    [[nodiscard]] metrics::DaemonStatus status() const;
    [[nodiscard]] admin::ConfigView config() const;
    net::Task<wire::ErrorText> pause(admin::ConsoleActions::Database database);

    Daemon& daemon_;
    std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
    net::Inspector inspector_;
    metrics::Site site_;
    net::HttpServer http_;
    admin::Consoles consoles_;
};

} // namespace pgweir::app
