#include <pgweir/app/daemon.hpp>

#include <pgweir/base/log.hpp>

#include "surfaces.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <pthread.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <utility>

namespace pgweir::app {

using Clock = std::chrono::steady_clock;

namespace {

std::uint32_t choose_worker_count(std::uint32_t asked)
{
    return asked > 0 ? asked : std::max(1U, std::thread::hardware_concurrency());
}

net::FrontDoorOptions front_door_options(const config::Settings& settings)
{
    net::FrontDoorOptions options;
    options.listen = settings.listen;
    options.unix_socket_mode = settings.unix_socket_mode;
    options.listen_backlog = settings.listen_backlog;
    options.max_client_conn = settings.max_client_conn;
    options.worker_load_max = settings.worker_load_max;
    options.client_login_timeout = settings.client_login_timeout;
    options.dns_max_ttl = settings.dns_max_ttl;
    options.socket.tcp_keepalive = settings.tcp_keepalive;
    options.socket.tcp_keepidle = settings.tcp_keepidle;
    options.socket.tcp_keepintvl = settings.tcp_keepintvl;
    options.socket.tcp_keepcnt = settings.tcp_keepcnt;
    options.socket.tcp_user_timeout = settings.tcp_user_timeout;
    options.client_tls = settings.client_tls;
    return options;
}

// Each client and each server is a descriptor: take all that we may have.
void raise_descriptor_limit(const config::Settings& settings)
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    constexpr rlim_t others = 200;
    if (limit.rlim_cur >= settings.max_client_conn + others) return;
    log(LogLevel::warning,
        "few_descriptors",
        {{"limit", limit.rlim_cur},
         {"max_client_conn", settings.max_client_conn},
         {"hint", "raise the limit of open files (ulimit -n, LimitNOFILE)"}});
}

} // namespace

Daemon::Daemon(config::LoadRequest request, config::Settings settings)
    : request_{std::move(request)},
      live_{std::move(settings)},
      worker_count_{choose_worker_count(live_.get()->worker_threads)},
      pools_{live_, worker_count_}
{
}

Daemon::~Daemon() { finish(); }

int Daemon::run()
{
    const auto settings = live_.get();
    raise_descriptor_limit(*settings);
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c): cannot fail for SIGPIPE

    surfaces_ = std::make_unique<Surfaces>(*this, control_tasks_);
    front_door_ = std::make_unique<net::FrontDoor>(
        front_io_, front_door_options(*settings), live_, pools_, workers_
    );
    front_door_->set_console([this](net::ConsoleClient client) {
        auto shared = std::make_shared<net::ConsoleClient>(std::move(client));
        net::asio::post(control_io_, [this, shared] {
            surfaces_->open_console(std::move(*shared));
        });
    });
    for (std::uint32_t i = 0; i < worker_count_; ++i) {
        const net::Worker::Limits limits{settings->max_packet_size, settings->worker_load_max};
        owned_workers_.push_back(
            std::make_unique<net::Worker>(WorkerId{i}, workers_, *front_door_, limits)
        );
        workers_.push_back(owned_workers_.back().get());
    }
    std::string problem = front_door_->open();
    if (problem.empty() && !settings->http.empty()) problem = surfaces_->open_http(settings->http);
    if (!problem.empty()) {
        log(LogLevel::error, "start_failed", {{"reason", problem}});
        return 1;
    }
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) signals_.add(signal);
    for (net::Worker* const worker : workers_) worker->start();
    front_thread_ = std::thread{[this] {
        pthread_setname_np(pthread_self(), "front-door");
        const auto guard = net::asio::make_work_guard(front_io_);
        front_io_.run();
    }};
    surfaces_->start();
    control_tasks_.spawn("signals", watch_signals());
    warm_pools();
    is_ready_ = true;
    log(LogLevel::info, "ready", {{"workers", worker_count_}, {"version", PGWEIR_VERSION}});
    sd_notify(0, "READY=1");
    control_io_.run();
    finish();
    log(LogLevel::info, "stopped");
    return 0;
}

net::Task<void> Daemon::watch_signals()
{
    for (;;) {
        const auto [error, signal] = co_await signals_.async_wait(net::use_task);
        if (error) co_return;
        switch (signal) {
        case SIGHUP: static_cast<void>(reload()); break; // its problems are in the log
        case SIGUSR1: pause(true); break;
        case SIGUSR2: pause(false); break;
        default:
            if (is_draining_) {
                stop_now();
                co_return;
            }
            drain();
        }
    }
}

void Daemon::warm_pools()
{
    const auto settings = live_.get();
    std::vector<net::Pool::Name> names;
    const auto add = [&](const std::string& database, const net::Upstream& upstream) {
        if (!upstream.user.empty()) names.push_back({database, upstream.user});
    };
    if (settings->upstream) add(settings->upstream->dbname, *settings->upstream);
    for (const auto& [name, database] : settings->databases) {
        if (name != "*") add(name, database.upstream);
    }
    for (const net::Pool::Name& name : names) {
        if (settings->pool_options(name.database, name.user).min_size == 0) continue;
        if (auto pool = pools_.find_or_make(name)) {
            workers_.front()->post([pool](net::Worker& worker) {
                static_cast<void>(worker.pool(pool)); // its next tick opens the connections
            });
        }
    }
}

std::string Daemon::reload()
{
    sd_notify(0, "RELOADING=1");
    const config::LoadResult result = config::load(request_);
    for (const config::Problem& warning : result.warnings) {
        log(LogLevel::warning, "config_warning", {{"problem", warning.to_string()}});
    }
    std::string problems;
    for (const config::Problem& problem : result.problems) {
        log(LogLevel::error, "reload_failed", {{"problem", problem.to_string()}});
        problems += problem.to_string() + '\n';
    }
    if (result.settings) {
        configure_log(result.settings->log_level, result.settings->log_format);
        live_.replace(*result.settings);
        close_servers(pools_.configure());
        for (net::Worker* const worker : workers_) {
            worker->post([](net::Worker& each) { each.configure_pools(); });
        }
        front_door_->reload(front_door_options(*result.settings));
        warm_pools();
        log(LogLevel::info, "reloaded");
    }
    sd_notify(0, "READY=1");
    return problems;
}

void Daemon::close_servers(const std::vector<std::shared_ptr<net::Pool>>& pools)
{
    for (const auto& pool : pools) front_door_->renew(pool);
}

std::vector<std::shared_ptr<net::Pool>> Daemon::pools_of(const std::optional<std::string>& database
) const
{
    std::vector<std::shared_ptr<net::Pool>> pools = pools_.all();
    std::erase_if(pools, [&](const auto& pool) {
        return database && pool->name().database != *database;
    });
    return pools;
}

bool Daemon::pause(bool on, const std::optional<std::string>& database)
{
    const auto pools = pools_of(database);
    if (database && pools.empty()) return false;
    for (const auto& pool : pools) pool->shared().pause(on);
    log(LogLevel::info, on ? "paused" : "resumed", {{"database", database.value_or("all")}});
    if (on) return true;
    for (net::Worker* const worker : workers_) {
        worker->post([](net::Worker& each) { each.pools_resumed(); });
    }
    return true;
}

bool Daemon::reconnect(const std::optional<std::string>& database)
{
    const auto pools = pools_of(database);
    if (database && pools.empty()) return false;
    close_servers(pools);
    return true;
}

void Daemon::drain()
{
    if (is_draining_) return;
    is_draining_ = true;
    log(LogLevel::info, "draining", {{"clients", front_door_->client_count()}});
    sd_notify(0, "STOPPING=1");
    const auto pools = pools_.all();
    const bool is_paused = std::ranges::any_of(pools, [](const auto& pool) {
        return pool->shared().is_paused();
    });
    if (is_paused) pause(false); // whoever waits there must come to an end
    front_door_->close_listeners();
    for (net::Worker* const worker : workers_) {
        worker->post([](net::Worker& each) { each.drain(); });
    }
    control_tasks_.spawn("drain", wait_until_empty());
}

net::Task<void> Daemon::wait_until_empty()
{
    constexpr Duration look_again = std::chrono::milliseconds{20};

    const TimePoint deadline = Clock::now() + live_.get()->shutdown_timeout;
    net::Timer timer{control_io_.get_executor()};
    // Who is logging in is let go.
    while (front_door_->client_count() > 0 && Clock::now() < deadline) {
        timer.expires_after(look_again);
        co_await timer.async_wait(net::use_task);
    }
    stop_now();
}

void Daemon::stop_now()
{
    log(LogLevel::info, "stopping", {{"clients", front_door_->client_count()}});
    control_io_.stop();
}

// Workers say good-bye to their clients and servers, and have what still runs cancelled; the front
// door sees that through for a moment. Logins just end.
void Daemon::finish()
{
    constexpr Duration cancel_grace = std::chrono::seconds{1};

    for (const auto& worker : owned_workers_) worker->stop();
    if (front_door_) front_door_->stop_when_quiet(Clock::now() + cancel_grace);
    if (front_thread_.joinable()) front_thread_.join();
    for (const auto& worker : owned_workers_) worker->drop_mail(); // some of it tells the others
}

} // namespace pgweir::app
