// Hostile days in production: random events on some workers, every promise of the pool checked.
#include "sim/pool_world.hpp"
#include "sim/seeds.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace pgweir;

TEST_CASE("pool: its promises hold on any day")
{
    constexpr int steps = 2'000;
    constexpr int steps_between_rests = 100;

    std::uint64_t grants = 0;
    std::uint64_t moves = 0;
    std::uint64_t refusals = 0;
    std::uint64_t overtakings = 0;
    std::uint64_t newest_first = 0;
    std::uint64_t overdue = 0;
    std::uint64_t crowded_out = 0;
    std::uint64_t rivalries = 0;
    const std::uint64_t seeds = test::for_each_seed([&](std::uint64_t seed) {
        test::World world{seed};
        for (int i = 1; i <= steps; ++i) {
            CAPTURE(i);
            world.step();
            if (i % steps_between_rests == 0) world.quiesce();
        }
        world.wind_down();
        grants += world.grant_count();
        moves += world.move_count();
        refusals += world.refusal_count();
        overtakings += world.overtaking_count();
        newest_first += world.newest_first_count();
        overdue += world.overdue_count();
        crowded_out += world.crowded_out_count();
        rivalries += world.rivalry_count();
    });
    MESSAGE(grants, " grants, ", moves, " of them to another worker, ", refusals, " refusals");
    MESSAGE("slower ones were overtaken ", overtakings, " times");
    MESSAGE("the newest went first ", newest_first, " times, ", overdue, " were left behind");
    MESSAGE(crowded_out, " gave way to a smaller group; two groups waited ", rivalries, " times");
    CHECK(grants > moves);
    if (!test::are_many(seeds)) return;
    CHECK(moves > seeds); // or these days were too quiet to prove anything
    CHECK(refusals > seeds);
    CHECK(4 * overtakings > seeds); // on days of one group
    CHECK(newest_first > seeds);
    CHECK(2 * overdue > seeds);
    CHECK(crowded_out > seeds);
    CHECK(rivalries > 100 * seeds);
}
