// Several pools that share the caps of their databases and users: workers with their mailboxes,
// clients, servers, connects. It drives the cores as net/worker does, and keeps its own books.
#pragma once

#include <pgweir/pool/budget.hpp>
#include <pgweir/pool/core.hpp>

#include "support/prng.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pgweir::test {

class BudgetWorld {
public:
    struct Plan {
        std::uint32_t databases = 1;
        std::uint32_t users = 2;
        std::uint32_t workers = 1;
        std::uint64_t failures = 0; // percent of connects
        Duration pace{};
    };

    BudgetWorld(const Plan& plan, std::uint64_t seed);
    BudgetWorld(const BudgetWorld&) = delete;
    BudgetWorld& operator=(const BudgetWorld&) = delete;
    ~BudgetWorld();

    // What may happen, to somebody.
    void acquire();
    void acquire(std::size_t pool);
    void release();
    void release(std::size_t pool);
    void vanish();
    void finish_connect();
    void lose_lent();
    void lose_idle();
    void tick();
    void deliver() { static_cast<void>(deliver_one()); }
    /// Other caps, sizes and guarantees.
    void configure();
    void configure(std::size_t pool, const pool::Options& options);
    void pass(Duration time) { now_ += time; }

    void deliver_all();
    void tick_all();
    void check_books();
    /// When all is said: nobody waits for what others have no right to.
    void quiesce();
    /// Nobody new comes: everybody is served.
    void wind_down();

    [[nodiscard]] std::size_t pool_count() const { return pools_.size(); }
    [[nodiscard]] std::uint32_t held(std::size_t pool) const;
    [[nodiscard]] std::size_t lent(std::size_t pool) const;
    [[nodiscard]] std::size_t waiting(std::size_t pool) const;
    [[nodiscard]] std::size_t connecting(std::size_t pool) const;
    [[nodiscard]] std::uint64_t grant_count() const { return grant_count_; }
    [[nodiscard]] std::uint64_t eviction_count() const { return eviction_count_; }
    [[nodiscard]] Prng& prng() { return prng_; }

private:
    enum class Use { idle, lent, moving };
    struct Server : pool::Slot {
        std::size_t pool{};
        WorkerId worker{};
        Use use = Use::idle;
    };
    struct Client {
        Client(ClientId id, WorkerId worker, std::size_t its) : waiter{id, worker}, pool{its} {}
        pool::Waiter waiter;
        std::size_t pool;
        Server* server = nullptr; // none: it waits
    };
    struct Part { // of a worker
        Part(pool::Shared& shared, WorkerId self, const pool::Options& options)
            : core{shared, self, options}
        {
        }
        pool::Core core;
        std::uint32_t connecting = 0;
    };
    struct Pool : pool::Party {
        explicit Pool(std::size_t its, std::uint32_t workers, const pool::Options& initial)
            : number{its}, options{initial}, shared{workers, initial}
        {
        }
        std::size_t number;
        std::size_t database{};
        std::size_t user{};
        pool::Options options;
        pool::Shared shared;
        std::vector<std::unique_ptr<Part>> parts;
    };
    // clang-format off
    struct Moved      { std::size_t pool; Server* server; ClientId client; };
    struct Refused    { std::size_t pool; ClientId client; };
    struct Asked      { std::size_t pool; };
    struct Nudged     { std::size_t pool; };
    struct Configured { std::size_t pool; pool::Options options; };
    // clang-format on
    using Message = std::variant<Moved, Refused, Asked, Nudged, Configured>;

    void obey(Pool& pool, WorkerId worker);
    void carry_out(Pool& pool, WorkerId worker, const pool::Open& command);
    void carry_out(Pool& pool, WorkerId worker, const pool::Close& command);
    void carry_out(Pool& pool, WorkerId worker, const pool::Grant& command);
    void carry_out(Pool& pool, WorkerId worker, const pool::Refuse& command);
    void carry_out(Pool& pool, WorkerId worker, const pool::Ask& command);
    void carry_out(Pool& pool, WorkerId worker, const pool::Nudge& command);
    void receive(WorkerId worker, const Moved& message);
    void receive(WorkerId worker, const Refused& message);
    void receive(WorkerId worker, const Asked& message);
    void receive(WorkerId worker, const Nudged& message);
    void receive(WorkerId worker, const Configured& message);
    void send(WorkerId from, WorkerId to, const Message& message);
    bool deliver_one();
    void tick_one(Pool& pool, WorkerId worker);
    void attach(ClientId client, Server& server);
    void give_back(Server& server);
    void lose(Server& server);
    void forget(Server& server);
    void end(Client& client);
    void finish_connect(Pool& pool, WorkerId worker);
    [[nodiscard]] Server* some_server(Use use, const Pool* pool = nullptr);
    [[nodiscard]] std::vector<const Pool*> sharers(const Pool& pool, bool by_database) const;
    [[nodiscard]] std::uint32_t cap(const Pool& pool, bool by_database) const;
    [[nodiscard]] std::uint32_t guaranteed(const Pool& pool, bool by_database) const;
    [[nodiscard]] std::uint32_t taken(const Pool& pool, bool by_database) const;
    [[nodiscard]] std::uint32_t promised(const Pool& pool, bool by_database) const;
    [[nodiscard]] bool has_room(const Pool& pool, bool by_database) const;
    [[nodiscard]] bool can_spare(const Pool& pool) const;
    [[nodiscard]] bool has_idle(const Pool& pool) const
    {
        return pool.shared.worker_with_idle().has_value();
    }
    void check_eviction(const Pool& pool) const;
    [[nodiscard]] bool is_kept_for_another(const Pool& pool) const;
    void check_waits(const Pool& pool) const;
    [[nodiscard]] pool::Options random_options();
    Part& part(Pool& pool, WorkerId worker) { return *pool.parts[index_of(worker)]; }

    Prng prng_;
    Plan plan_;
    TimePoint now_ = TimePoint{} + std::chrono::hours{1};
    pool::Budgets budgets_;
    std::vector<std::uint32_t> database_caps_;
    std::vector<std::uint32_t> user_caps_;
    std::vector<std::unique_ptr<Pool>> pools_;
    std::vector<std::unique_ptr<Server>> servers_;
    std::map<ClientId, std::unique_ptr<Client>> clients_;
    std::vector<std::deque<Message>> mail_; // from each worker to each
    std::map<std::pair<bool, std::size_t>, std::uint32_t> promised_before_;
    std::uint64_t next_client_ = 1;
    std::uint64_t grant_count_ = 0;
    std::uint64_t eviction_count_ = 0;
};

} // namespace pgweir::test
