// The pool with real threads: nothing here is clever, ThreadSanitizer is.
#include <pgweir/pool/core.hpp>

#include "support/prng.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

struct SharedSlot : Slot {
    std::uint64_t use_count = 0; // plain on purpose: two owners at once are a data race
};

// clang-format off
struct Moved   { SharedSlot* slot; ClientId client; };
struct Refused { ClientId client; };
struct Asked   {};
// clang-format on
using Message = std::variant<Moved, Refused, Asked>;

class Mailbox {
public:
    void post(const Message& message)
    {
        const std::scoped_lock lock{mutex_};
        messages_.push_back(message);
    }
    std::vector<Message> take()
    {
        const std::scoped_lock lock{mutex_};
        return std::exchange(messages_, {});
    }

private:
    std::mutex mutex_;
    std::vector<Message> messages_;
};

struct Plan {
    std::uint32_t workers = 3;
    std::size_t clients = 6;  // of each worker
    int leases = 1'000;       // of each worker
    std::uint64_t broken = 0; // percent of what comes back, or does not even open
    bool ticks = false;
    Options options;
};

struct Town {
    explicit Town(const Plan& its_plan) : plan{its_plan}, mail(plan.workers) {}

    Plan plan;
    Shared shared{plan.workers, plan.options};
    std::vector<Mailbox> mail;
    std::atomic<std::uint32_t> busy{plan.workers}; // still have leases to take
    std::atomic<std::uint64_t> uses{0};
    std::atomic<bool> is_late{false};
    TimePoint deadline = Clock::now() + 20s;
};

class Worker {
public:
    Worker(Town& town, WorkerId id)
        : town_{town}, id_{id}, prng_{index_of(id) + 1}, core_{town.shared, id, town.plan.options}
    {
        const std::uint64_t first = index_of(id) * town.plan.clients;
        for (std::size_t i = 0; i < town.plan.clients; ++i) {
            clients_.emplace_back(ClientId{first + i}, id);
        }
    }

    void run()
    {
        bool is_busy = true;
        while (town_.busy.load() > 0 && !town_.is_late.load()) {
            now_ = Clock::now();
            if (now_ > town_.deadline) town_.is_late.store(true);
            for (const Message& message : town_.mail[index_of(id_)].take()) {
                std::visit([this](const auto& each) { receive(each); }, message);
            }
            for (Client& client : clients_) live(client);
            if (town_.plan.ticks && prng_.chance(1)) core_.tick(now_);
            obey();
            if (is_busy && leases_ >= town_.plan.leases && is_quiet()) {
                is_busy = false;
                town_.busy.fetch_sub(1);
            }
            std::this_thread::yield();
        }
        for (Client& client : clients_) core_.withdraw(client.waiter);
    }

    [[nodiscard]] std::size_t idle_count() const { return core_.idle_count(); }

private:
    struct Client {
        Client(ClientId id, WorkerId worker) : waiter{id, worker} {}
        Waiter waiter;
        bool is_waiting = false;
        SharedSlot* slot = nullptr;
    };

    bool is_quiet() const
    {
        for (const Client& client : clients_) {
            if (client.is_waiting || client.slot != nullptr) return false;
        }
        return true;
    }

    void live(Client& client)
    {
        if (client.slot != nullptr) return end_lease(client);
        if (client.is_waiting) {
            const bool is_impatient = town_.plan.broken > 0 && prng_.chance(5);
            if (is_impatient && core_.withdraw(client.waiter)) client.is_waiting = false;
            return;
        }
        if (leases_ >= town_.plan.leases || prng_.chance(30)) return;
        client.waiter.join_group({static_cast<GroupId>(prng_.below(3)), 1});
        const auto answer = core_.acquire(client.waiter, now_, {ClassId{1 + prng_.below(3)}});
        if (answer.slot != nullptr) return attach(client, static_cast<SharedSlot&>(*answer.slot));
        client.is_waiting = !answer.error;
        obey();
    }

    void attach(Client& client, SharedSlot& slot)
    {
        client.is_waiting = false;
        client.slot = &slot;
        ++slot.use_count;
        ++leases_;
        town_.uses.fetch_add(1);
    }

    void end_lease(Client& client)
    {
        if (prng_.chance(30)) return; // a long transaction
        SharedSlot* const slot = std::exchange(client.slot, nullptr);
        if (prng_.chance(town_.plan.broken)) {
            core_.lost(*slot, now_);
        } else {
            Waiter* const next = core_.release(*slot, now_);
            if (next != nullptr) receive(Moved{slot, next->client()});
        }
        obey();
    }

    void obey()
    {
        while (core_.has_commands()) {
            const Command command = core_.next_command(); // it may lead to others
            std::visit([this](const auto& each) { carry_out(each); }, command);
        }
    }

    void carry_out(const Open& /*command*/)
    {
        if (prng_.chance(town_.plan.broken)) return core_.open_failed(now_, prng_.chance(50));
        core_.opened(*slots_.emplace_back(std::make_unique<SharedSlot>()), now_);
    }
    void carry_out(const Close& /*command*/) {}
    void carry_out(const Grant& command)
    {
        auto& slot = static_cast<SharedSlot&>(*command.slot);
        send(command.to.worker, Moved{&slot, command.to.client});
    }
    void carry_out(const Refuse& command) { send(command.worker, Refused{command.client}); }
    void carry_out(const Ask& command) { send(command.worker, Asked{}); }
    void carry_out(const Nudge& /*command*/) {}

    void send(WorkerId worker, const Message& message)
    {
        if (worker != id_) return town_.mail[index_of(worker)].post(message);
        std::visit([this](const auto& each) { receive(each); }, message);
    }

    void receive(const Moved& message)
    {
        Client& client = find(message.client);
        if (client.is_waiting) return attach(client, *message.slot);
        core_.take_back(*message.slot, now_);
        obey();
    }
    void receive(const Refused& message) { find(message.client).is_waiting = false; }
    void receive(const Asked& /*message*/)
    {
        core_.asked(now_);
        obey();
    }

    Client& find(ClientId id)
    {
        return clients_[static_cast<std::uint64_t>(id) % town_.plan.clients];
    }

    Town& town_;
    WorkerId id_;
    test::Prng prng_;
    Core core_;
    TimePoint now_ = Clock::now();
    std::deque<Client> clients_; // they do not move: the queue points at them
    std::vector<std::unique_ptr<SharedSlot>> slots_;
    int leases_ = 0;
};

/// Until every worker has had its leases. False: somebody waited for ever.
bool run(const Plan& plan)
{
    Town town{plan};
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::uint32_t i = 0; i < plan.workers; ++i) {
        workers.push_back(std::make_unique<Worker>(town, WorkerId{i}));
    }
    std::vector<std::thread> threads;
    for (const auto& worker : workers) threads.emplace_back([&worker] { worker->run(); });
    for (std::thread& thread : threads) thread.join();

    CHECK(town.shared.waiting() == 0);
    CHECK(town.shared.opening() == 0);
    CHECK(town.shared.total() <= plan.options.size);
    CHECK(town.uses.load() >= static_cast<std::uint64_t>(plan.leases) * plan.workers);
    return !town.is_late.load();
}

} // namespace

TEST_CASE("pool/threads: nobody is left waiting, though no tick takes a second look")
{
    CHECK(run({.options = {.size = 4}}));
}

TEST_CASE("pool/threads: a single server goes round all threads")
{
    CHECK(run({.leases = 500, .options = {.size = 1}}));
}

TEST_CASE("pool/threads: servers that break and connects that fail leave the books in order")
{
    CHECK(run({
        .broken = 10,
        .ticks = true,
        .options = {.size = 4, .server_login_retry = 100us},
    }));
}
