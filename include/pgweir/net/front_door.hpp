// Everything slow and rare, on a thread of its own: accepting, TLS handshakes, logins of clients
// and to servers, cancel requests. What comes out are logged-in connections for the workers.
#pragma once

#include <pgweir/auth/client_auth.hpp>
#include <pgweir/auth/key_cache.hpp>
#include <pgweir/base/counter.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/net/address.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/channel.hpp>
#include <pgweir/net/client_register.hpp>
#include <pgweir/net/directory.hpp>
#include <pgweir/net/lobby.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/net/pool_registry.hpp>
#include <pgweir/net/role_lookup.hpp>
#include <pgweir/net/server_login.hpp>
#include <pgweir/net/spawn.hpp>
#include <pgweir/net/tls.hpp>
#include <pgweir/net/waiters.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/wire/startup.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pgweir::net {

struct FrontDoorOptions {
    std::vector<ListenAddress> listen;
    std::uint32_t unix_socket_mode = 0777;
    std::uint32_t listen_backlog = 4'096;
    std::uint32_t max_client_conn = 10'000;
    std::uint32_t worker_load_max = pool::load_max_default;
    Duration client_login_timeout = std::chrono::seconds{60};
    Duration dns_max_ttl = std::chrono::seconds{15};
    SocketOptions socket;
    TlsOptions client_tls;
};

/// A client that has logged in to the console instead of a database.
struct ConsoleClient {
    Stream stream;
    std::string user;
    std::string address;
    Buffer early;
};

class FrontDoor final : public FrontDoorPort {
public:
    using OpenConsole = std::function<void(ConsoleClient)>; // called on the front door's thread

    FrontDoor(
        asio::io_context& io,
        FrontDoorOptions options,
        const Directory& directory,
        PoolRegistry& pools,
        std::vector<Worker*>& workers
    );
    ~FrontDoor();

    /// Binds all addresses and loads the certificates. A problem in words, or empty.
    [[nodiscard]] std::string open();
    void set_console(OpenConsole open_console) { open_console_ = std::move(open_console); }

    /// Instead of the system's; before open().
    void set_names(std::unique_ptr<NameSource> source) { names_.set_source(std::move(source)); }

    // From any thread.
    void open_server(std::shared_ptr<Pool> pool, WorkerId worker) override;
    void open_for(
        std::shared_ptr<Pool> pool,
        WorkerId worker,
        ClientId client,
        std::vector<session::Settings::Entry> parameters
    ) override;
    void send_cancel(CancelTarget target, WorkerId worker, std::uint64_t serial) override;
    void client_left(ClientId client) override;
    void defaults_changed(const Pool& pool, const session::DefaultsScope& scope) override;
    [[nodiscard]] std::optional<RegisteredClient> find_client(std::uint32_t process_id
    ) const override
    {
        return clients_by_process_id_.find(process_id);
    }
    /// Fresh servers for it: idle ones are closed, the others when they come back.
    void renew(const std::shared_ptr<Pool>& pool);
    /// No new clients from now on.
    void close_listeners();
    /// Stops the io_context once no cancel request is on its way, or at the deadline.
    void stop_when_quiet(TimePoint deadline);
    /// Certificates are read again; a problem leaves the old ones in use and is logged.
    void reload(FrontDoorOptions options);
    [[nodiscard]] std::size_t login_count() const { return logins_.load(); }
    [[nodiscard]] std::size_t client_count() const { return clients_.load(); }
    /// Of clients that were refused before they had a pool.
    [[nodiscard]] const ErrorCounts& login_errors() const { return login_errors_; }

    // For ClientLogin, on the front door's thread.
    [[nodiscard]] const Directory& directory() const { return directory_; }
    [[nodiscard]] const auth::ClientAuth& auth() const { return auth_; }
    [[nodiscard]] const FrontDoorOptions& options() const { return options_; }
    [[nodiscard]] const SslContext& listening_context() const { return listening_context_; }
    [[nodiscard]] PoolRegistry& pools() { return pools_; }
    [[nodiscard]] RoleLookup& roles() { return roles_; }
    [[nodiscard]] Lobby& lobby() { return lobby_; }
    [[nodiscard]] bool is_full() const;
    [[nodiscard]] bool is_closing() const { return is_closing_; }
    /// Over when PostgreSQL has been told, if there is anything to tell, and at `deadline` at last.
    Task<void> cancel(wire::CancelRequest request, TimePoint deadline);
    /// An empty message: the pool's welcome is known.
    Task<wire::ErrorText> ensure_welcome(std::shared_ptr<Pool> pool, TimePoint deadline);
    /// What BackendKeyData will say.
    struct Key {
        ClientId client; // its process_id_of
        std::string secret;
    };
    [[nodiscard]] Key new_key(bool is_long);
    void admit(LoggedInClient client);
    void open_console(ConsoleClient client);
    void count_refusal(std::string_view sqlstate) { login_errors_.add(sqlstate); }

private:
    struct Listener {
        Descriptor socket;
        std::unique_ptr<WaitableDescriptor> waitable;
        std::string path; // of a unix socket: removed at the end
        bool is_unix = false;
    };
    struct Opening {
        Waiters waiters;
        std::uint64_t failures = 0;
        std::uint32_t running = 0;
    };

    std::string listen_on(const ListenAddress& address);
    std::string bind_to(const Address& address);
    Task<void> accept_from(Listener* listener);
    void accept_all(Listener& listener);
    Task<void> serve(Descriptor socket, bool is_unix, std::string address);
    [[nodiscard]] ConnectRequest request_for(const Pool& pool, TimePoint started) const;
    Task<void> open_for_pool(std::shared_ptr<Pool> pool, WorkerId worker);
    Task<void> open_for_client(
        std::shared_ptr<Pool> pool,
        WorkerId worker,
        ClientId client,
        std::vector<wire::Parameter> parameters
    );
    bool try_open(const std::shared_ptr<Pool>& pool);
    Task<void> wait_for_cancels(TimePoint deadline);
    Task<void> cancel_at_server(CancelTarget target, WorkerId worker, std::uint64_t serial);
    void remember_host(const OpenedServer& server);
    Task<void> watch_names();
    void leave_addresses(const HostPort& place, const std::vector<Address>& addresses);
    void opening_ended(const Pool* pool, bool is_failed);
    [[nodiscard]] WorkerId next_worker() const;

    asio::io_context& io_;
    Tasks tasks_;
    FrontDoorOptions options_;
    const Directory& directory_;
    PoolRegistry& pools_;
    std::vector<Worker*>& workers_;
    OpenConsole open_console_;
    Lobby lobby_{io_};

    auth::KeyCache keys_;
    auth::ClientAuth auth_;
    SslContext listening_context_;
    ContextCache contexts_;
    HostMemory hosts_;
    Names names_;
    RoleLookup roles_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    ClientRegister clients_by_process_id_;
    std::unordered_map<const Pool*, Opening> openings_;
    std::uint64_t next_client_;
    std::size_t cancels_in_flight_ = 0;
    std::atomic<std::size_t> logins_{0};  // in progress
    std::atomic<std::size_t> clients_{0}; // logged in, on whichever worker
    ErrorCounts login_errors_;
    bool is_closing_ = false;
};

} // namespace pgweir::net
