#include <pgweir/pool/lanes.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0 = TimePoint{} + 1h;
constexpr ClassId a{1};

std::unique_ptr<Classes> classes() { return std::make_unique<Classes>(); }

} // namespace

TEST_CASE("pool/lanes: a class that was never seen is slow, until one of it has ended quickly")
{
    const auto all = classes();
    CHECK(all->pace_of(a) == Pace::slow);
    CHECK(all->mean_of(a) == 0s);
    CHECK(all->learn(a, 2ms, t0));
    CHECK(all->pace_of(a) == Pace::brief);
    CHECK(all->mean_of(a) == 2ms);
    CHECK(all->pace_of(ClassId{2}) == Pace::slow);
}

TEST_CASE("pool/lanes: what takes no time at all has ended, too")
{
    const auto all = classes();
    CHECK(all->learn(a, 0s, t0));
    CHECK(all->pace_of(a) == Pace::brief);
}

TEST_CASE("pool/lanes: the average is that of all, and some count for many")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 80ms, t0));
    CHECK(all->pace_of(a) == Pace::quick);
    CHECK_FALSE(all->learn(a, 80ms, t0)); // it was known not to be slow
    CHECK(all->learn(a, 200ms, t0));
    CHECK(all->mean_of(a) == 120ms);
    CHECK(all->pace_of(a) == Pace::slow);
    CHECK(all->learn(a, 10ms, t0, 18));
    CHECK(all->mean_of(a) == 25'714us);
}

TEST_CASE("pool/lanes: with each second an old one counts half as much")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 10ms, t0, 8));
    static_cast<void>(all->learn(a, 90ms, t0 + 3s)); // as one by now
    CHECK(all->mean_of(a) == 50ms);
}

TEST_CASE("pool/lanes: what was known long ago is believed, but not much")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 10ms, t0, 1'000));
    CHECK_FALSE(all->learn(a, 10ms, t0 + 10h));
    CHECK(all->mean_of(a) == 10ms);
    static_cast<void>(all->learn(a, 1s, t0 + 10h, 1'000));
    CHECK_FALSE(all->learn(a, 101s, t0 + 20h));
    CHECK(all->mean_of(a) > 80s);
}

TEST_CASE("pool/lanes: the clocks of workers may differ")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 10ms, t0 + 1s, 9));
    static_cast<void>(all->learn(a, 110ms, t0));
    CHECK(all->mean_of(a) == 20ms);
}

TEST_CASE("pool/lanes: one that is stuck makes a rare class slow at once")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 1ms, t0));
    CHECK(all->guess_slow(a, t0));
    CHECK(all->pace_of(a) == Pace::slow);
    CHECK_FALSE(all->guess_slow(a, t0)); // it was slow already
}

TEST_CASE("pool/lanes: it takes more than some that are stuck to make a busy class slow")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 1ms, t0, 2'000));
    for (int i = 0; i < 20; ++i) CHECK_FALSE(all->guess_slow(a, t0));
    CHECK(all->pace_of(a) == Pace::brief);
}

TEST_CASE("pool/lanes: a guess is put right when the end is known")
{
    const auto all = classes();
    static_cast<void>(all->learn(a, 10ms, t0));
    CHECK(all->guess_slow(a, t0));
    CHECK(all->learn_guessed(a, 110ms, t0));
    CHECK(all->mean_of(a) == 60ms);
    CHECK(all->guess_slow(a, t0));
    CHECK_FALSE(all->learn_guessed(a, 10s, t0));
    CHECK(all->mean_of(a) == 3'373'333us);
}

TEST_CASE("pool/lanes: nothing is learned of what has no class")
{
    const auto all = classes();
    CHECK_FALSE(all->learn(ClassId::none, 1ms, t0));
    CHECK_FALSE(all->guess_slow(ClassId::none, t0));
}

TEST_CASE("pool/lanes: of more classes than there is room for, some are forgotten")
{
    constexpr std::uint64_t count = 10'000;
    const auto all = classes();
    for (std::uint64_t i = 1; i <= count; ++i) static_cast<void>(all->learn(ClassId{i}, 1ms, t0));
    std::uint64_t known = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
        known += all->pace_of(ClassId{i}) == Pace::brief ? 1U : 0U;
    }
    CHECK(known == 1'024);
    CHECK(all->pace_of(ClassId{count}) == Pace::brief);
}

TEST_CASE("pool/lanes: the slow may have all but the reserve, and a quarter in any case")
{
    CHECK(slow_max(20, 0, 3) == 17);
    CHECK(slow_max(20, 0, 18) == 5);
    CHECK(slow_max(20, 0, 50) == 5);
    CHECK(slow_max(20, 4, 3) == 13); // of those that are shared
    CHECK(slow_max(20, 20, 3) == 1);
    CHECK(slow_max(20, 21, 3) == 1); // it was made smaller meanwhile
}

TEST_CASE("pool/lanes: all but the brief may have all but their reserve, which is a quarter at most"
)
{
    CHECK(long_max(20, 0, 0) == 20);
    CHECK(long_max(20, 0, 2) == 18);
    CHECK(long_max(20, 0, 9) == 15);
    CHECK(long_max(20, 8, 9) == 9); // of those that are shared
    CHECK(long_max(4, 0, 1) == 3);
    CHECK(long_max(3, 0, 1) == 3); // a small pool has no place for it
    CHECK(long_max(1, 2, 1) == 1);
}

TEST_CASE("pool/lanes: a small pool stays of use to both")
{
    CHECK(slow_max(1, 0, 1) == 1);
    CHECK(slow_max(2, 0, 1) == 1);
    CHECK(slow_max(3, 0, 1) == 2);
    CHECK(slow_max(3, 0, 3) == 1);
}

TEST_CASE("pool/lanes: quick load is what was held on average, from the first moment on")
{
    LaneLoad load;
    CHECK(load.measure(t0) == 0);
    load.add(300ms);
    load.add(700ms);
    CHECK(load.measure(t0 + 500ms) == 2'000);
    CHECK(load.measure(t0 + 1s) == 1'000);
}

TEST_CASE("pool/lanes: quick load forgets what was some seconds ago")
{
    LaneLoad load;
    static_cast<void>(load.measure(t0));
    load.add(5s);
    CHECK(load.measure(t0 + 500ms) == 10'000);
    std::uint32_t last = 0;
    for (int i = 2; i <= 6; ++i) last = load.measure(t0 + i * 500ms);
    CHECK(last == 0);
}

TEST_CASE("pool/lanes: a pool where clients keep their servers has none")
{
    CHECK(has_lanes({}));
    CHECK_FALSE(has_lanes({.mode = Mode::session}));
    CHECK_FALSE(has_lanes({.quick_reserve = 0}));
    CHECK(has_lanes({.mode = Mode::statement, .quick_reserve = 2}));
}
