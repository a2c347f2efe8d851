#include <pgweir/pool/shared.hpp>

#include <algorithm>
#include <mutex>

namespace pgweir::pool {

namespace {

// Raises `value` by one unless it has reached `limit`.
bool raise_below(std::atomic<std::uint32_t>& value, std::uint32_t limit)
{
    std::uint32_t seen = value.load();
    while (seen < limit) {
        if (value.compare_exchange_weak(seen, seen + 1)) return true;
    }
    return false;
}

} // namespace

Shared::Shared(std::uint32_t worker_count, const Options& options)
    : size_{options.size},
      max_waiting_{options.max_waiting},
      connect_parallel_max_{options.connect_parallel_max},
      quick_reserve_{options.quick_reserve.value_or(automatic)},
      workers_(worker_count)
{
}

void Shared::configure(const Options& options)
{
    size_.store(options.size);
    max_waiting_.store(options.max_waiting);
    connect_parallel_max_.store(options.connect_parallel_max);
    quick_reserve_.store(options.quick_reserve.value_or(automatic));
}

bool Shared::try_reserve() { return raise_below(total_, size()); }

bool Shared::try_start_open() { return raise_below(opening_, connect_parallel_max_.load()); }

Shared::Queued Shared::enqueue(Waiter& waiter)
{
    const Lane lane = lane_of(waiter.pace());
    const std::scoped_lock lock{mutex_};
    if (waiting() >= max_waiting_.load()) return Queued::refused;
    queue_of(lane).push_back(waiter);
    return count_of(lane).fetch_add(1) == 0 ? Queued::first : Queued::behind;
}

void Shared::erase(Waiter& waiter)
{
    Queue& queue = queue_of(lane_of(waiter.pace()));
    queue.erase(queue.iterator_to(waiter));
    count_of(lane_of(waiter.pace())).fetch_sub(1);
}

bool Shared::withdraw(Waiter& waiter)
{
    const std::scoped_lock lock{mutex_};
    if (!waiter.is_linked()) return false;
    erase(waiter);
    return true;
}

// Who has waited longest, of those who may.
Lane Shared::next_lane() const
{
    if (slow_.empty()) return Lane::quick;
    const bool is_slow = quick_.empty() || slow_.front().since() < quick_.front().since();
    return is_slow ? Lane::slow : Lane::quick;
}

std::optional<Taken> Shared::take_for(WorkerId worker)
{
    const std::scoped_lock lock{mutex_};
    if (is_paused()) return std::nullopt;
    Lane lane = next_lane();
    if (lane == Lane::slow && !try_enter(Pace::slow)) lane = Lane::quick;
    Queue& queue = queue_of(lane);
    if (queue.empty()) return std::nullopt;
    Waiter& chosen = *choose(queue, worker);
    const bool is_own = chosen.worker() == worker;
    const Taken taken{
        chosen.client(),
        chosen.worker(),
        is_own ? &chosen : nullptr,
        chosen.class_id(),
        chosen.pace(),
    };
    erase(chosen);
    return taken;
}

std::vector<Taken> Shared::take_all()
{
    const std::scoped_lock lock{mutex_};
    std::vector<Taken> all;
    for (Queue* const queue : {&quick_, &slow_}) {
        while (!queue->empty()) {
            Waiter& waiter = queue->front();
            all.push_back({waiter.client(), waiter.worker(), nullptr});
            erase(waiter);
        }
    }
    return all;
}

std::optional<TimePoint> Shared::oldest_since() const
{
    const std::scoped_lock lock{mutex_};
    std::optional<TimePoint> oldest;
    for (const Queue* const queue : {&quick_, &slow_}) {
        if (queue->empty()) continue;
        const TimePoint since = queue->front().since();
        if (!oldest || since < *oldest) oldest = since;
    }
    return oldest;
}

// The look ahead is bounded: with a thousand waiters of other workers the oldest simply goes.
Shared::Queue::iterator Shared::choose(Queue& queue, WorkerId worker)
{
    constexpr int look_ahead_max = 64;

    const TimePoint latest = queue.front().since() + local_preference;
    int looked_at = 0;
    for (auto waiter = queue.begin(); waiter != queue.end(); ++waiter) {
        if (waiter->since() > latest || ++looked_at > look_ahead_max) break;
        if (waiter->worker() == worker) return waiter;
    }
    return queue.begin();
}

std::uint32_t Shared::admissible() const
{
    const std::uint32_t held = slow_held();
    const std::uint32_t most = slow_max();
    return quick_waiting_ + std::min(slow_waiting_.load(), most - std::min(held, most));
}

bool Shared::try_enter(Pace pace)
{
    return pace != Pace::slow || raise_below(slow_held_, slow_max());
}

// Nobody loses his place by it: both queues are in the order of their coming.
void Shared::change_lane(ClassId id, Lane lane)
{
    const std::scoped_lock lock{mutex_};
    Queue& from = queue_of(lane == Lane::slow ? Lane::quick : Lane::slow);
    Queue& to = queue_of(lane);
    auto place = to.begin();
    for (auto next = from.begin(); next != from.end();) {
        Waiter& waiter = *next++;
        if (waiter.class_id() != id || waiter.pace() == Pace::any) continue;
        erase(waiter);
        waiter.change_pace(lane == Lane::slow ? Pace::slow : Pace::quick);
        const auto is_later = [&](const Waiter& each) { return each.since() > waiter.since(); };
        place = std::find_if(place, to.end(), is_later);
        to.insert(place, waiter);
        count_of(lane).fetch_add(1);
    }
}

void Shared::publish_quick_load(WorkerId worker, std::uint32_t load)
{
    workers_[index_of(worker)].quick_load.store(load, std::memory_order_relaxed);
}

std::uint32_t Shared::reserve() const
{
    const std::uint32_t chosen = quick_reserve_.load(std::memory_order_relaxed);
    if (chosen != automatic) return chosen;
    std::uint32_t load = 0;
    for (const WorkerShare& worker : workers_) {
        load += worker.quick_load.load(std::memory_order_relaxed);
    }
    return load == 0 ? 0 : load / 1'000 + 1; // for nobody nothing is kept free
}

// Sequentially consistent on purpose, like the counts of who waits: whoever queues looks at these
// counts after raising one, whoever gives back looks at them after raising its count. So at least
// one of the two sees the other, and no waiter is left beside an idle server.
void Shared::publish_idle(WorkerId worker, std::uint32_t count)
{
    workers_[index_of(worker)].idle.store(count);
}

std::uint32_t Shared::idle(WorkerId worker) const { return workers_[index_of(worker)].idle.load(); }

std::optional<WorkerId> Shared::worker_with_idle(WorkerId except) const
{
    std::optional<WorkerId> best;
    std::uint32_t most = 0;
    for (std::uint32_t i = 0; i < workers_.size(); ++i) {
        const WorkerId worker{i};
        if (worker == except || idle(worker) <= most) continue;
        most = idle(worker);
        best = worker;
    }
    return best;
}

void Shared::went_down(TimePoint now)
{
    TimePoint::rep seen = up;
    if (was_up_.load()) down_since_.compare_exchange_strong(seen, now.time_since_epoch().count());
}

void Shared::came_up()
{
    was_up_.store(true);
    down_since_.store(up);
}

bool Shared::may_come_back(TimePoint now, Duration wait) const
{
    const TimePoint::rep since = down_since_.load();
    return since != up && now < TimePoint{TimePoint::duration{since}} + wait;
}

void Shared::retry_not_before(TimePoint time)
{
    retry_at_.store(time.time_since_epoch().count(), std::memory_order_relaxed);
}

bool Shared::may_open(TimePoint now) const
{
    return now.time_since_epoch().count() >= retry_at_.load(std::memory_order_relaxed);
}

} // namespace pgweir::pool
