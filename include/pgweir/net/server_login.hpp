// Opens one connection to PostgreSQL: address, TLS, startup, authentication, until it is ready.
#pragma once

#include <pgweir/auth/key_cache.hpp>
#include <pgweir/base/clock.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/channel.hpp>
#include <pgweir/net/names.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/tls.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/startup.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgweir::net {

/// TLS contexts by what they were made from: reading certificates for each connection would not do.
class ContextCache {
public:
    [[nodiscard]] ContextResult get(const TlsOptions& options);
    /// The files may have changed.
    void clear() { contexts_.clear(); }

private:
    std::vector<std::pair<TlsOptions, SslContext>> contexts_;
};

/// Zero is the kernel's own choice.
struct SocketOptions {
    bool tcp_keepalive = true;
    Duration tcp_keepidle{};
    Duration tcp_keepintvl{};
    std::uint32_t tcp_keepcnt = 0;
    Duration tcp_user_timeout{};
};
/// No delay, keep-alive, and a limit on how long unacknowledged data is waited for.
void prepare_socket(int fd, const SocketOptions& options);

struct ConnectRequest {
    Upstream upstream;                       // with the user and database to log in to
    std::optional<auth::ScramKeys> keys;     // instead of a password, where SCRAM is asked for
    std::optional<HostPort> last;            // the host that was right the last time
    std::vector<wire::Parameter> parameters; // of the startup packet, beside those two
    TimePoint deadline;
    SocketOptions socket;
};

/// A logged-in connection, or what went wrong: in the server's own words where it had any.
struct ConnectOutcome {
    std::optional<OpenedServer> server;               // without its pool
    std::vector<session::Settings::Entry> parameters; // as reported, spelt as they came
    wire::ErrorText error;
    bool has_answered = false; // a server is there, and has said no: in general, to nobody else
};

/// One attempt at one address of `place`, until `request.deadline`.
Task<ConnectOutcome> log_in(
    Address address,
    HostPort place,
    ConnectRequest request,
    ContextCache& contexts,
    auth::KeyCache& keys
);

/// Tries the hosts, and the addresses of each, as libpq does, until one has the role that is
/// wanted. All but the request outlive the task.
Task<ConnectOutcome> connect_server(
    ConnectRequest request, ContextCache& contexts, auth::KeyCache& keys, Names& names
);

/// Sends one CancelRequest and waits until PostgreSQL has acted on it (it closes then).
Task<void> cancel_on_server(CancelTarget target, TimePoint deadline, ContextCache& contexts);

} // namespace pgweir::net
