// What people and their tools look at: the HTTP port and the console. Lives on the control thread.
#pragma once

#include <pgweir/app/daemon.hpp>

#include <memory>
#include <string>

namespace pgweir::app {

class Surfaces {
public:
    Surfaces(Daemon& daemon, net::asio::io_context& control_io);

    /// A problem in words, or empty.
    [[nodiscard]] std::string open_http(const std::string& address);
    void open_console(net::ConsoleClient client);

private:
    Daemon& daemon_;
    net::asio::io_context& io_;
};

} // namespace pgweir::app
