#include <pgweir/pool/shared.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

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

// Zero is none.
Duration limit(Duration chosen) { return chosen > Duration::zero() ? chosen : Duration::max(); }

} // namespace

Shared::Shared(std::uint32_t worker_count, const Options& options) : workers_(worker_count)
{
    configure(options);
}

void Shared::configure(const Options& options)
{
    set_size(options);
    max_waiting_.store(options.max_waiting);
    connect_parallel_max_.store(options.connect_parallel_max);
    quick_reserve_.store(options.quick_reserve.value_or(automatic));
    queue_target_.store(limit(options.queue_target).count());
    queue_interval_.store(options.queue_interval.count());
    queue_timeout_.store(limit(options.queue_timeout).count());

    const std::scoped_lock lock{mutex_};
    queue_.configure(lead_max * std::max(options.size, 1U));
}

bool Shared::try_start_open() { return raise_below(opening_, connect_parallel_max_.load()); }

Shared::Queued Shared::enqueue(Waiter& waiter, std::optional<Taken>* crowded_out)
{
    const std::scoped_lock lock{mutex_};
    if (queue_.size() >= max_waiting_.load(std::memory_order_relaxed)) [[unlikely]] {
        Waiter* const surplus = crowded_out != nullptr ? queue_.surplus_for(waiter) : nullptr;
        queue_.let_down(surplus != nullptr ? *surplus : waiter);
        if (surplus == nullptr) return Queued::refused;
        take(*surplus, *crowded_out);
    }
    Queue::Line& line = queue_.line_of(lane_of(waiter.pace()));
    const bool is_first = queue_.join(waiter, line);
    waiting_.fetch_add(line.one);
    return is_first ? Queued::first : Queued::behind;
}

// The queue's lock is held: so its session is still there.
void Shared::take(Waiter& waiter, std::optional<Taken>& taken)
{
    taken.emplace(
        waiter.client(), waiter.worker(), nullptr, waiter.class_id(), waiter.pace(), Charge{}
    );
    take(waiter);
}

void Shared::take(Waiter& waiter)
{
    waiting_.fetch_sub(queue_.line_of(lane_of(waiter.pace())).one);
    queue_.leave(waiter);
}

std::uint32_t Shared::waiting() const
{
    const Counts waiting = waiting_.load();
    return count_in(waiting, Lane::brief) + count_in(waiting, Lane::quick)
           + count_in(waiting, Lane::slow);
}

bool Shared::withdraw(Waiter& waiter)
{
    const std::scoped_lock lock{mutex_};
    if (!waiter.is_linked()) return false;
    queue_.let_down(waiter);
    take(waiter);
    return true;
}

// Whose turn it is: he is counted already. Null: nobody's.
Queue::Line* Shared::next_line()
{
    const Counts waiting = waiting_.load();
    if (waiting == 0) return nullptr;
    const bool is_simple = waiting <= up_to(Lane::brief);
    return is_simple ? &queue_.line_of(Lane::brief) : next_of_all();
}

// The group whose turn it is, of those who may; in a group, who has waited longest.
Queue::Line* Shared::next_of_all()
{
    std::array<Queue::Line*, lanes.size()> left{};
    std::size_t count = 0;
    for (const Lane lane : lanes) {
        Queue::Line& line = queue_.line_of(lane);
        if (!line.rows.empty()) left.at(count++) = &line;
    }
    const auto is_before = [](const Queue::Line* one, const Queue::Line* other) {
        const QueueRow& first = *one->rows.begin();
        const QueueRow& second = *other->rows.begin();
        if (first.group->turn != second.group->turn) return HasEarlierTurn{}(first, second);
        return first.waiters.front().since() < second.waiters.front().since();
    };
    std::stable_sort(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), is_before);
    for (std::size_t i = 0; i < count; ++i) {
        if (try_enter(left.at(i)->rows.begin()->waiters.front().pace())) return left.at(i);
    }
    return nullptr;
}

std::optional<Taken> Shared::take_for(WorkerId worker, TimePoint now)
{
    const std::scoped_lock lock{mutex_};
    if (is_paused()) return std::nullopt;
    Queue::Line* const line = next_line();
    if (line == nullptr) return std::nullopt;
    Waiter& chosen = Queue::next(*line, worker);
    Queue::note_wait(
        chosen,
        now,
        Duration{queue_target_.load(std::memory_order_relaxed)},
        Duration{queue_interval_.load(std::memory_order_relaxed)}
    );
    std::optional<Taken> taken{
        std::in_place,
        chosen.client(),
        chosen.worker(),
        chosen.worker() == worker ? &chosen : nullptr,
        chosen.class_id(),
        chosen.pace(),
        queue_.charge(chosen, now, [&] { return estimate(chosen); })
    };
    waiting_.fetch_sub(line->one);
    queue_.leave(chosen);
    return taken;
}

// How long it will have its server.
Duration Shared::estimate(const Waiter& waiter) const
{
    const Duration mean = classes_.mean_of(waiter.class_id());
    if (mean > Duration::zero()) return mean;
    return waiter.pace() == Pace::slow ? Classes::slow_guess : guess;
}

void Shared::settle(const Charge& charge, Duration held)
{
    const std::scoped_lock lock{mutex_};
    queue_.settle(charge, held);
}

// While nobody is served at all, that is no reason to refuse anybody.
std::optional<Taken> Shared::take_overdue(TimePoint now)
{
    if (is_paused() || is_down()) return std::nullopt;
    const std::scoped_lock lock{mutex_};
    Waiter* const oldest = queue_.overdue(now, Duration{queue_timeout_.load()});
    std::optional<Taken> taken;
    if (oldest != nullptr) take(*oldest, taken);
    return taken;
}

bool Shared::is_overloaded(Lane lane) const
{
    const std::scoped_lock lock{mutex_};
    return queue_.is_overloaded(lane);
}

std::vector<Taken> Shared::take_all()
{
    const std::scoped_lock lock{mutex_};
    std::vector<Taken> all;
    std::optional<Taken> taken;
    while (Waiter* const waiter = queue_.any()) {
        take(*waiter, taken);
        all.push_back(*taken);
    }
    return all;
}

std::optional<TimePoint> Shared::oldest_since() const
{
    const std::scoped_lock lock{mutex_};
    return queue_.oldest_since();
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

void Shared::change_queue(ClassId id, Lane from, Pace pace)
{
    const Counts count = queue_.change_lane(id, from, pace);
    waiting_.fetch_add(count * one_of(lane_of(pace)) - count * one_of(from));
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
