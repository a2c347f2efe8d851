// Users that share what a database can bear: every promise of the budgets checked on random days,
// and what a share comes to when everybody wants everything.
#include "sim/budget_world.hpp"
#include "sim/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

using namespace pgweir;
using namespace std::chrono_literals;
using test::BudgetWorld;

namespace {

void happen(BudgetWorld& world)
{
    using Event = void (BudgetWorld::*)();
    constexpr std::array<std::pair<std::uint64_t, Event>, 9> events{{
        {25, &BudgetWorld::acquire},
        {22, &BudgetWorld::release},
        {20, &BudgetWorld::deliver},
        {15, &BudgetWorld::finish_connect},
        {5, &BudgetWorld::vanish},
        {2, &BudgetWorld::lose_lent},
        {2, &BudgetWorld::lose_idle},
        {8, &BudgetWorld::tick},
        {1, &BudgetWorld::configure},
    }};
    std::uint64_t lot = world.prng().below(100);
    for (const auto& [weight, event] : events) {
        if (lot < weight) return (world.*event)();
        lot -= weight;
    }
}

/// Everybody has clients that wait, all the time. Returns how many servers were evicted.
std::uint64_t flood(BudgetWorld& world, int transactions)
{
    const std::uint64_t before = world.eviction_count();
    for (int i = 0; i < transactions; ++i) {
        for (std::size_t pool = 0; pool < world.pool_count(); ++pool) {
            while (world.waiting(pool) < 3) world.acquire(pool);
        }
        world.release();
        while (world.prng().chance(70)) world.finish_connect();
        world.deliver_all();
        world.check_books();
        world.pass(1ms);
    }
    for (int i = 0; i < 50; ++i) {
        world.finish_connect();
        world.deliver_all();
    }
    return world.eviction_count() - before;
}

} // namespace

TEST_CASE("budgets: their promises hold on any day")
{
    constexpr int steps = 2'000;
    constexpr int steps_between_rests = 100;

    std::uint64_t grants = 0;
    std::uint64_t evictions = 0;
    const std::uint64_t seeds = test::for_each_seed([&](std::uint64_t seed) {
        test::Prng chance{seed};
        constexpr std::array<Duration, 3> paces{1ms, 20ms, 300ms};
        const Duration pace = paces.at(chance.below(paces.size()));
        BudgetWorld world{
            {.databases = static_cast<std::uint32_t>(1 + chance.below(3)),
             .users = static_cast<std::uint32_t>(1 + chance.below(3)),
             .workers = static_cast<std::uint32_t>(1 + chance.below(3)),
             .failures = chance.below(3) * 10},
            seed
        };
        world.configure();
        for (int i = 1; i <= steps; ++i) {
            CAPTURE(i);
            world.pass(pace * static_cast<int>(chance.below(100)) / 100);
            happen(world);
            world.check_books();
            if (i % steps_between_rests == 0) world.quiesce();
        }
        world.wind_down();
        grants += world.grant_count();
        evictions += world.eviction_count();
    });
    MESSAGE(grants, " grants, ", evictions, " servers were evicted");
    if (test::are_many(seeds)) CHECK(evictions > seeds);
}

TEST_CASE("budgets: who floods a database shares its cap with the others, and nobody swaps servers")
{
    test::for_each_seed([](std::uint64_t seed) {
        BudgetWorld world{{.users = 3, .workers = 2}, seed};
        const pool::Options options{.size = 10, .max_db_connections = 8};
        for (std::size_t pool = 0; pool < 3; ++pool) world.configure(pool, options);
        world.deliver_all();
        for (int i = 0; i < 10; ++i) world.acquire(0); // one is there before the others
        for (int i = 0; i < 20; ++i) world.finish_connect();
        CHECK(world.held(0) == 8);

        flood(world, 100);
        for (std::size_t pool = 0; pool < 3; ++pool) {
            CHECK(world.held(pool) >= 2);
            CHECK(world.held(pool) <= 3);
        }
        CHECK(flood(world, 500) == 0);
    });
}

TEST_CASE("budgets: what is guaranteed is there for who comes late")
{
    test::for_each_seed([](std::uint64_t seed) {
        BudgetWorld world{{.users = 3}, seed};
        const pool::Options options{.size = 10, .max_db_connections = 6};
        pool::Options privileged = options;
        privileged.guaranteed_size = 4;
        for (std::size_t pool = 0; pool < 3; ++pool) {
            world.configure(pool, pool == 2 ? privileged : options);
        }
        world.deliver_all();
        for (int i = 0; i < 10; ++i) {
            world.acquire(0);
            world.acquire(1);
            world.finish_connect();
        }
        CHECK(world.held(0) == 1);
        CHECK(world.held(1) == 1);
        for (int i = 0; i < 4; ++i) world.acquire(2); // nobody has to finish for these
        for (int i = 0; i < 4; ++i) world.finish_connect();
        CHECK(world.lent(2) == 4);

        flood(world, 300);
        CHECK(world.held(2) == 4);
        CHECK(world.held(0) == 1);
        CHECK(world.held(1) == 1);
    });
}
