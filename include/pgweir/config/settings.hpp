// The whole configuration as one value, made of the Options of the layers below.
#pragma once

#include <pgweir/auth/options.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/pool/options.hpp>
#include <pgweir/pool/placement.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::config {

/// Changes some options of a pool: what a [….pool] table of a database or a user says.
struct PoolOverride {
    std::set<std::string> keys; // "size": only these of `values` count
    pool::Options values;

    void apply_to(pool::Options& options) const;

    friend bool operator==(const PoolOverride&, const PoolOverride&) = default;
};

struct Database {
    net::Upstream upstream;
    std::optional<std::uint32_t> max_db_connections{};
    PoolOverride pool;

    friend bool operator==(const Database&, const Database&) = default;
};

struct User {
    auth::User auth;
    std::optional<std::uint32_t> max_user_connections{};
    PoolOverride pool;

    friend bool operator==(const User&, const User&) = default;
};

struct Settings {
    std::vector<net::ListenAddress> listen{{.host = "127.0.0.1", .port = 6432, .directory = {}}};
    std::uint32_t unix_socket_mode = 0777;
    std::string http = "127.0.0.1:9930"; // empty: none
    std::uint32_t worker_threads = 0;    // 0: one for each core
    std::uint32_t worker_load_max = pool::load_max_default;
    std::uint32_t max_client_conn = 10'000;
    std::uint32_t max_db_connections = 0;   // of each database; 0: no cap
    std::uint32_t max_user_connections = 0; // of each user; 0: no cap
    std::uint32_t listen_backlog = 4'096;
    Duration client_login_timeout = std::chrono::seconds{60};
    Duration shutdown_timeout = std::chrono::seconds{30};
    Duration dns_max_ttl = std::chrono::seconds{15};
    bool tcp_keepalive = true;
    Duration tcp_keepidle = std::chrono::seconds{60};
    Duration tcp_keepintvl = std::chrono::seconds{10};
    std::uint32_t tcp_keepcnt = 3;
    Duration tcp_user_timeout = std::chrono::seconds{60};
    std::uint32_t max_packet_size = 16U << 20U; // of what we must hold: a statement to prepare
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;

    net::TlsOptions client_tls;
    net::TlsOptions server_tls = net::Upstream{}.tls; // libpq prefers TLS, and so do we
    pool::Options pool;
    auth::Method auth_method = auth::Method::scram_sha_256;
    std::string auth_query{auth::default_query}; // empty: nobody is looked up
    std::string auth_user;                       // who asks it; empty: the upstream's user
    std::vector<std::string> admin_users;        // who may use the console's commands
    std::vector<std::string> stats_users;        // who may only look

    std::optional<net::Upstream> upstream;     // for every database that is not listed
    std::map<std::string, Database> databases; // "*": every name that is not listed
    std::map<std::string, User> users;

    /// Where the database that a client asked for is, its dbname filled in. Nothing: unknown, or
    /// the console. An empty name: the upstream's own database.
    [[nodiscard]] std::optional<net::Upstream> find_upstream(std::string_view database) const;

    /// A user of the configuration, or the one of the database's upstream URL (for the console: of
    /// `upstream`). Nothing: unknown.
    [[nodiscard]] std::optional<auth::User> find_user(
        std::string_view user, std::string_view database
    ) const;

    /// Where to ask about users whose password is not known here. Its database is that of the
    /// connection string, whatever the client asked for: strangers do not choose where we log in.
    [[nodiscard]] std::optional<net::RoleSource> find_role_source(std::string_view database) const;

    /// The defaults, changed by what the database says, then by what the user says.
    [[nodiscard]] pool::Options pool_options(std::string_view database, std::string_view user)
        const;

    friend bool operator==(const Settings&, const Settings&) = default;

private:
    [[nodiscard]] const Database* find_database(std::string_view database) const;
};

/// The console's names, which no database can have.
[[nodiscard]] bool is_console(std::string_view database);

} // namespace pgweir::config
