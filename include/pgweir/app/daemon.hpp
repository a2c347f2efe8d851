// The running pooler: threads, listeners, signals; reload, drain, stop.
#pragma once

#include <pgweir/app/live_settings.hpp>
#include <pgweir/config/load.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/front_door.hpp>
#include <pgweir/net/pool_registry.hpp>
#include <pgweir/net/spawn.hpp>
#include <pgweir/net/worker.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pgweir::app {

class Surfaces;

class Daemon {
public:
    Daemon(config::LoadRequest request, config::Settings settings);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Until a signal, or SHUTDOWN on the console. Returns the exit code.
    int run();

    // On the control thread.
    /// Problems as text; empty: the new configuration is in use.
    std::string reload();
    void drain();
    void stop_now();
    /// All pools, or those of one database. False: there is no such database.
    bool pause(bool on, const std::optional<std::string>& database = {});
    /// Fresh server connections: idle ones are closed now, the others as they come back.
    bool reconnect(const std::optional<std::string>& database);
    [[nodiscard]] bool is_ready() const { return is_ready_ && !is_draining_; }
    [[nodiscard]] bool is_draining() const { return is_draining_; }
    [[nodiscard]] std::shared_ptr<const config::Settings> settings() const { return live_.get(); }
    [[nodiscard]] admin::Access console_access(std::string_view user) const
    {
        return live_.console_access(user);
    }
    [[nodiscard]] net::PoolRegistry& pools() { return pools_; }
    [[nodiscard]] const std::vector<net::Worker*>& workers() const { return workers_; }
    [[nodiscard]] const net::FrontDoor& front_door() const { return *front_door_; }

private:
    void warm_pools();
    void close_servers(const std::vector<std::shared_ptr<net::Pool>>& pools);
    [[nodiscard]] std::vector<std::shared_ptr<net::Pool>> pools_of(
        const std::optional<std::string>& database
    ) const;
    net::Task<void> watch_signals();
    net::Task<void> wait_until_empty();
    void finish();

    config::LoadRequest request_;
    LiveSettings live_;
    std::uint32_t worker_count_;
    net::PoolRegistry pools_;

    net::asio::io_context control_io_{1};
    net::asio::io_context front_io_{1};
    net::Tasks control_tasks_{control_io_.get_executor()};
    boost::asio::basic_signal_set<net::Executor> signals_{control_io_.get_executor()};

    std::vector<net::Worker*> workers_;
    std::vector<std::unique_ptr<net::Worker>> owned_workers_;
    std::unique_ptr<net::FrontDoor> front_door_;
    std::unique_ptr<Surfaces> surfaces_; // HTTP and console
    std::thread front_thread_;

    bool is_ready_ = false;
    bool is_draining_ = false;
};

} // namespace pgweir::app
