#include <pgweir/pool/shared.hpp>

#include "unit/pool/places.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <string>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0 = TimePoint{} + 1h;
constexpr WorkerId w0{0};
constexpr WorkerId w1{1};
constexpr WorkerId w2{2};

/// Clients in a queue, numbered from 1.
class Line {
public:
    explicit Line(const Options& options = {}) : shared{3, options} {}
    ~Line()
    {
        for (Waiter& waiter : waiters_) shared.withdraw(waiter);
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    bool join(WorkerId worker, TimePoint since = t0)
    {
        Waiter& waiter = waiters_.emplace_back(ClientId{waiters_.size() + 1}, worker);
        waiter.start(since);
        return shared.enqueue(waiter) != Shared::Queued::refused;
    }
    bool leave(std::size_t number) { return shared.withdraw(waiters_.at(number - 1)); }

    /// Whom a free server of this worker goes to. Zero: to nobody.
    std::uint64_t take_for(WorkerId worker, TimePoint now = t0)
    {
        const auto taken = shared.take_for(worker, now);
        return taken ? static_cast<std::uint64_t>(taken->client) : 0;
    }

    Shared shared;

private:
    std::deque<Waiter> waiters_;
};

} // namespace

TEST_CASE("pool/shared: places are reserved up to the size, and come back")
{
    Shared shared{1, {.size = 2}};
    CHECK(reserve(shared));
    CHECK(reserve(shared));
    CHECK_FALSE(reserve(shared));
    unreserve(shared);
    CHECK(reserve(shared));
}

TEST_CASE("pool/shared: a smaller size makes the pool over-full, it closes nothing itself")
{
    Shared shared{1, {.size = 2}};
    CHECK(reserve(shared));
    CHECK(reserve(shared));
    shared.configure({.size = 1});
    CHECK(shared.total() == 2);
    CHECK(shared.is_over_size());
    unreserve(shared);
    CHECK_FALSE(shared.is_over_size());
    CHECK_FALSE(reserve(shared));
}

TEST_CASE("pool/shared: connects on their way have a bound of their own")
{
    Shared shared{1, {.connect_parallel_max = 1}};
    CHECK(shared.try_start_open());
    CHECK_FALSE(shared.try_start_open());
    shared.end_open();
    CHECK(shared.opening() == 0);
    CHECK(shared.try_start_open());
}

TEST_CASE("pool/shared: first come, first served")
{
    Line line;
    line.join(w0, t0);
    line.join(w1, t0 + 1s);
    line.join(w0, t0 + 2s);
    CHECK(line.shared.oldest_since() == t0);
    CHECK(line.take_for(w2) == 1);
    CHECK(line.take_for(w2) == 2);
    CHECK(line.take_for(w2) == 3);
    CHECK(line.take_for(w2) == 0);
    CHECK_FALSE(line.shared.oldest_since().has_value());
}

TEST_CASE("pool/shared: a worker's own client goes first if it came hardly later")
{
    Line line;
    line.join(w0, t0);
    line.join(w1, t0 + Shared::local_preference);
    CHECK(line.take_for(w1) == 2);
}

TEST_CASE("pool/shared: a worker's own client that came later than that waits its turn")
{
    Line line;
    line.join(w0, t0);
    line.join(w1, t0 + Shared::local_preference + 1ns);
    CHECK(line.take_for(w1) == 1);
}

TEST_CASE("pool/shared: of a worker's own clients the oldest goes first")
{
    Line line;
    line.join(w0, t0);
    line.join(w1, t0);
    line.join(w1, t0);
    CHECK(line.take_for(w1) == 2);
}

TEST_CASE("pool/shared: behind many clients of others nobody looks for one's own")
{
    Line line;
    for (int i = 0; i < 64; ++i) line.join(w0);
    line.join(w1);
    CHECK(line.take_for(w1) == 1);
    CHECK(line.take_for(w1) == 65); // now within sight
}

TEST_CASE("pool/shared: whoever was taken cannot withdraw")
{
    Line line;
    line.join(w0);
    line.join(w0);
    CHECK(line.leave(2));
    CHECK_FALSE(line.leave(2));
    CHECK(line.take_for(w0) == 1);
    CHECK_FALSE(line.leave(1));
    CHECK(line.shared.waiting() == 0);
}

TEST_CASE("pool/shared: the queue has a bound")
{
    Line line{{.max_waiting = 1}};
    CHECK(line.join(w0));
    CHECK_FALSE(line.join(w0));
    CHECK(line.shared.waiting() == 1);
}

TEST_CASE("pool/shared: all can be taken at once, in their order")
{
    Line line;
    line.join(w1);
    line.join(w0);
    std::string order;
    for (const Taken& taken : line.shared.take_all()) {
        order += std::to_string(static_cast<std::uint64_t>(taken.client)) + " of worker "
                 + std::to_string(index_of(taken.worker)) + "\n";
    }
    CHECK(order == "1 of worker 1\n2 of worker 0\n");
    CHECK(line.shared.waiting() == 0);
}

TEST_CASE("pool/shared: nobody is taken while the pool is paused")
{
    Line line;
    line.join(w0);
    line.shared.pause(true);
    CHECK(line.take_for(w0) == 0);
    line.shared.pause(false);
    CHECK(line.take_for(w0) == 1);
}

TEST_CASE("pool/shared: the worker with the most idle servers is asked, never oneself")
{
    Shared shared{3, {}};
    CHECK_FALSE(shared.worker_with_idle(w0).has_value());
    shared.publish_idle(w0, 9);
    CHECK_FALSE(shared.worker_with_idle(w0).has_value());
    shared.publish_idle(w1, 1);
    shared.publish_idle(w2, 2);
    CHECK(shared.worker_with_idle(w0) == w2);
    CHECK(shared.worker_with_idle(w2) == w0);
}

TEST_CASE("pool/shared: a retry is due at its time")
{
    Shared shared{1, {}};
    CHECK(shared.may_open(t0));
    shared.retry_not_before(t0 + 1s);
    CHECK_FALSE(shared.may_open(t0 + 1s - 1ns));
    CHECK(shared.may_open(t0 + 1s));
}
