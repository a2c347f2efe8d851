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
    if (queued_ >= max_waiting_.load(std::memory_order_relaxed)) return Queued::refused;
    ++queued_;
    Queue& queue = queue_of(lane);
    const bool is_first = queue.empty();
    queue.push_back(waiter);
    waiting_.fetch_add(one_of(lane));
    return is_first ? Queued::first : Queued::behind;
}

std::uint32_t Shared::waiting() const
{
    const Counts waiting = waiting_.load();
    return count_in(waiting, Lane::brief) + count_in(waiting, Lane::quick)
           + count_in(waiting, Lane::slow);
}

void Shared::erase(Waiter& waiter)
{
    const Lane lane = lane_of(waiter.pace());
    Queue& queue = queue_of(lane);
    queue.erase(queue.iterator_to(waiter));
    --queued_;
    waiting_.fetch_sub(one_of(lane));
}

bool Shared::withdraw(Waiter& waiter)
{
    const std::scoped_lock lock{mutex_};
    if (!waiter.is_linked()) return false;
    erase(waiter);
    return true;
}

// Whose turn it is: he is counted already. Null: nobody's.
Shared::Queue* Shared::next_queue()
{
    const Counts waiting = waiting_.load();
    if (waiting == 0) return nullptr;
    const bool is_simple = waiting <= up_to(Lane::brief);
    return is_simple ? &queue_of(Lane::brief) : next_of_all();
}

// Who has waited longest, of those who may.
Shared::Queue* Shared::next_of_all()
{
    std::array<Queue*, lanes.size()> left{};
    std::size_t count = 0;
    for (Queue& queue : queues_) {
        if (!queue.empty()) left.at(count++) = &queue;
    }
    const auto is_older = [](const Queue* one, const Queue* other) {
        return one->front().since() < other->front().since();
    };
    std::stable_sort(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), is_older);
    for (std::size_t i = 0; i < count; ++i) {
        if (try_enter(left.at(i)->front().pace())) return left.at(i);
    }
    return nullptr;
}

std::optional<Taken> Shared::take_for(WorkerId worker)
{
    const std::scoped_lock lock{mutex_};
    if (is_paused()) return std::nullopt;
    Queue* const queue = next_queue();
    if (queue == nullptr) return std::nullopt;
    Waiter& chosen = *choose(*queue, worker);
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
    for (Queue& queue : queues_) {
        while (!queue.empty()) {
            Waiter& waiter = queue.front();
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
    for (const Queue& queue : queues_) {
        if (queue.empty()) continue;
        const TimePoint since = queue.front().since();
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
    const Counts waiting = waiting_.load();
    const std::uint32_t quick = count_in(waiting, Lane::quick);
    const std::uint32_t slow = count_in(waiting, Lane::slow);
    const std::uint32_t brief = count_in(waiting, Lane::brief);
    if (quick == 0 && slow == 0) return brief;
    const Held held = held_.load();
    const auto room = [](std::uint32_t most, std::uint32_t taken) {
        return most - std::min(taken, most);
    };
    const std::uint32_t slow_may = std::min(slow, room(slow_max(), slow_in(held)));
    return brief + std::min(quick + slow_may, room(long_max(), long_in(held)));
}

bool Shared::try_enter_long(Pace pace)
{
    const std::uint32_t long_most = long_max();
    const std::uint32_t slow_most = pace == Pace::slow ? slow_max() : 0;
    Held seen = held_.load();
    while (long_in(seen) < long_most && (pace != Pace::slow || slow_in(seen) < slow_most)) {
        if (held_.compare_exchange_weak(seen, seen + share_of(pace))) return true;
    }
    return false;
}

void Shared::change_lane(ClassId id, Pace pace)
{
    const std::scoped_lock lock{mutex_};
    if (pace != Pace::slow) return change_queue(id, Lane::slow, pace);
    change_queue(id, Lane::brief, pace);
    change_queue(id, Lane::quick, pace);
}

// Nobody loses his place by it: all queues are in the order of their coming.
void Shared::change_queue(ClassId id, Lane from, Pace pace)
{
    Queue& old = queue_of(from);
    Queue& to = queue_of(lane_of(pace));
    auto place = to.begin();
    for (auto next = old.begin(); next != old.end();) {
        Waiter& waiter = *next++;
        if (waiter.class_id() != id || waiter.pace() == Pace::any) continue;
        erase(waiter);
        waiter.change_pace(pace);
        const auto is_later = [&](const Waiter& each) { return each.since() > waiter.since(); };
        place = std::find_if(place, to.end(), is_later);
        to.insert(place, waiter);
        ++queued_;
        waiting_.fetch_add(one_of(lane_of(pace)));
    }
}

void Shared::publish_loads(WorkerId worker, const Loads& loads)
{
    WorkerShare& share = workers_[index_of(worker)];
    share.brief_load.store(loads.brief, std::memory_order_relaxed);
    share.quick_load.store(loads.quick, std::memory_order_relaxed);
}

std::uint32_t Shared::load_of(std::atomic<std::uint32_t> WorkerShare::* load) const
{
    std::uint32_t sum = 0;
    for (const WorkerShare& worker : workers_) {
        sum += (worker.*load).load(std::memory_order_relaxed);
    }
    return sum;
}

namespace {

// What a load needs: for nobody nothing is kept free.
std::uint32_t servers_for(std::uint32_t load) { return load == 0 ? 0 : load / 1'000 + 1; }

} // namespace

std::uint32_t Shared::slow_max() const
{
    const std::uint32_t chosen = quick_reserve_.load(std::memory_order_relaxed);
    if (chosen != automatic) return pool::slow_max(size(), parked(), chosen);
    const std::uint32_t load = load_of(&WorkerShare::brief_load)
                               + load_of(&WorkerShare::quick_load);
    return pool::slow_max(size(), parked(), servers_for(load));
}

std::uint32_t Shared::long_max() const
{
    return pool::long_max(size(), parked(), servers_for(load_of(&WorkerShare::brief_load)));
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
