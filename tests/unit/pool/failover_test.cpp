#include <pgweir/pool/core.hpp>

#include "unit/pool/rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace pgweir;
using namespace pgweir::pool;

TEST_CASE("pool/failover: who waits for a server that was there a moment ago goes on waiting")
{
    Rig rig{{.size = 2, .server_login_retry = 1s, .failover_wait = 3s}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    rig.first.lost(rig.s1, t0);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "wait");
    CHECK(commands(rig.first) == lines("open", "open"));
    rig.first.open_failed(t0, true);
    rig.first.open_failed(t0, true);
    CHECK(commands(rig.first) == lines());
    CHECK(rig.acquire(rig.second, rig.c3, t0 + 500ms) == "wait");
    rig.first.tick(t0 + 1250ms);
    CHECK(commands(rig.first) == lines("open")); // one, to see whether it is back
    rig.first.opened(rig.s2, t0 + 1250ms);
    CHECK(commands(rig.first) == lines("open", "grant s2 to c1 on w0"));
}

TEST_CASE("pool/failover: for failover_wait, and not when it is there and refuses")
{
    Rig rig{{.size = 1, .server_login_retry = 1s, .failover_wait = 3s}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    rig.first.lost(rig.s1, t0);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    rig.first.open_failed(t0, true);
    rig.first.tick(t0 + 2s);
    CHECK(commands(rig.first) == lines("open"));
    SUBCASE("for its time")
    {
        rig.first.open_failed(t0 + 3s, true);
        CHECK(commands(rig.first) == lines("refuse c1 on w0: the server cannot be reached"));
        CHECK(rig.acquire(rig.first, rig.c2, t0 + 3s) == "the server cannot be reached");
    }
    SUBCASE("it refuses")
    {
        rig.first.open_failed(t0 + 2s, false);
        CHECK(commands(rig.first) == lines("refuse c1 on w0: the server cannot be reached"));
    }
}

TEST_CASE("pool/failover: who may not wait is told at once, also while a connect is on its way")
{
    Rig rig{{.size = 2, .server_login_retry = 1s, .failover_wait = 0s}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    rig.first.lost(rig.s1, t0);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait"); // nobody knows yet
    CHECK(commands(rig.first) == lines("open"));
    rig.first.open_failed(t0, true);
    CHECK(commands(rig.first) == lines("refuse c1 on w0: the server cannot be reached"));

    constexpr const char* unreachable = "the server cannot be reached";
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 700ms) == unreachable);
    CHECK(commands(rig.first) == lines());
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1250ms) == unreachable);
    CHECK(commands(rig.first) == lines("open")); // is it back?
    CHECK(rig.acquire(rig.second, rig.c3, t0 + 1300ms) == unreachable);
    CHECK(rig.acquire(rig.first, rig.c2, t0 + 1300ms) == unreachable);
    CHECK(commands(rig.first) == lines());
    CHECK(commands(rig.second) == lines());
    rig.first.opened(rig.s2, t0 + 1400ms);
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1400ms) == "s2");
}

TEST_CASE("pool/failover: pauses between connects are not all alike, and the same for one seed")
{
    const auto pauses = [](std::uint32_t seed) {
        const Options options{.size = 1, .server_login_retry = 1s};
        Shared shared{1, options};
        Core core{shared, w0, options, seed};
        std::vector<std::int64_t> all;
        TimePoint now = t0;
        for (int i = 0; i < 50; ++i) {
            REQUIRE(shared.try_start_open());
            REQUIRE(reserve(shared));
            core.open_failed(now, false);
            Duration pause{};
            while (!shared.may_open(now + pause)) pause += 1ms;
            all.push_back(pause / 1ms);
            now += 1h;
        }
        return all;
    };
    const auto some = pauses(7);
    CHECK(some == pauses(7));
    CHECK(some != pauses(8));
    CHECK(std::ranges::min(some) >= 750);
    CHECK(std::ranges::max(some) <= 1250);
    CHECK(std::ranges::max(some) - std::ranges::min(some) > 300);
}
