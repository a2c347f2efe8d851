#include <pgweir/pool/core.hpp>

#include "unit/pool/rig.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <variant>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

TEST_CASE("pool/core: the first client has a server opened and gets it")
{
    Rig rig{{.size = 1}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    rig.first.opened(rig.s1, t0 + 5ms);
    CHECK(commands(rig.first) == lines("grant s1 to c1 on w0"));
}

TEST_CASE("pool/core: an idle server is given at once, without a command")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(commands(rig.first) == lines());
    CHECK(rig.shared.idle(w0) == 0);
}

TEST_CASE("pool/core: a server given back goes to the client that has waited longest")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(rig.acquire(rig.second, rig.c3, t0 + 1ms) == "wait");
    CHECK(rig.acquire(rig.first, rig.c2, t0 + 1s) == "wait");
    CHECK(rig.first.release(rig.s1, t0 + 2s) == nullptr);
    CHECK(commands(rig.first) == lines("grant s1 to c3 on w1"));
}

TEST_CASE("pool/core: a server goes from hand to hand between clients of one worker")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "wait");
    CHECK(rig.first.release(rig.s1, t0) == &rig.c2);
    CHECK(commands(rig.first) == lines());
    CHECK(rig.first.release(rig.s1, t0) == nullptr);
    CHECK(rig.first.idle_count() == 1);
}

TEST_CASE("pool/core: the last used server is lent first, its caches are warm")
{
    Rig rig{{.size = 2}};
    rig.open(rig.s1);
    rig.open(rig.s2);
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1s) == "s2");
    CHECK(rig.acquire(rig.first, rig.c2, t0 + 1s) == "s1");
}

TEST_CASE("pool/core: a server whose client may be back in a moment is lent after others")
{
    Rig rig{{.size = 3}};
    for (Slot* slot : {&rig.s1, &rig.s2, &rig.s3}) rig.open(*slot);
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1s) == "s3");
    CHECK(rig.first.release(rig.s3, t0 + 2s) == nullptr);
    CHECK(rig.acquire(rig.first, rig.c2, t0 + 2s) == "s2");
    CHECK(rig.first.release(rig.s2, t0 + 2s) == nullptr);
    CHECK(rig.acquire(rig.first, rig.c3, t0 + 2s) == "s1");
    CHECK(rig.first.release(rig.s1, t0 + 2s) == nullptr);
    CHECK(rig.acquire(rig.first, rig.c4, t0 + 2s) == "s3"); // who was there is the longest away
}

TEST_CASE("pool/core: a server with the client's settings is lent before a warmer one")
{
    Rig rig{{.size = 3}};
    rig.s2.state_hash = 7;
    for (Slot* slot : {&rig.s1, &rig.s2, &rig.s3}) rig.open(*slot);
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1s, 7) == "s2");
    CHECK(rig.acquire(rig.first, rig.c2, t0 + 1s, 7) == "s3");
}

TEST_CASE("pool/core: a worker without idle servers asks the one that has some")
{
    Rig rig{{.size = 2}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.second) == lines("ask w0"));
    rig.first.asked(t0);
    CHECK(commands(rig.first) == lines("grant s1 to c3 on w1"));
}

TEST_CASE("pool/core: whoever is asked in vain opens a server")
{
    Rig rig{{.size = 2}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.second) == lines("ask w0"));
    rig.first.forget_idle(rig.s1);
    rig.first.asked(t0);
    CHECK(commands(rig.first) == lines("open"));
}

TEST_CASE("pool/core: no more connects are on their way than allowed, or than clients wait")
{
    Rig rig{{.size = 10, .connect_parallel_max = 2}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.second) == lines("open"));
    CHECK(rig.acquire(rig.second, rig.c4, t0) == "wait");
    CHECK(commands(rig.second) == lines());

    rig.first.opened(rig.s1, t0);
    CHECK(commands(rig.first) == lines("open", "grant s1 to c1 on w0"));
    CHECK(rig.first.release(rig.s1, t0) == nullptr);
    CHECK(commands(rig.first) == lines("grant s1 to c3 on w1"));
}

TEST_CASE("pool/core: a full queue refuses the next client at once")
{
    Rig rig{{.size = 1, .max_waiting = 1}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "too many clients are waiting already");
}

TEST_CASE("pool/core: when the only connect fails, whoever waits is told so")
{
    Rig rig{{.size = 2}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    CHECK(commands(rig.second) == lines("open"));
    rig.first.open_failed(t0, true);
    CHECK(commands(rig.first) == lines()); // there is still the other one
    rig.second.open_failed(t0, true);
    CHECK(
        commands(rig.second)
        == lines(
            "refuse c1 on w0: the server cannot be reached",
            "refuse c3 on w1: the server cannot be reached"
        )
    );
}

TEST_CASE("pool/core: after a failed connect clients are refused at once, until the retry is due")
{
    Rig rig{{.size = 1, .server_login_retry = 1s}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    rig.first.open_failed(t0, true);
    static_cast<void>(commands(rig.first)); // its refusal
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 749ms) == "the server cannot be reached");
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1250ms) == "wait");
    CHECK(commands(rig.first) == lines("open"));
}

TEST_CASE("pool/core: a server lost while somebody waits is replaced")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.second) == lines());
    rig.first.lost(rig.s1, t0);
    CHECK(commands(rig.first) == lines("open"));
}

TEST_CASE("pool/core: a paused pool lends nothing, and resumes with the first in the queue")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    rig.shared.pause(true);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "wait");
    CHECK(commands(rig.first) == lines());
    rig.shared.pause(false);
    rig.first.asked(t0);
    CHECK(commands(rig.first) == lines("grant s1 to c1 on w0"));
}

TEST_CASE("pool/core: a withdrawn client is not served")
{
    Rig rig{{.size = 1}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    CHECK(rig.first.withdraw(rig.c1));
    rig.first.opened(rig.s1, t0);
    CHECK(commands(rig.first) == lines());
    CHECK(rig.first.idle_count() == 1);
}

TEST_CASE("pool/core: a client cannot withdraw when a server is on its way to it")
{
    Rig rig{{.size = 1}};
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    rig.first.opened(rig.s1, t0);
    CHECK_FALSE(rig.first.withdraw(rig.c1));
    CHECK(commands(rig.first) == lines("open", "grant s1 to c1 on w0"));
}

TEST_CASE("pool/core: a server above a smaller size is closed when it comes back")
{
    Rig rig{{.size = 2}};
    rig.open(rig.s1);
    rig.open(rig.s2);
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1s) == "s2");
    CHECK(rig.acquire(rig.first, rig.c2, t0 + 1s) == "s1");
    rig.configure({.size = 1});
    CHECK(rig.first.release(rig.s1, t0) == nullptr);
    CHECK(rig.first.release(rig.s2, t0) == nullptr);
    CHECK(commands(rig.first) == lines("close s1: over size"));
    CHECK(rig.first.idle_count() == 1);
}

TEST_CASE("pool/core: an unwanted server is closed when it comes back, and replaced")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "wait");
    rig.s1.is_unwanted = true;
    CHECK(rig.first.release(rig.s1, t0) == nullptr);
    CHECK(commands(rig.first) == lines("close s1: unwanted", "open"));
}

TEST_CASE("pool/core: a server that became unwanted while it was checked is not lent again")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    rig.first.forget_idle(rig.s1);
    rig.first.close_idle(CloseReason::unwanted);
    rig.s1.is_unwanted = true;
    rig.first.checked(rig.s1, t0);
    CHECK(commands(rig.first) == lines("close s1: unwanted"));
    CHECK(rig.shared.total() == 0);
}

TEST_CASE("pool/core: a checked server is no younger, and is lent after those that were used")
{
    Rig rig{{.size = 2, .server_idle_timeout = 1min}};
    rig.open(rig.s1, t0);
    rig.open(rig.s2, t0);
    rig.first.forget_idle(rig.s2);
    rig.first.checked(rig.s2, t0 + 50s);
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 50s) == "s1");
    rig.first.tick(t0 + 1min);
    CHECK(commands(rig.first) == lines("close s2: idle too long"));
}

TEST_CASE("pool/core: a tick closes what is too old or idle for too long")
{
    Rig rig{{.size = 2, .server_idle_timeout = 1min}};
    rig.s2.expires_at = t0 + 30s;
    rig.open(rig.s1);
    rig.open(rig.s2);
    rig.first.tick(t0 + 29s);
    CHECK(commands(rig.first) == lines());
    rig.first.tick(t0 + 30s);
    CHECK(commands(rig.first) == lines("close s2: too old"));
    rig.first.tick(t0 + 1min);
    CHECK(commands(rig.first) == lines("close s1: idle too long"));
}

TEST_CASE("pool/core: the minimum is opened by the first worker only, and is not closed as idle")
{
    Rig rig{{.size = 2, .min_size = 1, .server_idle_timeout = 1min}};
    rig.second.tick(t0);
    CHECK(commands(rig.second) == lines());
    rig.first.tick(t0);
    CHECK(commands(rig.first) == lines("open"));
    rig.first.opened(rig.s1, t0);
    rig.first.tick(t0 + 1h);
    CHECK(commands(rig.first) == lines());
}

TEST_CASE("pool/core: a minimum above the size opens no more than the size")
{
    Rig rig{{.size = 1, .min_size = 5}};
    rig.first.tick(t0);
    CHECK(commands(rig.first) == lines("open"));
}

TEST_CASE("pool/core: every idle server can be closed at once")
{
    Rig rig{{.size = 2}};
    rig.open(rig.s1);
    rig.open(rig.s2);
    rig.first.close_idle(CloseReason::unwanted);
    CHECK(commands(rig.first) == lines("close s1: unwanted", "close s2: unwanted"));
    CHECK(rig.shared.total() == 0);
    CHECK(rig.shared.idle(w0) == 0);
}
