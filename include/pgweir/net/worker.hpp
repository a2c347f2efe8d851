// One thread: its reactor, its clients, its share of the server connections. Nothing in it is
// locked; other threads post messages.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/counter.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/base/wheel.hpp>
#include <pgweir/net/client_register.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/listener.hpp>
#include <pgweir/net/load_meter.hpp>
#include <pgweir/net/mailbox.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/reactor.hpp>
#include <pgweir/net/receipt.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/pool/core.hpp>
#include <pgweir/pool/grouping.hpp>
#include <pgweir/pool/placement.hpp>
#include <pgweir/session/audience.hpp>
#include <pgweir/session/forward.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

namespace pgweir::net {

/// What workers ask of the front door. Called on a worker's thread; must not wait.
class FrontDoorPort {
public:
    virtual void open_server(std::shared_ptr<Pool> pool, WorkerId worker) = 0;
    /// For one client, in the place of one that it was granted: for replication, if the startup
    /// packet is to have parameters; else it is a server like others, that nobody has used.
    virtual void open_for(
        std::shared_ptr<Pool> pool,
        WorkerId worker,
        ClientId client,
        std::vector<session::Settings::Entry> parameters
    ) = 0;
    /// Posts Worker::cancel_finished(serial) when the request is through, or has failed.
    virtual void send_cancel(CancelTarget target, WorkerId worker, std::uint64_t serial) = 0;
    virtual void client_left(ClientId client) = 0;
    /// Who logs in from now on has other settings to start with; `pool`: of who did it.
    virtual void defaults_changed(const Pool& pool, const session::DefaultsScope& scope) = 0;
    [[nodiscard]] virtual std::optional<RegisteredClient> find_client(std::uint32_t process_id
    ) const = 0;

protected:
    FrontDoorPort() = default;
    FrontDoorPort(const FrontDoorPort&) = default;
    FrontDoorPort& operator=(const FrontDoorPort&) = default;
    ~FrontDoorPort() = default;
};

/// All that are logged in to the PostgreSQL of a pool, in whatever database.
class SystemClients final : public session::Clientele {
public:
    SystemClients(const FrontDoorPort& front_door, const Pool& pool)
        : front_door_{front_door}, pool_{pool}
    {
    }

    [[nodiscard]] std::optional<Member> find(std::uint32_t process_id) const override;

private:
    const FrontDoorPort& front_door_;
    const Pool& pool_;
};

/// One worker's part of a pool.
struct WorkerPool {
    WorkerPool(std::shared_ptr<Pool> shared_pool, WorkerId worker, const FrontDoorPort& front_door);

    std::shared_ptr<Pool> pool;
    pool::Options options; // this worker's copy; replaced by a message
    pool::Core core;
    pool::Counters& counters;
    session::ForwardOptions forward;
    session::Knowledge knowledge;
    pool::Grouping grouping;
    SystemClients clientele;
    bool has_timeouts = false;
    session::SettingsRef proven = session::no_settings(); // the last one known to be taken
    session::Audience audience;
    std::array<std::uint64_t, 256> noted{}; // classes, each with an application: see ClassNotes
    std::unique_ptr<Listener> listener; // on the listener's worker, once somebody has asked for it
};

class Worker final : public Watched {
public:
    struct Limits {
        std::size_t hold_max = 16U << 20U; // max_packet_size
        std::uint32_t load_max = pool::load_max_default;
    };

    Worker(WorkerId id, std::vector<Worker*>& workers, FrontDoorPort& front_door, Limits limits);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void start();
    /// Ends the thread: closes everything that is still open. Call once.
    void stop();
    /// What has come since. All threads have ended.
    void drop_mail() { static_cast<void>(mailbox_.take()); }

    // From any thread.
    void adopt(LoggedInClient client);
    void adopt_server(OpenedServer opened);
    void adopt_server_for(OpenedServer opened, ClientId client);
    void open_failed(std::shared_ptr<Pool> pool, bool is_down);
    void open_failed_for(std::shared_ptr<Pool> pool, ClientId client, wire::ErrorText error);
    void post(std::function<void(Worker&)> call);
    /// Its pool owes a server to another, or may open one.
    void nudge(pool::Party& party);
    [[nodiscard]] std::size_t client_count() const
    {
        return client_count_.load(std::memory_order_relaxed);
    }
    /// Of one core, a moment ago.
    [[nodiscard]] std::uint32_t load_percent() const
    {
        return load_percent_.load(std::memory_order_relaxed);
    }
    /// How many clients it has given to other workers.
    [[nodiscard]] std::uint64_t client_move_count() const { return client_moves_.value(); }

    // The rest only on the worker's own thread.
    void on_ready(std::uint32_t events) override; // the mailbox

    [[nodiscard]] WorkerId id() const { return id_; }
    [[nodiscard]] TimePoint now() const { return now_; }
    [[nodiscard]] Reactor& reactor() { return reactor_; }
    [[nodiscard]] Wheel& wheel() { return wheel_; }
    [[nodiscard]] FrontDoorPort& front_door() { return front_door_; }
    [[nodiscard]] session::StatementTable& statements() { return statements_; }
    [[nodiscard]] std::span<std::byte> receive_buffer() { return receive_buffer_; }
    [[nodiscard]] session::Gather& to_server() { return to_server_; }
    [[nodiscard]] session::Gather& to_client() { return to_client_; }

    [[nodiscard]] WorkerPool& pool(const std::shared_ptr<Pool>& pool);
    /// Carries out what the pool's core has decided.
    void obey(WorkerPool& pool)
    {
        if (pool.core.has_commands()) obey_all(pool);
    }
    /// Takes a session or a server out of everything; freed when the batch is over.
    void bury(ClientSession& client);
    void bury(Server& server);
    /// Lends it to a client of this worker.
    void grant(Server& server, pool::Waiter& waiter);
    /// A server is lost: the pool may open another one.
    void server_lost(Server& server);
    void run_again(ClientSession& client);
    /// A server is lent: look after a while whether it still is.
    void watch_leases()
    {
        if (next_lease_look_ == TimePoint::max()) next_lease_look_ = now_ + lease_look_interval;
    }
    /// Tables or the like have changed: no worker may believe what was parsed before.
    void schema_changed(WorkerPool& pool);
    /// What this worker has learned about a database, the others need not learn again.
    void share_knowledge(WorkerPool& pool);

    // worker_listen.cpp: all of it arrives later, and in order
    void tell_listener(const WorkerPool& pool, std::function<void(Listener&)> call);
    /// `otherwise`: the client is gone; empty: then nothing.
    void tell_client(
        const WorkerPool& pool,
        const session::Subscriber& subscriber,
        std::function<void(ClientSession&)> call,
        std::function<void(Listener&)> otherwise
    );
    void tell_audiences(const WorkerPool& pool, const session::EventsRef& events);
    /// `cut`: where the client that had it goes on to hear the listener.
    void give_to_listener(Server& server, std::string cut);

    /// `receipt` is kept until PostgreSQL has been told, if there is anything to tell.
    void cancel_client(ClientId client, Receipt receipt);
    /// To a client of any worker; `sender`, one of ours, is told when it is done.
    void give_signal(const session::Signal& signal, ClientId sender);
    void cancel_finished(std::uint64_t serial);
    void configure_pools();
    void drain();
    void pools_resumed();
    void close_idle_servers(const Pool& pool);
    /// To all workers: what was opened to these hosts is to be asked again what it is.
    void doubt_hosts(const Upstream& upstream);
    void look_at_hosts(const Upstream& upstream);
    /// Its name means these addresses now, and no others.
    void leave_addresses(const HostPort& place, const std::vector<Address>& addresses);
    /// Clients go to another worker as soon as they are between two transactions. Who is not within
    /// a moment, or before the next handover, stays.
    void hand_over(const pool::Handover& handover);

    [[nodiscard]] const auto& clients() const { return clients_; }
    [[nodiscard]] const auto& servers() const { return servers_; }
    [[nodiscard]] ClientSession* find_client(ClientId client);

private:
    static constexpr Duration lease_look_interval = std::chrono::milliseconds{25};

    struct MovedServer {
        std::unique_ptr<Server> server;
        ClientId client;
        std::string cut; // for the listener, from a client
    };
    struct MovedClient {
        std::unique_ptr<ClientSession> session;
        std::unique_ptr<Server> server; // in session mode; else null
        std::shared_ptr<Pool> pool;
    };
    struct Departure {
        Server* server;
        WorkerId worker;
        ClientId client;
        std::string cut;
    };
    struct Errand {
        session::Signal signal;
        Receipt receipt;
    };
    struct LeavingClient {
        ClientId client;
        WorkerId to;
    };
    using Call = std::function<void(Worker&)>;
    using Message = std::variant<LoggedInClient, MovedServer, MovedClient, Call>;

    void run();
    static void check(Server& server);
    void forget_statements(WorkerPool& pool);
    void vacate(const std::string& database);
    [[nodiscard]] std::vector<ClientId> client_ids() const;
    [[nodiscard]] std::uint64_t new_serial();
    void one_batch();
    void tick();
    void look_at_leases();
    void run_errand(const Errand& errand);
    void pass_on(const Errand& errand, WorkerId worker);
    void receive(LoggedInClient client);
    void receive(const Call& call) { call(*this); }
    void obey_all(WorkerPool& pool);
    void grant(Server& server, ClientId client);
    void take_back(Server& server);
    [[nodiscard]] Listener& listener_of(WorkerPool& pool);
    void hear(WorkerPool& pool, const session::EventsRef& events);
    void carry_out(WorkerPool& pool, const pool::Open& command);
    void carry_out(WorkerPool& pool, const pool::Close& command);
    void carry_out(WorkerPool& pool, const pool::Grant& command);
    void carry_out(WorkerPool& pool, const pool::Refuse& command);
    void carry_out(WorkerPool& pool, const pool::Ask& command);
    void carry_out(WorkerPool& pool, const pool::Nudge& command);

    // worker_moves.cpp: from worker to worker
    void look_at_load();
    void move_server(Server& server, WorkerId worker, ClientId client);
    void move_client(ClientSession& client, Worker& to);
    void send_departures();
    [[nodiscard]] std::unique_ptr<Server> release(Server& server);
    void receive(MovedServer moved);
    void receive(MovedClient moved);
    Server& own(std::unique_ptr<Server> server);
    Server& own_opened(WorkerPool& pool, OpenedServer& opened);

    WorkerId id_;
    std::vector<Worker*>& workers_; // all of them, complete before the first starts
    FrontDoorPort& front_door_;
    Limits limits_;

    TimePoint now_;
    Reactor reactor_;
    Mailbox<Message> mailbox_;
    Wheel wheel_;
    TimePoint next_tick_{};
    TimePoint next_look_{};
    TimePoint next_lease_look_ = TimePoint::max(); // max: nobody has a server who may prove slow
    LoadMeter meter_;
    pool::Balance balance_;
    session::StatementTable statements_;
    std::vector<std::byte> receive_buffer_;
    session::Gather to_server_;
    session::Gather to_client_;

    std::unordered_map<const Pool*, std::unique_ptr<WorkerPool>> pools_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Server>> servers_; // by serial
    std::unordered_map<ClientId, std::unique_ptr<ClientSession>> clients_;
    std::vector<std::unique_ptr<Server>> dead_servers_;
    std::vector<std::unique_ptr<ClientSession>> dead_clients_;
    std::vector<ClientSession*> run_again_;
    std::vector<ClientSession*> running_again_; // empty between two batches
    std::vector<Departure> departures_;
    std::vector<LeavingClient> leaving_clients_;
    std::uint64_t next_serial_ = 0;
    std::atomic<std::size_t> client_count_{0};
    std::atomic<std::uint32_t> load_percent_{0};
    Counter client_moves_;
    bool is_draining_ = false;
    std::atomic<bool> must_stop_{false};
    std::thread thread_;
};

/// What each of them has published, in order.
[[nodiscard]] std::vector<pool::WorkerLoad> loads_of(const std::vector<Worker*>& workers);

} // namespace pgweir::net
