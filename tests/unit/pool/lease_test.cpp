// What Core does about the lanes: who is let in, and what is learned when a lease ends.
#include <pgweir/pool/core.hpp>

#include "unit/pool/places.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <string>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0 = TimePoint{} + 1h;
constexpr WorkerId w0{0};
constexpr ClassId quick{1};
constexpr ClassId slow{2};

/// One worker with all its servers open. Clients are numbered from 1, servers are told by their
/// place.
class House {
public:
    explicit House(const Options& options)
        : shared{1, options}, core{shared, w0, options}, slots(options.size)
    {
        for (Slot& slot : slots) {
            REQUIRE(shared.try_start_open());
            REQUIRE(reserve(shared));
            core.opened(slot, t0);
        }
        static_cast<void>(shared.classes().learn(quick, 1ms, t0));
        static_cast<void>(shared.classes().learn(slow, 1s, t0));
    }
    ~House()
    {
        for (Waiter& waiter : waiters_) shared.withdraw(waiter);
    }
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    /// The server it got, or null: it waits.
    Slot* acquire(ClassId id, TimePoint now = t0)
    {
        Waiter& waiter = waiters_.emplace_back(ClientId{waiters_.size() + 1}, w0);
        const auto answer = core.acquire(waiter, now, {id});
        REQUIRE_FALSE(answer.error);
        REQUIRE_FALSE(core.has_commands());
        return answer.slot;
    }

    /// Whom the server that comes back goes to. Zero: nobody.
    std::uint64_t release(Slot& slot, TimePoint now)
    {
        Waiter* const next = core.release(slot, now);
        return next != nullptr ? static_cast<std::uint64_t>(next->client()) : granted();
    }

    /// Whom the next command lends a server to.
    std::uint64_t granted()
    {
        if (!core.has_commands()) return 0;
        return static_cast<std::uint64_t>(std::get<Grant>(core.next_command()).to.client);
    }

    Shared shared;
    Core core;
    std::deque<Slot> slots;

private:
    std::deque<Waiter> waiters_;
};

} // namespace

TEST_CASE("pool/lease: the slow leave the reserve to the quick")
{
    House house{{.size = 3, .quick_reserve = 1}};
    Slot* const first = house.acquire(slow);
    REQUIRE(first != nullptr);
    REQUIRE(house.acquire(slow) != nullptr);
    CHECK(house.acquire(slow) == nullptr); // client 3
    CHECK(house.shared.slow_held() == 2);
    Slot* const own = house.acquire(quick);
    REQUIRE(own != nullptr);
    CHECK(house.acquire(quick) == nullptr); // client 5
    CHECK(house.release(*own, t0 + 1ms) == 5);
    CHECK(house.release(*first, t0 + 1s) == 3);
}

TEST_CASE("pool/lease: what was never seen is let in as if it was slow, and is quick from then on")
{
    constexpr ClassId unknown{3};
    House house{{.size = 2, .quick_reserve = 1}};
    Slot* const one = house.acquire(unknown);
    REQUIRE(one != nullptr);
    CHECK(house.acquire(unknown) == nullptr); // clients 2 and 3
    CHECK(house.acquire(unknown) == nullptr);
    CHECK(house.release(*one, t0 + 1ms) == 2);
    CHECK(house.granted() == 3); // by the server that was kept free
    CHECK(house.shared.slow_held() == 0);
}

TEST_CASE("pool/lease: those who wait change lanes with their class, in the order of their coming")
{
    House house{{.size = 2, .quick_reserve = 1}};
    Slot* const first = house.acquire(quick);
    Slot* const second = house.acquire(quick, t0 + 1ms);
    CHECK(house.acquire(quick, t0 + 2ms) == nullptr); // client 3
    CHECK(house.acquire(slow, t0 + 3ms) == nullptr);  // client 4
    CHECK(house.acquire(quick, t0 + 4ms) == nullptr); // client 5

    CHECK(house.core.look_at(*first, t0 + 99ms));
    CHECK_FALSE(house.core.look_at(*first, t0 + 100ms));
    CHECK(house.shared.slow_held() == 1);
    CHECK(house.shared.waiting(Lane::slow) == 3);
    CHECK_FALSE(house.core.look_at(*second, t0 + 101ms));
    CHECK(house.shared.slow_held() == 2); // one more than may be
    CHECK(house.release(*second, t0 + 102ms) == 0);
    CHECK(house.release(*first, t0 + 103ms) == 3);
}

TEST_CASE("pool/lease: as long as there is room, who came first goes first")
{
    House house{{.size = 2, .quick_reserve = 1}};
    Slot* const one = house.acquire(quick);
    Slot* const two = house.acquire(quick);
    CHECK(house.acquire(slow, t0 + 1ms) == nullptr);  // client 3
    CHECK(house.acquire(quick, t0 + 2ms) == nullptr); // client 4
    CHECK(house.acquire(slow, t0 + 3ms) == nullptr);  // client 5
    CHECK(house.acquire(quick, t0 + 4ms) == nullptr); // client 6
    CHECK(house.release(*one, t0 + 5ms) == 3);
    CHECK(house.release(*two, t0 + 6ms) == 4);
    CHECK(house.release(*two, t0 + 7ms) == 6);
    CHECK(house.release(*two, t0 + 8ms) == 0);
    CHECK(house.release(*one, t0 + 9ms) == 5);
}

TEST_CASE("pool/lease: a server that its client keeps makes the pool smaller, and is not slow work")
{
    House house{{.size = 4, .quick_reserve = 1}};
    Slot* const kept = house.acquire(slow);
    REQUIRE(house.acquire(slow) != nullptr);
    REQUIRE(house.acquire(slow) != nullptr);
    CHECK(house.acquire(slow) == nullptr); // client 4
    CHECK(house.shared.slow_max() == 3);
    house.core.park(*kept, t0 + 1s);
    CHECK(house.granted() == 0);
    CHECK(house.shared.parked() == 1);
    CHECK(house.shared.slow_held() == 2);
    CHECK(house.shared.slow_max() == 2);
    house.core.park(*kept, t0 + 2s); // once
    CHECK(house.shared.parked() == 1);
    CHECK_FALSE(house.core.look_at(*kept, t0 + 3s));
    CHECK(house.release(*kept, t0 + 1h) == 4);
    CHECK(house.shared.parked() == 0);
}

TEST_CASE("pool/lease: who thinks in an open transaction is no slow work")
{
    House house{{.size = 2, .quick_reserve = 1}};
    Slot* const thinking = house.acquire(slow);
    CHECK(house.acquire(slow) == nullptr); // client 2
    house.core.rest(*thinking, t0 + 1ms);
    CHECK(house.granted() == 2);
    CHECK(house.shared.parked() == 1);
    house.core.resume(*thinking); // one more than may be
    CHECK(house.shared.parked() == 0);
    CHECK(house.shared.slow_held() == 2);
    house.core.rest(*thinking, t0 + 2ms);
    CHECK(house.release(*thinking, t0 + 3ms) == 0);
    CHECK(house.shared.parked() == 0);
    CHECK(house.shared.slow_held() == 1);
}

TEST_CASE("pool/lease: who has thought for long has held a server for long")
{
    House house{{.size = 2, .quick_reserve = 1}};
    Slot* const thinking = house.acquire(quick);
    house.core.rest(*thinking, t0 + 1ms);
    CHECK_FALSE(house.core.look_at(*thinking, t0 + 100ms));
    CHECK(house.shared.slow_held() == 0);
    CHECK(house.shared.parked() == 1);
    house.core.resume(*thinking);
    CHECK(house.shared.slow_held() == 1);
    CHECK(house.release(*thinking, t0 + 1s) == 0);
    CHECK(house.shared.slow_held() == 0);
    CHECK(house.shared.classes().pace_of(quick) == Pace::slow);
}

TEST_CASE("pool/lease: nothing is learned from a server that was lost, or not wanted any more")
{
    House house{{.size = 3, .quick_reserve = 1}};
    Slot* const lost = house.acquire(slow);
    house.core.lost(*lost, t0 + 1ms);
    CHECK(house.shared.slow_held() == 0);
    Slot* const unwanted = house.acquire(slow);
    house.core.take_back(*unwanted, t0 + 1ms);
    CHECK(house.shared.slow_held() == 0);
    CHECK(house.shared.classes().mean_of(slow) == 1s);
}

TEST_CASE("pool/lease: the reserve follows what quick work holds")
{
    House house{{.size = 10}};
    CHECK(house.shared.slow_max() == 10); // for nobody nothing is kept free
    house.core.tick(t0);
    for (int i = 0; i < 5; ++i) {
        for (int n = 0; n < 100; ++n) {
            Slot* const slot = house.acquire(quick, t0 + 500ms * i);
            CHECK(house.release(*slot, t0 + 500ms * i + 10ms) == 0);
        }
        house.core.tick(t0 + 500ms * (i + 1));
    }
    CHECK(house.shared.slow_max() == 7); // a hundred times 10 ms in half a second is two of them
}

TEST_CASE("pool/lease: of a class that is brief one in sixteen is looked at, and counts for all")
{
    House house{{.size = 1}};
    const auto mean = [&] { return house.shared.classes().mean_of(quick); };
    for (int i = 0; i < 15; ++i) CHECK(house.release(*house.acquire(quick), t0 + 9ms) == 0);
    CHECK(mean() == 1ms);
    CHECK(house.release(*house.acquire(quick), t0 + 9ms) == 0);
    CHECK(mean() == 8'529us);                                    // 1 + 16 x 9, of 17
    CHECK(house.release(*house.acquire(quick), t0 + 81ms) == 0); // not as quick: at once
    CHECK(mean() == 12'555us);
}

TEST_CASE("pool/lease: what is brief keeps servers of its own, for what is quick only on average")
{
    constexpr ClassId middling{3};
    House house{{.size = 8}};
    static_cast<void>(house.shared.classes().learn(middling, 40ms, t0));
    CHECK(house.shared.long_max() == 8); // for nobody nothing is kept free
    house.core.tick(t0);
    CHECK(house.release(*house.acquire(quick), t0 + 1ms) == 0); // client 1
    house.core.tick(t0 + 500ms);
    CHECK(house.shared.long_max() == 7);

    Slot* const first = house.acquire(middling, t0 + 1s);
    for (int i = 0; i < 6; ++i) REQUIRE(house.acquire(middling, t0 + 1s) != nullptr);
    CHECK(house.acquire(middling, t0 + 1s) == nullptr); // client 9
    CHECK(house.shared.long_held() == 7);
    CHECK(house.core.look_at(*first, t0 + 1s + 99ms));
    CHECK_FALSE(house.core.look_at(*first, t0 + 1s + 100ms));
    CHECK(house.shared.slow_held() == 1);
    CHECK(house.shared.long_held() == 7); // it was counted already
    CHECK(house.release(*house.acquire(quick, t0 + 2s), t0 + 2s) == 0);
    CHECK(house.release(*first, t0 + 2s) == 9);
}

TEST_CASE("pool/lease: without lanes nobody is told apart")
{
    House house{{.size = 2, .quick_reserve = 0}};
    Slot* const one = house.acquire(slow);
    Slot* const two = house.acquire(slow);
    REQUIRE(one != nullptr);
    REQUIRE(two != nullptr);
    CHECK_FALSE(house.core.look_at(*one, t0 + 1h));
    CHECK(house.shared.slow_held() == 0);
    CHECK(house.acquire(slow) == nullptr);
    CHECK(house.acquire(quick) == nullptr);
    CHECK(house.release(*one, t0 + 1h) == 3);
    CHECK(house.release(*two, t0 + 1h) == 4);
}
