// The whole configuration as one value, made of the Options of the layers below.
#pragma once

#include <pgweir/auth/options.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/pool/options.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::config {

/// Changes some options of a pool: what a [….pool] table of a database or a user says.
using PoolOverride = std::vector<std::function<void(pool::Options&)>>;

struct Database {
    net::Upstream upstream;
    PoolOverride pool;
};

struct User {
    auth::User auth;
    PoolOverride pool;
};

struct Settings {
    std::vector<net::ListenAddress> listen; // default: 127.0.0.1:6432
    std::uint32_t unix_socket_mode = 0777;
    std::string http; // "host:port"; empty: none. Default 127.0.0.1:9930
    std::uint32_t worker_threads = 0; // 0: one for each core
    std::uint32_t max_client_conn = 10'000;
    std::uint32_t listen_backlog = 4'096;
    Duration client_login_timeout = std::chrono::seconds{60};
    Duration shutdown_timeout = std::chrono::seconds{30};
    Duration tcp_keepidle = std::chrono::seconds{60};
    Duration tcp_user_timeout = std::chrono::seconds{60};
    std::uint32_t max_packet_size = 16U << 20U; // of what we must hold: a statement to prepare
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;

    net::TlsOptions client_tls;
    net::TlsOptions server_tls{.mode = net::TlsMode::prefer};
    pool::Options pool;
    auth::Method auth_method = auth::Method::scram_sha_256;
    std::vector<std::string> admin_users; // who may use the console's commands
    std::vector<std::string> stats_users; // who may only look

    std::optional<net::Upstream> upstream; // for every database that is not listed
    std::map<std::string, Database> databases;
    std::map<std::string, User> users;

    /// Where the database that a client asked for is, its dbname filled in. Nothing: unknown.
    [[nodiscard]] std::optional<net::Upstream> find_upstream(std::string_view database) const;

    /// A user of the configuration, or the one of an upstream URL. Nothing: unknown.
    [[nodiscard]] std::optional<auth::User> find_user(
        std::string_view user, std::string_view database
    ) const;

    /// The defaults, changed by what the database says, then by what the user says.
    [[nodiscard]] pool::Options pool_options(
        std::string_view database, std::string_view user
    ) const;
};

} // namespace pgweir::config
