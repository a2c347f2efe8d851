// Everything round a pool that is not the pool: workers with their mailboxes and clocks, clients,
// servers, connects, an operator. It drives the cores as net/worker does, and keeps its own books.
#pragma once

#include <pgweir/pool/core.hpp>

#include "support/prng.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgweir::test {

enum class ServerUse {
    idle,     // the core of its worker has it
    lent,     // a client has it
    checking, // out of the stack, to be looked at
    moving,   // in the mailbox of another worker
};

struct SimServer : pool::Slot {
    WorkerId worker{};
    ServerUse use = ServerUse::idle;
};

enum class ClientDoes { nothing, waits, holds };

struct SimClient {
    SimClient(ClientId id, WorkerId worker) : waiter{id, worker} {}

    pool::Waiter waiter;
    ClientDoes does = ClientDoes::nothing;
    SimServer* server = nullptr;
};

// clang-format off
struct MovedServer { SimServer* server; ClientId client; };
struct Refusal     { ClientId client; };
struct Asked       {};
struct Configured  { pool::Options options; };
struct Resumed     {};
struct Reconnect   {}; // every server is to be replaced
// clang-format on
using Message = std::variant<MovedServer, Refusal, Asked, Configured, Resumed, Reconnect>;

class World {
public:
    explicit World(std::uint64_t seed);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    /// Something happens, and every promise that holds at any time is checked.
    void step();
    /// All messages arrive, nothing else happens: nobody may wait now who could be served.
    void quiesce();
    /// Nothing fails any more and nobody new comes: everybody is served, everything closes.
    void wind_down();

    [[nodiscard]] std::uint64_t grant_count() const { return grant_count_; }
    [[nodiscard]] std::uint64_t move_count() const { return move_count_; }
    [[nodiscard]] std::uint64_t refusal_count() const { return refusal_count_; }
    [[nodiscard]] std::uint64_t newest_first_count() const { return newest_first_count_; }
    [[nodiscard]] std::uint64_t overdue_count() const { return overdue_count_; }
    [[nodiscard]] std::uint64_t overtaking_count() const { return overtaking_count_; }
    [[nodiscard]] std::uint64_t crowded_out_count() const { return crowded_out_count_; }
    [[nodiscard]] std::uint64_t rivalry_count() const { return rivalry_count_; }

private:
    struct SimWorker {
        SimWorker(pool::Shared& shared, WorkerId self, const pool::Options& initial)
            : id{self}, options{initial}, core{shared, self, initial}
        {
        }

        WorkerId id;
        TimePoint now{};
        pool::Options options; // its copy: changes when the message arrives
        pool::Core core;
        std::uint32_t connecting = 0;
        std::vector<std::deque<Message>> mail; // one for each sender: those do not keep order
    };
    struct Row {
        pool::Lane lane;
        std::size_t group;
    };
    struct Queued {
        ClientId client;
        WorkerId worker;
        TimePoint since;
    };

    static constexpr std::size_t groups_max = 4;
    template <class Value>
    using ByRow = std::array<std::array<Value, groups_max>, pool::lanes.size()>;

    /// What a group was given, and what it had to wait beside.
    struct Account {
        std::uint32_t weight = 1;
        Duration charged{};                                     // over its weight
        Duration largest{};                                     // of its leases, likewise
        std::array<std::optional<Duration>, groups_max> lead{}; // over each, when both waited first
    };

    /// What pool::Standing must come to, by the book.
    struct Stand {
        std::optional<TimePoint> late_since;
        bool is_anybody_let_down = false;
        bool is_overloaded = false;
        int turn = 0;
    };

    // What may happen.
    void acquire();
    void release();
    void lose_lent();
    void vanish();
    void time_out();
    void finish_connect();
    void lose_idle();
    void start_check();
    void finish_check();
    void park();
    void rest();
    void look_at_leases();
    void tick();
    void tick_one(SimWorker& worker);
    void configure();
    void pause_or_resume();
    void reconnect();
    void deliver() { static_cast<void>(deliver_one()); }
    bool deliver_one();
    void end_lease(SimServer& server);

    // The driver.
    void obey(SimWorker& worker);
    void carry_out(SimWorker& worker, const pool::Open& command);
    void carry_out(SimWorker& worker, const pool::Close& command);
    void carry_out(SimWorker& worker, const pool::Grant& command);
    void carry_out(SimWorker& worker, const pool::Refuse& command);
    void carry_out(SimWorker& worker, const pool::Ask& command);
    static void carry_out(SimWorker& worker, const pool::Nudge& command);
    void receive(SimWorker& worker, const MovedServer& message);
    void receive(SimWorker& worker, const Refusal& message);
    void receive(SimWorker& worker, const Asked& message);
    void receive(SimWorker& worker, const Configured& message);
    void receive(SimWorker& worker, const Resumed& message);
    void receive(SimWorker& worker, const Reconnect& message);
    void grant(SimWorker& worker, SimServer& server, ClientId client);
    void hand_over(SimWorker& worker, SimServer& server, ClientId client);
    static void attach(SimClient& client, SimServer& server);
    void give_back(SimWorker& worker, SimServer& server);
    std::unique_ptr<SimServer> extract(SimServer& server);
    void lose(SimWorker& worker, SimServer& server);
    void tell_all(const Message& message);
    void tick_all();
    void deliver_all();

    // The books.
    void check_books();
    void check_lanes();
    void follow_lanes();
    void check_grant(WorkerId worker, ClientId client);
    void check_order_in_group(const Row& row);
    [[nodiscard]] ClientId next_for(WorkerId worker, const Row& row) const;
    [[nodiscard]] ClientId newest_for(WorkerId worker, const Row& row) const;
    void join(const Row& row, const Queued& queued, std::size_t place);
    void let_down(const Row& row) { stand_of(row).is_anybody_let_down = true; }
    [[nodiscard]] bool is_turn_of_newest(const Row& row);
    void note_wait(const Row& row, Duration wait, TimePoint now);
    void check_overdue(const SimWorker& worker, ClientId client);
    void check_deadlines(const SimWorker& worker, const Row& row) const;
    [[nodiscard]] bool is_overloaded(const Row& row) const
    {
        return stands_.at(static_cast<std::size_t>(row.lane)).at(row.group).is_overloaded
               && !queue_of(row).empty();
    }
    [[nodiscard]] Stand& stand_of(const Row& row)
    {
        return stands_.at(static_cast<std::size_t>(row.lane)).at(row.group);
    }
    [[nodiscard]] const std::deque<Queued>& queue_of(const Row& row) const
    {
        return queues_.at(static_cast<std::size_t>(row.lane)).at(row.group);
    }
    [[nodiscard]] Row row_of(const pool::Waiter& waiter) const
    {
        return {pool::lane_of(waiter.pace()), static_cast<std::size_t>(waiter.group().id)};
    }
    [[nodiscard]] Row row_of(ClientId client) const { return row_of(clients_.at(client)->waiter); }
    [[nodiscard]] static std::vector<Row> rows();
    [[nodiscard]] std::size_t size_of(pool::Lane lane) const;
    [[nodiscard]] std::size_t size_of(std::size_t group) const;
    // … and those of the groups.
    void check_crowded_out(ClientId client);
    void check_refused_when_full(const SimClient& client) const;
    void charge(const SimServer& server);
    void settle(const SimServer& server, TimePoint now);
    void check_shares();
    [[nodiscard]] std::size_t queue_size() const;
    [[nodiscard]] bool may_enter(pool::Lane lane) const;
    [[nodiscard]] bool could_enter(pool::Lane lane, pool::Lane entered) const;
    void check_waiters() const;
    void check_held() const;
    void follow_class(const Row& from);
    [[nodiscard]] bool is_queued(ClientId client) const;
    void check_nobody_is_stuck() const;
    bool take_from_queue(ClientId client);
    [[nodiscard]] std::uint32_t connecting() const;
    [[nodiscard]] std::uint32_t server_count(WorkerId worker, ServerUse use) const;

    SimWorker& worker(WorkerId id) { return *workers_[index_of(id)]; }
    SimClient* find_client(ClientId id);
    SimClient* some_client(ClientDoes does);
    SimClient& new_client();
    SimServer* some_server(ServerUse use);
    pool::Options random_options();
    SimWorker& wake(WorkerId id); // its clock goes on, most of the time
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] bool may_come_back(const SimWorker& worker) const
    {
        return shared_.may_come_back(worker.now, worker.options.failover_wait);
    }

    Prng prng_;
    std::vector<std::uint32_t> weights_; // of each thing that may happen: every seed is another day
    Duration pace_;
    std::uint64_t failures_; // percent of the connects and checks
    std::uint32_t worker_count_;
    pool::Options options_;
    pool::Shared shared_;
    TimePoint now_ = TimePoint{} + std::chrono::hours{1};
    std::vector<std::unique_ptr<SimWorker>> workers_;
    std::vector<std::unique_ptr<SimServer>> servers_;
    std::map<ClientId, std::unique_ptr<SimClient>> clients_;
    ByRow<std::deque<Queued>> queues_; // as they must be in Shared
    ByRow<Stand> stands_;
    std::array<Account, groups_max> accounts_{};
    std::size_t group_count_ = 1;
    std::size_t newcomer_ = 0; // the group of who came last
    bool is_paused_ = false;
    bool has_failed_open_ = false; // since every worker has ticked
    std::uint32_t total_before_ = 0;
    std::uint32_t opening_before_ = 0;
    std::size_t queued_before_ = 0;
    std::uint64_t next_client_ = 1;
    std::uint64_t grant_count_ = 0;
    std::uint64_t move_count_ = 0;
    std::uint64_t refusal_count_ = 0;
    std::uint64_t newest_first_count_ = 0;
    std::uint64_t overdue_count_ = 0;
    std::uint64_t overtaking_count_ = 0; // of slower ones by quicker ones
    std::uint64_t crowded_out_count_ = 0;
    std::uint64_t rivalry_count_ = 0; // how often two groups were looked at that both waited
};

} // namespace pgweir::test
