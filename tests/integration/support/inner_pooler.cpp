#include <pgweir/base/log.hpp>

#include "integration/support/inner_pooler.hpp"
#include "integration/support/postgres.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>

namespace pgweir::test {

namespace {

constexpr std::uint32_t worker_count = 2;
const std::string user = "app_trust";

net::FrontDoorOptions front_door_options(const InnerPooler::Options& options, std::uint16_t port)
{
    net::FrontDoorOptions result;
    result.listen = {{.host = "127.0.0.1", .port = port, .directory = {}}};
    result.max_client_conn = options.max_client_conn;
    result.dns_max_ttl = options.dns_max_ttl;
    if (!options.has_tls) return result;
    const Identity& identity = postgres().certificates().server();
    result.client_tls.mode = net::TlsMode::require;
    result.client_tls.cert_file = identity.cert_file;
    result.client_tls.key_file = identity.key_file;
    return result;
}

} // namespace

/// The cluster, and one user who is believed.
class InnerPooler::Directory final : public net::Directory {
public:
    explicit Directory(const InnerPooler::Options& options)
        : pool_{options.pool}, hosts_{options.hosts}
    {
        if (hosts_.empty()) hosts_ = {{"127.0.0.1", postgres().port()}};
    }

    [[nodiscard]] std::optional<net::Upstream> find_upstream(std::string_view database
    ) const override
    {
        net::Upstream upstream;
        upstream.hosts = hosts_;
        upstream.dbname = database;
        upstream.user = user;
        return upstream;
    }
    [[nodiscard]] std::optional<auth::User> find_user(
        std::string_view name, std::string_view /*database*/
    ) const override
    {
        return auth::User{.name = std::string{name}, .has_password = false, .password = {}};
    }
    [[nodiscard]] pool::Options pool_options(
        std::string_view /*database*/, std::string_view /*user*/
    ) const override
    {
        return pool_;
    }
    [[nodiscard]] auth::Method auth_method() const override { return auth::Method::trust; }
    [[nodiscard]] bool may_use_console(std::string_view /*user*/) const override { return false; }

private:
    pool::Options pool_;
    std::vector<net::HostPort> hosts_;
};

InnerPooler::InnerPooler(const Options& options)
    : port_{free_port()},
      directory_{std::make_unique<Directory>(options)},
      pools_{*directory_, worker_count},
      guard_{front_io_.get_executor()},
      front_door_{std::make_unique<net::FrontDoor>(
          front_io_, front_door_options(options, port_), *directory_, pools_, workers_
      )}
{
    configure_log(LogLevel::warning, LogFormat::text);
    for (std::uint32_t i = 0; i < worker_count; ++i) {
        owned_workers_.push_back(std::make_unique<net::Worker>(
            WorkerId{i}, workers_, *front_door_, net::Worker::Limits()
        ));
        workers_.push_back(owned_workers_.back().get());
    }
    if (options.names) front_door_->set_names(options.names());
    const std::string problem = front_door_->open();
    if (!problem.empty()) throw std::runtime_error{problem};
    for (net::Worker* const worker : workers_) worker->start();
    front_thread_ = std::thread{[this] { front_io_.run(); }};
}

InnerPooler::~InnerPooler()
{
    for (const auto& worker : owned_workers_) worker->stop();
    front_door_->stop_when_quiet(std::chrono::steady_clock::now() + patience);
    front_thread_.join();
}

std::string InnerPooler::conninfo(const std::string& more) const
{
    return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=app user=" + user + " " + more;
}

void InnerPooler::stir()
{
    for (net::Worker* const worker : workers_) {
        const WorkerId other{1 - index_of(worker->id())};
        worker->post([other](net::Worker& each) { each.hand_over({other, 100}); });
    }
}

void InnerPooler::move_somebody()
{
    const std::uint64_t before = move_count();
    const auto has_moved = [&] {
        stir(); // it may not have been there before
        return move_count() > before;
    };
    wait_until(has_moved, "a client has moved");
}

std::uint64_t InnerPooler::move_count() const
{
    std::uint64_t count = 0;
    for (const net::Worker* const worker : workers_) count += worker->client_move_count();
    return count;
}

void InnerPooler::drain()
{
    for (net::Worker* const worker : workers_) {
        worker->post([](net::Worker& each) { each.drain(); });
    }
}

} // namespace pgweir::test
