// Tenants that share a pool: whoever floods it takes nothing from the others. A closed loop of
// clients on one worker, with a clock of its own; other workers are in pool_world.
#include <pgweir/pool/core.hpp>

#include "sim/seeds.hpp"
#include "support/prng.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

using namespace pgweir;
using namespace std::chrono_literals;

namespace {

struct Tenant {
    std::uint32_t weight;
    int clients;
    std::uint64_t hold_max; // microseconds
    Duration pause;         // between two transactions of a client
    pool::ClassId class_id = pool::ClassId::none;

    Duration held{};    // by those that are over
    Duration largest{}; // of them
    std::vector<Duration> waits{};
};

class Town {
public:
    Town(std::uint64_t seed, std::uint32_t size, std::vector<Tenant> tenants)
        : prng_{seed},
          tenants_{std::move(tenants)},
          options_{options(size)},
          shared_{1, options_},
          core_{shared_, WorkerId{0}, options_}
    {
        for (std::size_t i = 0; i < tenants_.size(); ++i) {
            for (int j = 0; j < tenants_[i].clients; ++j) move_in(i);
        }
    }
    ~Town()
    {
        for (Client& client : clients_) static_cast<void>(shared_.withdraw(client.waiter));
    }
    Town(const Town&) = delete;
    Town& operator=(const Town&) = delete;

    /// What happens next.
    void step()
    {
        const auto [at, event] = *events_.begin();
        events_.erase(events_.begin());
        now_ = at;
        event.slot == nullptr ? ask(*event.client) : finish(*event.client, *event.slot);
        obey();
    }
    [[nodiscard]] Duration time() const { return now_ - start; }
    [[nodiscard]] const Tenant& tenant(std::size_t i) const { return tenants_[i]; }
    /// With what those that have a server now have had so far.
    [[nodiscard]] Duration held(std::size_t i) const
    {
        Duration sum = tenants_[i].held;
        for (const auto& [at, event] : events_) {
            if (event.slot != nullptr && event.client->tenant == i) {
                sum += now_ - event.slot->lease.since;
            }
        }
        return sum;
    }

private:
    static constexpr TimePoint start = TimePoint{} + 1h;

    struct Client {
        Client(ClientId id, std::size_t of) : waiter{id, WorkerId{0}}, tenant{of} {}
        pool::Waiter waiter;
        std::size_t tenant;
    };
    struct Event {
        Client* client;
        pool::Slot* slot; // null: it wants one
    };

    static pool::Options options(std::uint32_t size)
    {
        pool::Options options;
        options.size = size;
        options.queue_target = {};
        options.query_wait_timeout = {};
        return options;
    }

    void move_in(std::size_t tenant)
    {
        Client& client = clients_.emplace_back(ClientId{clients_.size() + 1}, tenant);
        const pool::GroupId group{static_cast<std::uint32_t>(tenant + 1)};
        client.waiter.join_group({group, tenants_[tenant].weight});
        events_.emplace(
            start + std::chrono::microseconds{prng_.below(1'000)}, Event{&client, nullptr}
        );
    }

    void ask(Client& client)
    {
        const auto answer = core_.acquire(
            client.waiter, now_, {tenants_[client.tenant].class_id, 0, nullptr}
        );
        REQUIRE_FALSE(answer.error);
        if (answer.slot != nullptr) begin(client, *answer.slot, {});
    }

    void begin(Client& client, pool::Slot& slot, Duration waited)
    {
        Tenant& tenant = tenants_[client.tenant];
        tenant.waits.push_back(waited);
        const std::chrono::microseconds hold{1 + prng_.below(tenant.hold_max)};
        tenant.largest = std::max<Duration>(tenant.largest, hold);
        events_.emplace(now_ + hold, Event{&client, &slot});
    }

    void finish(Client& client, pool::Slot& slot)
    {
        Tenant& tenant = tenants_[client.tenant];
        tenant.held += now_ - slot.lease.since;
        events_.emplace(now_ + tenant.pause, Event{&client, nullptr});
        if (pool::Waiter* const next = core_.release(slot, now_)) granted(next->client(), slot);
    }

    void granted(ClientId id, pool::Slot& slot)
    {
        Client& client = clients_[static_cast<std::size_t>(id) - 1];
        begin(client, slot, now_ - client.waiter.since());
    }

    void obey()
    {
        while (core_.has_commands()) {
            const pool::Command command = core_.next_command();
            if (std::holds_alternative<pool::Open>(command))
                core_.opened(slots_.emplace_back(), now_);
            if (const auto* const grant = std::get_if<pool::Grant>(&command)) {
                granted(grant->to.client, *grant->slot);
            }
        }
    }

    test::Prng prng_;
    std::vector<Tenant> tenants_;
    pool::Options options_;
    pool::Shared shared_;
    pool::Core core_;
    std::deque<Client> clients_;
    std::deque<pool::Slot> slots_;
    std::multimap<TimePoint, Event> events_;
    TimePoint now_ = start;
};

Duration percentile(std::vector<Duration> waits, std::size_t percent)
{
    REQUIRE_FALSE(waits.empty());
    std::ranges::sort(waits);
    return waits[(waits.size() - 1) * percent / 100];
}

} // namespace

// What a group has had over its weight differs from that of another by no more than what was on its
// way when its turn came: a lease on each server, and the next one.
TEST_CASE("pool: two tenants that always want more have as much as they weigh")
{
    test::for_each_seed([](std::uint64_t seed) {
        test::Prng prng{seed};
        const auto size = static_cast<std::uint32_t>(1 + prng.below(12));
        const auto tenant = [&] {
            const auto clients = static_cast<int>(2 * size + 1 + prng.below(60));
            return Tenant{
                static_cast<std::uint32_t>(1 + prng.below(5)), clients, 100 + prng.below(60'000), 0s
            };
        };
        Town town{seed, size, {tenant(), tenant()}};
        const auto share = [&](std::size_t i) { return town.held(i) / town.tenant(i).weight; };
        const auto bound = [&](std::size_t i) {
            const Duration largest = std::max<Duration>(
                town.tenant(i).largest, pool::Shared::guess
            );
            return (size + 1) * largest / town.tenant(i).weight;
        };
        while (town.time() < 200ms) town.step(); // all are there
        const Duration lead = share(0) - share(1);
        while (town.time() < 10s) {
            town.step();
            const Duration difference = share(0) - share(1) - lead;
            const Duration most = 2 * (bound(0) + bound(1));
            REQUIRE(difference <= most);
            REQUIRE(-difference <= most);
        }
    });
}

TEST_CASE("pool: who asks for little hardly waits beside one who floods the pool")
{
    test::for_each_seed([](std::uint64_t seed) {
        test::Prng prng{seed};
        const auto size = static_cast<std::uint32_t>(2 + prng.below(18));
        const std::uint64_t hold_max = 1'000 + prng.below(10'000);
        const pool::ClassId class_id{prng.chance(50) ? 7U : 0U};
        const Tenant flood{1, static_cast<int>(40 * size), hold_max, 0s, class_id};
        const Tenant modest{1, 2, hold_max, 20ms, class_id};
        Town town{seed, size, {flood, modest}};
        while (town.time() < 10s) town.step();
        const Duration hold = std::chrono::microseconds{hold_max};
        CHECK(town.tenant(1).waits.size() > 400);
        CHECK(percentile(town.tenant(1).waits, 50) <= hold);
        CHECK(percentile(town.tenant(1).waits, 99) <= 2 * hold);
        CHECK(percentile(town.tenant(0).waits, 50) >= 10 * hold);
    });
}

TEST_CASE("pool: in a group all wait for equally long")
{
    test::for_each_seed([](std::uint64_t seed) {
        const Tenant large{3, 120, 4'000, 0s, pool::ClassId{7}};
        const Tenant small{1, 60, 9'000, 0s, pool::ClassId{8}};
        Town town{seed, 8, {large, small}};
        while (town.time() < 10s) town.step();
        for (const std::size_t i : {0U, 1U}) {
            const auto& waits = town.tenant(i).waits;
            const std::vector<Duration> later{waits.begin() + 1'000, waits.end()};
            CHECK(percentile(later, 99) <= percentile(later, 50) * 3 / 2);
        }
    });
}
