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

    const std::uint64_t only = test::setting("PGWEIR_SIM_SEED", 0);
    const std::uint64_t first = only > 0 ? only : 1;
    const std::uint64_t last = only > 0 ? only : test::setting("PGWEIR_SIM_SEEDS", 200);
    std::uint64_t grants = 0;
    std::uint64_t moves = 0;
    std::uint64_t refusals = 0;
    std::uint64_t overtakings = 0;
    std::uint64_t newest_first = 0;
    std::uint64_t overdue = 0;
    std::uint64_t crowded_out = 0;
    std::uint64_t rivalries = 0;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
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
    }
    MESSAGE(grants, " grants, ", moves, " of them to another worker, ", refusals, " refusals");
    MESSAGE("slower ones were overtaken ", overtakings, " times");
    MESSAGE("the newest went first ", newest_first, " times, ", overdue, " were left behind");
    MESSAGE(crowded_out, " gave way to a smaller group; two groups waited ", rivalries, " times");
    CHECK(grants > moves);
    if (only > 0) return;
    CHECK(moves > last); // or these days were too quiet to prove anything
    CHECK(refusals > last);
    CHECK(4 * overtakings > last); // on days of one group
    CHECK(newest_first > last);
    CHECK(2 * overdue > last);
    CHECK(crowded_out > last);
    CHECK(rivalries > 100 * last);
}
