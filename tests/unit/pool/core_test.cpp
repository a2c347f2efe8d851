#include <pgweir/pool/core.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <variant>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0 = TimePoint{} + 1h;
constexpr WorkerId w0{0};
constexpr WorkerId w1{1};

struct NamedSlot : Slot {
    explicit NamedSlot(std::string given) : name{std::move(given)} {}
    std::string name;
};

std::string name_of(const Slot* slot)
{
    return slot == nullptr ? "nobody" : static_cast<const NamedSlot*>(slot)->name;
}

std::string text(WorkerId worker, ClientId client)
{
    return "c" + std::to_string(static_cast<std::uint64_t>(client)) + " on w"
           + std::to_string(index_of(worker));
}

std::string text(CloseReason reason)
{
    switch (reason) {
    case CloseReason::idle_too_long: return "idle too long";
    case CloseReason::too_old: return "too old";
    case CloseReason::over_size: return "over size";
    case CloseReason::unwanted: return "unwanted";
    }
    return "?";
}

std::string text(const Open& /*command*/) { return "open"; }
std::string text(const Close& c) { return "close " + name_of(c.slot) + ": " + text(c.reason); }
std::string text(const Grant& c)
{
    return "grant " + name_of(c.slot) + " to " + text(c.to.worker, c.to.client);
}
std::string text(const Refuse& c)
{
    return "refuse " + text(c.worker, c.client) + ": " + make_error_code(c.reason).message();
}
std::string text(const Ask& c) { return "ask w" + std::to_string(index_of(c.worker)); }

template <class... Lines>
std::string lines(const Lines&... each)
{
    return (std::string{} + ... + (std::string{each} + "\n"));
}

/// Everything the core wants done now, one command a line: it reads well when it differs.
std::string commands(Core& core)
{
    std::string all;
    while (core.has_commands()) {
        all += std::visit([](const auto& c) { return text(c); }, core.next_command()) + "\n";
    }
    return all;
}

/// Two workers, some clients of each, and servers to be used in this order.
struct Rig {
    explicit Rig(const Options& initial) : options{initial} {}

    void configure(const Options& changed)
    {
        shared.configure(changed);
        first.configure(changed);
        second.configure(changed);
    }

    /// Opened by the first worker, and idle there.
    void open(Slot& slot, TimePoint now = t0)
    {
        REQUIRE(shared.try_start_open());
        REQUIRE(shared.try_reserve());
        first.opened(slot, now);
    }

    std::string acquire(Core& core, Waiter& waiter, TimePoint now, std::uint64_t hash = 0)
    {
        const auto answer = core.acquire(waiter, now, hash);
        if (answer.error) return answer.error.message();
        return answer.slot != nullptr ? name_of(answer.slot) : "wait";
    }

    ~Rig()
    {
        for (Waiter* waiter : {&c1, &c2, &c3, &c4}) shared.withdraw(*waiter);
    }

    Options options;
    Shared shared{2, options};
    Core first{shared, w0, options};
    Core second{shared, w1, options};
    NamedSlot s1{"s1"};
    NamedSlot s2{"s2"};
    NamedSlot s3{"s3"};
    Waiter c1{ClientId{1}, w0};
    Waiter c2{ClientId{2}, w0};
    Waiter c3{ClientId{3}, w1};
    Waiter c4{ClientId{4}, w1};
};

} // namespace

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
    rig.first.release(rig.s1, t0 + 2s);
    CHECK(commands(rig.first) == lines("grant s1 to c3 on w1"));
}

TEST_CASE("pool/core: the last used server is lent first, its caches are warm")
{
    Rig rig{{.size = 2}};
    rig.open(rig.s1);
    rig.open(rig.s2);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s2");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "s1");
}

TEST_CASE("pool/core: a server with the client's settings is lent before a warmer one")
{
    Rig rig{{.size = 3}};
    rig.s2.state_hash = 7;
    for (Slot* slot : {&rig.s1, &rig.s2, &rig.s3}) rig.open(*slot);
    CHECK(rig.acquire(rig.first, rig.c1, t0, 7) == "s2");
    CHECK(rig.acquire(rig.first, rig.c2, t0, 7) == "s3");
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
    CHECK(commands(rig.first) == lines("grant s1 to c1 on w0", "open"));
    rig.first.release(rig.s1, t0);
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
    rig.first.open_failed(t0);
    CHECK(commands(rig.first) == lines()); // there is still the other one
    rig.second.open_failed(t0);
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
    rig.first.open_failed(t0);
    static_cast<void>(commands(rig.first)); // its refusal
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 999ms) == "the server cannot be reached");
    CHECK(rig.acquire(rig.first, rig.c1, t0 + 1s) == "wait");
    CHECK(commands(rig.first) == lines("open"));
}

TEST_CASE("pool/core: a server lost while somebody waits is replaced")
{
    Rig rig{{.size = 1}};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.second) == lines());
    rig.first.lost(t0);
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
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s2");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "s1");
    rig.configure({.size = 1});
    rig.first.release(rig.s1, t0);
    rig.first.release(rig.s2, t0);
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
    rig.first.release(rig.s1, t0);
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
