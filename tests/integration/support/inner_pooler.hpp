// A pooler inside the test program, without a daemon round it: its clients can be sent from worker
// to worker at any time.
#pragma once

#include <pgweir/net/front_door.hpp>

#include "integration/support/libpq.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pgweir::test {

class InnerPooler {
public:
    struct Options {
        pool::Options pool{};
        std::uint32_t max_client_conn = 100;
        bool has_tls = false;
        std::vector<net::HostPort> hosts{};                        // empty: the cluster
        std::function<std::unique_ptr<net::NameSource>()> names{}; // empty: the system's
        Duration dns_max_ttl{};
    };

    explicit InnerPooler(const Options& options);
    ~InnerPooler();
    InnerPooler(const InnerPooler&) = delete;
    InnerPooler& operator=(const InnerPooler&) = delete;

    /// As app_trust. `more` is appended.
    [[nodiscard]] std::string conninfo(const std::string& more = "") const;
    [[nodiscard]] Connection connect(const std::string& more = "") const
    {
        return Connection{conninfo(more)};
    }

    /// Every client goes to the other worker as soon as it can. From any thread.
    void stir();
    /// … until at least one has arrived there.
    void move_somebody();
    [[nodiscard]] std::uint64_t move_count() const;
    [[nodiscard]] std::size_t client_count() const { return front_door_->client_count(); }
    void drain();

private:
    class Directory;

    std::uint16_t port_;
    std::unique_ptr<Directory> directory_;
    net::PoolRegistry pools_;
    net::asio::io_context front_io_{1};
    boost::asio::executor_work_guard<net::Executor> guard_;
    std::vector<net::Worker*> workers_;
    std::unique_ptr<net::FrontDoor> front_door_;
    std::vector<std::unique_ptr<net::Worker>> owned_workers_;
    std::thread front_thread_;
};

} // namespace pgweir::test
