#include <pgweir/pool/standing.hpp>

#include "rig.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>

using namespace pgweir;
using namespace pgweir::pool;

namespace {

constexpr Options hasty{
    .queue_target = 100ms, .queue_interval = 50ms, .queue_timeout = 1s, .server_reset_query = {}
};

/// Clients that queue at one worker, numbered from 1. Every 10 ms one is served.
class Crowd {
public:
    explicit Crowd(const Options& options = hasty) : shared_{1, options} {}
    ~Crowd()
    {
        for (Waiter& waiter : waiters_) shared_.withdraw(waiter);
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    void join(int count, TimePoint since, Pace pace = Pace::any)
    {
        for (int i = 0; i < count; ++i) {
            Waiter& waiter = waiters_.emplace_back(ClientId{waiters_.size() + 1}, w0);
            waiter.start(since + i * Shared::local_preference * 2, ClassId{1}, pace);
            static_cast<void>(shared_.enqueue(waiter));
        }
    }
    void leave(std::size_t number) { shared_.withdraw(waiters_.at(number - 1)); }

    std::uint64_t serve(TimePoint now)
    {
        const auto taken = shared_.take_for(w0, now);
        return taken ? static_cast<std::uint64_t>(taken->client) : 0;
    }
    /// Six of them, the first at this time: 50 ms pass.
    void serve_for_an_interval(TimePoint now)
    {
        for (int i = 0; i < 6; ++i) static_cast<void>(serve(now + i * 10ms));
    }
    std::uint64_t overdue(TimePoint now)
    {
        const auto taken = shared_.take_overdue(now);
        return taken ? static_cast<std::uint64_t>(taken->client) : 0;
    }
    Shared& shared() { return shared_; }

private:
    Shared shared_;
    std::deque<Waiter> waiters_;
};

} // namespace

TEST_CASE("pool/standing: when all wait for too long and somebody gives up, the newest go first")
{
    Crowd crowd;
    crowd.join(20, t0);
    crowd.leave(20);
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK(crowd.shared().is_overloaded(Lane::brief));
    CHECK(crowd.serve(t0 + 260ms) == 19);
    CHECK(crowd.serve(t0 + 260ms) == 18);
    CHECK(crowd.serve(t0 + 260ms) == 17);
    CHECK(crowd.serve(t0 + 260ms) == 7); // who is patient gets there, too
    CHECK(crowd.serve(t0 + 260ms) == 16);
}

TEST_CASE("pool/standing: as long as nobody gives up, the first come first, however long it takes")
{
    Crowd crowd;
    crowd.join(20, t0);
    crowd.serve_for_an_interval(t0 + 10s);
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::brief));
    CHECK(crowd.serve(t0 + 11s) == 7);
    CHECK(crowd.overdue(t0 + 11s) == 0);
}

TEST_CASE("pool/standing: to be turned away is to be let down, too")
{
    Options options = hasty;
    options.max_waiting = 20;
    Crowd crowd{options};
    crowd.join(21, t0);
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK(crowd.shared().is_overloaded(Lane::brief));
}

TEST_CASE("pool/standing: one that waits for less shows that the queue moves")
{
    Crowd crowd;
    crowd.join(20, t0);
    crowd.leave(20);
    static_cast<void>(crowd.serve(t0 + 100ms)); // late from now on
    static_cast<void>(crowd.serve(t0 + 101ms)); // not this one: it came later
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::brief));
}

TEST_CASE("pool/standing: who is served late only for a moment has met a hiccup")
{
    Crowd crowd;
    crowd.join(20, t0);
    crowd.leave(20);
    for (int i = 0; i < 18; ++i) static_cast<void>(crowd.serve(t0 + 5s + i * 1ms));
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::brief));
}

TEST_CASE("pool/standing: it is over when the queue has been empty")
{
    Crowd crowd;
    crowd.join(8, t0);
    crowd.leave(8);
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK(crowd.shared().is_overloaded(Lane::brief));
    CHECK(crowd.serve(t0 + 250ms) == 7);
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::brief));
    crowd.join(2, t0 + 300ms);
    CHECK(crowd.serve(t0 + 310ms) == 9);
}

TEST_CASE("pool/standing: who has waited for queue_timeout is refused, but not in a moving queue")
{
    Crowd crowd;
    crowd.join(20, t0);
    CHECK(crowd.overdue(t0 + 2s) == 0);
    crowd.leave(20);
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK(crowd.overdue(t0 + 1s) == 0);
    CHECK(crowd.overdue(t0 + 1s + 24ms) == 7);
    CHECK(crowd.overdue(t0 + 1s + 24ms) == 0);

    crowd.shared().pause(true);
    CHECK(crowd.overdue(t0 + 2s) == 0);
    crowd.shared().pause(false);
    crowd.shared().came_up();
    crowd.shared().went_down(t0 + 2s); // it is not the queue that they wait for
    CHECK(crowd.overdue(t0 + 2s) == 0);
    crowd.shared().came_up();
    CHECK(crowd.overdue(t0 + 2s) == 8);
}

TEST_CASE("pool/standing: each queue is looked at by itself, and the slow one is left in peace")
{
    Crowd crowd;
    static_cast<void>(crowd.shared().classes().learn(ClassId{1}, 1s, t0));
    crowd.join(20, t0, Pace::slow);
    crowd.leave(20);
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::slow));
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::quick));
    crowd.join(20, t0, Pace::quick);
    crowd.leave(40);
    crowd.serve_for_an_interval(t0 + 200ms);
    CHECK(crowd.shared().is_overloaded(Lane::quick));
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::brief));
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::slow));
}

TEST_CASE("pool/standing: it can be turned off")
{
    Options options = hasty;
    options.queue_target = {};
    Crowd crowd{options};
    crowd.join(20, t0);
    crowd.leave(20);
    crowd.serve_for_an_interval(t0 + 10s);
    CHECK_FALSE(crowd.shared().is_overloaded(Lane::brief));

    Crowd other;
    other.join(20, t0);
    other.leave(20);
    other.serve_for_an_interval(t0 + 10s);
    CHECK(other.shared().is_overloaded(Lane::brief));
    other.shared().configure(options);
    CHECK_FALSE(other.shared().is_overloaded(Lane::brief));
}

TEST_CASE("pool/standing: of the newest, too, a worker's own goes first if it came hardly earlier")
{
    Shared shared{2, hasty};
    std::deque<Waiter> waiters;
    const auto join = [&](WorkerId worker, TimePoint since) {
        Waiter& waiter = waiters.emplace_back(ClientId{waiters.size() + 1}, worker);
        waiter.start(since);
        REQUIRE(shared.enqueue(waiter) != Shared::Queued::refused);
    };
    for (int i = 0; i < 3; ++i) join(w0, t0);
    shared.withdraw(waiters.back());
    static_cast<void>(shared.take_for(w0, t0 + 200ms));
    join(w0, t0 + 300ms);
    join(w1, t0 + 300ms);
    join(w0, t0 + 300ms + Shared::local_preference);
    static_cast<void>(shared.take_for(w0, t0 + 301ms)); // client 2: from now on it stands
    const auto next = shared.take_for(w1, t0 + 302ms);
    REQUIRE(next.has_value());
    CHECK(next->client == ClientId{5});
    for (Waiter& waiter : waiters) shared.withdraw(waiter);
}

TEST_CASE("pool/standing: a tick of any worker refuses who is overdue")
{
    Options options = hasty;
    options.size = 1;
    Rig rig{options};
    rig.open(rig.s1);
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "s1");
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "wait");
    CHECK(rig.acquire(rig.second, rig.c3, t0 + 10ms) == "wait");
    CHECK(rig.acquire(rig.second, rig.c4, t0 + 20ms) == "wait");
    REQUIRE(rig.first.withdraw(rig.c4));
    CHECK(commands(rig.first) == lines());
    CHECK(rig.first.release(rig.s1, t0 + 200ms) == &rig.c2);
    Waiter fifth{ClientId{5}, w0};
    CHECK(rig.acquire(rig.first, fifth, t0 + 250ms) == "wait");
    CHECK(rig.first.release(rig.s1, t0 + 260ms) == nullptr); // client 3's
    CHECK(rig.acquire(rig.second, rig.c4, t0 + 300ms) == "wait");
    CHECK(commands(rig.first) == lines("grant s1 to c3 on w1"));

    rig.first.tick(t0 + 1s + 249ms);
    CHECK(commands(rig.first) == lines());
    rig.second.tick(t0 + 1s + 250ms);
    CHECK(
        commands(rig.second)
        == lines("refuse c5 on w0: the queue stands, and it was not its turn in time")
    );
    CHECK_FALSE(rig.first.withdraw(fifth));
}
