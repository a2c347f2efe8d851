#include <pgweir/base/wheel.hpp>

#include "support/prng.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>

using namespace pgweir;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0 = TimePoint{} + 1h;

class Sleeper : public WheelEntry {
public:
    void on_deadline(TimePoint now) override
    {
        woken_at = now;
        ++woken_count;
    }

    TimePoint woken_at{};
    int woken_count = 0;
};

/// What a session does: it schedules itself again for a time that has passed already.
class Insomniac : public WheelEntry {
public:
    Insomniac(Wheel& wheel, TimePoint again) : wheel_{wheel}, again_{again} {}

    void on_deadline(TimePoint /*now*/) override
    {
        if (++woken_count == 1) wheel_.schedule(*this, again_);
    }

    int woken_count = 0;

private:
    Wheel& wheel_;
    TimePoint again_;
};

/// Sleeps as a worker does, until `end`, and returns how often it woke up.
int drive(Wheel& wheel, TimePoint end)
{
    int count = 0;
    for (auto next = wheel.next(); next && *next <= end; next = wheel.next()) {
        wheel.advance(*next);
        ++count;
    }
    return count;
}

} // namespace

TEST_CASE("base/wheel: nobody is woken before its time, and everybody at most a tick later")
{
    for (const Duration delay : {0ms, 1ms, 15ms, 16ms, 17ms, 100ms, 4'095ms, 4'096ms, 60'000ms}) {
        CAPTURE(delay.count());
        Wheel wheel{t0 + 7ms};
        Sleeper sleeper;
        wheel.schedule(sleeper, t0 + 7ms + delay);
        drive(wheel, t0 + 2min);
        CHECK(sleeper.woken_count == 1);
        CHECK(sleeper.woken_at >= t0 + 7ms + delay);
        CHECK(sleeper.woken_at <= t0 + 7ms + delay + Wheel::tick);
    }
}

TEST_CASE("base/wheel: an empty wheel asks for no wake-up")
{
    Wheel wheel{t0};
    CHECK_FALSE(wheel.next().has_value());

    Sleeper sleeper;
    wheel.schedule(sleeper, t0 + 1s);
    wheel.advance(t0 + 2s);
    CHECK_FALSE(wheel.next().has_value());
}

TEST_CASE("base/wheel: a deadline that moves back is woken at the earlier time")
{
    Wheel wheel{t0};
    Sleeper sleeper;
    wheel.schedule(sleeper, t0 + 1s);
    wheel.schedule(sleeper, t0 + 3s);
    drive(wheel, t0 + 1s + Wheel::tick);
    CHECK(sleeper.woken_count == 1);
}

TEST_CASE("base/wheel: a deadline that moves forward wakes once")
{
    Wheel wheel{t0};
    Sleeper sleeper;
    wheel.schedule(sleeper, t0 + 3s);
    wheel.schedule(sleeper, t0 + 1s);
    drive(wheel, t0 + 10s);
    CHECK(sleeper.woken_count == 1);
    CHECK(sleeper.woken_at <= t0 + 1s + Wheel::tick);
}

TEST_CASE("base/wheel: whoever dies is not woken")
{
    Wheel wheel{t0};
    auto sleeper = std::make_unique<Sleeper>();
    wheel.schedule(*sleeper, t0 + 1s);
    sleeper.reset();
    wheel.advance(t0 + 2s);
    CHECK_FALSE(wheel.next().has_value());
}

TEST_CASE("base/wheel: a time that has passed is woken by the next advance")
{
    Wheel wheel{t0};
    wheel.advance(t0 + 1s);
    Sleeper sleeper;
    wheel.schedule(sleeper, t0);
    CHECK(wheel.next() <= t0 + 1s + Wheel::tick);
    wheel.advance(t0 + 1s);
    CHECK(sleeper.woken_count == 1);
}

TEST_CASE("base/wheel: a past time set while being woken does not wait for a whole turn")
{
    Wheel wheel{t0};
    Insomniac insomniac{wheel, t0 + 1ms};
    wheel.schedule(insomniac, t0 + 1ms);
    wheel.advance(t0 + 1s); // nobody came by for a second
    CHECK(wheel.next() <= t0 + 1s + Wheel::tick);
    drive(wheel, t0 + 1s + Wheel::tick);
    CHECK(insomniac.woken_count == 2);
}

TEST_CASE("base/wheel: a long sleep wakes everybody who was due")
{
    Wheel wheel{t0};
    std::array<Sleeper, 100> sleepers;
    for (std::size_t i = 0; i < sleepers.size(); ++i) {
        wheel.schedule(sleepers.at(i), t0 + 100ms * static_cast<int>(i));
    }
    wheel.advance(t0 + 1h);
    for (const Sleeper& sleeper : sleepers) CHECK(sleeper.woken_count == 1);
}

TEST_CASE("base/wheel: a far deadline costs one early look a turn")
{
    Wheel wheel{t0};
    Sleeper sleeper;
    wheel.schedule(sleeper, t0 + 1min);
    CHECK(drive(wheel, t0 + 2min) <= 1min / (256 * Wheel::tick) + 2);
    CHECK(sleeper.woken_count == 1);
}

TEST_CASE("base/wheel: nobody is early, late or forgotten on any day (simulation)")
{
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        CAPTURE(seed);
        test::Prng prng{seed};
        TimePoint now = t0 + std::chrono::microseconds{prng.below(1'000'000)};
        Wheel wheel{now};
        std::array<Sleeper, 8> sleepers;
        std::array<std::optional<TimePoint>, 8> due;
        for (int step = 0; step < 500; ++step) {
            const std::size_t i = prng.below(sleepers.size());
            const auto delay = std::chrono::microseconds{
                prng.below(prng.chance(10) ? 9'000'000 : 90'000)
            };
            wheel.schedule(sleepers.at(i), now + delay);
            due.at(i) = std::min(due.at(i).value_or(TimePoint::max()), now + delay);

            now = std::max(now, prng.chance(70) ? *wheel.next() : now + delay / 2);
            wheel.advance(now);
            for (std::size_t k = 0; k < sleepers.size(); ++k) {
                Sleeper& sleeper = sleepers.at(k);
                if (sleeper.woken_count > 0) {
                    REQUIRE(due.at(k).has_value());
                    REQUIRE(*due.at(k) <= now);
                    due.at(k).reset();
                    sleeper.woken_count = 0;
                }
                if (due.at(k)) REQUIRE(*due.at(k) + Wheel::tick > now);
            }
        }
    }
}
