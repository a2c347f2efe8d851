#include <pgweir/pool/core.hpp>

#include "unit/pool/rig.hpp"

#include <doctest/doctest.h>

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
    rig.first.tick(t0 + 1s);
    CHECK(commands(rig.first) == lines("open")); // one, to see whether it is back
    rig.first.opened(rig.s2, t0 + 1s);
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
