// What an operator may choose about sockets: where to listen, where PostgreSQL is, how TLS is used.
#pragma once

#include <pgweir/base/clock.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pgweir::net {

/// libpq's sslmode. Towards clients, verify_ca and verify_full ask for a client certificate.
enum class TlsMode { disable, allow, prefer, require, verify_ca, verify_full };

struct TlsOptions {
    TlsMode mode = TlsMode::disable;
    std::string cert_file{}; // PEM chain
    std::string key_file{};
    std::string ca_file{}; // "system": the trust store of the machine
    std::string crl_file{};
    std::string protocol_min = "TLSv1.2";

    friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

/// libpq's target_session_attrs: which servers of several are wanted.
enum class SessionAttrs { any, read_write, read_only, primary, standby, prefer_standby };

/// One place where PostgreSQL may be: a host name, an address, or the directory of a unix socket.
struct HostPort {
    std::string host;
    std::uint16_t port = 5432;
    std::string address{}; // hostaddr: where the host is, without asking for its name

    friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// A parsed connection string (libpq's URL or key=value form).
struct Upstream {
    std::vector<HostPort> hosts;
    SessionAttrs target_session_attrs = SessionAttrs::any;
    bool balances_hosts = false; // load_balance_hosts=random: no order
    Duration connect_timeout{};  // for each host; zero: only server_connect_timeout counts
    std::string dbname;          // empty: the name the client asked for
    std::string user;
    std::string password;
    bool has_password = false;
    TlsOptions tls{.mode = TlsMode::prefer};
    bool tls_direct = false;                // sslnegotiation=direct
    std::string channel_binding = "prefer"; // disable, prefer, require

    friend bool operator==(const Upstream&, const Upstream&) = default;
};

/// Where, as whom and how PostgreSQL is asked about roles.
struct RoleSource {
    Upstream upstream;
    std::string query; // $1 is the name

    friend bool operator==(const RoleSource&, const RoleSource&) = default;
};

/// "host:port", "[::1]:port", or an absolute directory that gets a socket file in it.
struct ListenAddress {
    std::string host; // empty for a unix socket
    std::uint16_t port = 6432;
    std::string directory; // of a unix socket: <directory>/.s.PGSQL.<port>

    friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

} // namespace pgweir::net
