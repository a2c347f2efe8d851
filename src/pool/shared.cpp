#include <pgweir/pool/shared.hpp>

#include <algorithm>
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

constexpr int look_ahead_max = 64; // for one's own among the waiters of others

// Zero is none.
Duration limit(Duration chosen) { return chosen > Duration::zero() ? chosen : Duration::max(); }

// The queue's lock is held: so its session is still there.
std::optional<Taken> taken(const Waiter& waiter, Waiter* own)
{
    return std::optional<Taken>{
        std::in_place, waiter.client(), waiter.worker(), own, waiter.class_id(), waiter.pace()
    };
}

} // namespace

Shared::Shared(std::uint32_t worker_count, const Options& options) : workers_(worker_count)
{
    for (const Lane lane : lanes) line_of(lane).one = one_of(lane);
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
    for (Line& line : lines_) line.standing.begin();
}

bool Shared::try_start_open() { return raise_below(opening_, connect_parallel_max_.load()); }

Shared::Queued Shared::enqueue(Waiter& waiter)
{
    const Lane lane = lane_of(waiter.pace());
    const std::scoped_lock lock{mutex_};
    Line& line = line_of(lane);
    if (queued_ >= max_waiting_.load(std::memory_order_relaxed)) {
        line.standing.let_down();
        return Queued::refused;
    }
    const bool is_first = line.queue.empty();
    insert(line, line.queue.end(), waiter);
    return is_first ? Queued::first : Queued::behind;
}

std::uint32_t Shared::waiting() const
{
    const Counts waiting = waiting_.load();
    return count_in(waiting, Lane::brief) + count_in(waiting, Lane::quick)
           + count_in(waiting, Lane::slow);
}

void Shared::insert(Line& line, const Queue::iterator& place, Waiter& waiter)
{
    if (line.queue.empty()) line.standing.begin();
    line.queue.insert(place, waiter);
    ++queued_;
    waiting_.fetch_add(line.one);
}

void Shared::erase(Line& line, Waiter& waiter)
{
    line.queue.erase(line.queue.iterator_to(waiter));
    --queued_;
    waiting_.fetch_sub(line.one);
}

bool Shared::withdraw(Waiter& waiter)
{
    const std::scoped_lock lock{mutex_};
    if (!waiter.is_linked()) return false;
    Line& line = line_of(lane_of(waiter.pace()));
    line.standing.let_down();
    erase(line, waiter);
    return true;
}

// Whose turn it is: he is counted already. Null: nobody's.
Shared::Line* Shared::next_line()
{
    const Counts waiting = waiting_.load();
    if (waiting == 0) return nullptr;
    const bool is_simple = waiting <= up_to(Lane::brief);
    return is_simple ? &line_of(Lane::brief) : next_of_all();
}

// Who has waited longest, of those who may.
Shared::Line* Shared::next_of_all()
{
    std::array<Line*, lanes.size()> left{};
    std::size_t count = 0;
    for (Line& line : lines_) {
        if (!line.queue.empty()) left.at(count++) = &line;
    }
    const auto is_older = [](const Line* one, const Line* other) {
        return one->queue.front().since() < other->queue.front().since();
    };
    std::stable_sort(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), is_older);
    for (std::size_t i = 0; i < count; ++i) {
        if (try_enter(left.at(i)->queue.front().pace())) return left.at(i);
    }
    return nullptr;
}

std::optional<Taken> Shared::take_for(WorkerId worker, TimePoint now)
{
    const std::scoped_lock lock{mutex_};
    if (is_paused()) return std::nullopt;
    Line* const line = next_line();
    if (line == nullptr) return std::nullopt;
    const bool is_turn_of_newest = line->standing.is_turn_of_newest();
    Waiter& chosen = is_turn_of_newest ? choose_newest(line->queue, worker)
                                       : choose(line->queue, worker);
    note_wait(*line, now - chosen.since(), now);
    erase(*line, chosen);
    return taken(chosen, chosen.worker() == worker ? &chosen : nullptr);
}

// Who asks for something slow is used to waiting, and a burst of it takes as long as it takes: a
// wait that means trouble for others is an everyday thing there.
void Shared::note_wait(Line& line, Duration wait, TimePoint now)
{
    if (wait.count() < queue_target_.load(std::memory_order_relaxed)) {
        line.standing.served_in_time();
    } else if (&line != &line_of(Lane::slow)) {
        line.standing.served_late(now, Duration{queue_interval_.load(std::memory_order_relaxed)});
    }
}

// While nobody is served at all, that is no reason to refuse anybody.
std::optional<Taken> Shared::take_overdue(TimePoint now)
{
    if (is_paused() || is_down()) return std::nullopt;
    const std::scoped_lock lock{mutex_};
    for (Line& line : lines_) {
        if (line.queue.empty() || !line.standing.is_overloaded()) continue;
        Waiter& oldest = line.queue.front();
        if ((now - oldest.since()).count() < queue_timeout_.load()) continue;
        erase(line, oldest);
        return taken(oldest, nullptr);
    }
    return std::nullopt;
}

bool Shared::is_overloaded(Lane lane) const
{
    const std::scoped_lock lock{mutex_};
    const Line& line = lines_.at(static_cast<std::size_t>(lane));
    return line.standing.is_overloaded() && !line.queue.empty();
}

std::vector<Taken> Shared::take_all()
{
    const std::scoped_lock lock{mutex_};
    std::vector<Taken> all;
    for (Line& line : lines_) {
        while (!line.queue.empty()) {
            Waiter& waiter = line.queue.front();
            all.push_back({waiter.client(), waiter.worker(), nullptr});
            erase(line, waiter);
        }
    }
    return all;
}

std::optional<TimePoint> Shared::oldest_since() const
{
    const std::scoped_lock lock{mutex_};
    std::optional<TimePoint> oldest;
    for (const Line& line : lines_) {
        if (line.queue.empty()) continue;
        const TimePoint since = line.queue.front().since();
        if (!oldest || since < *oldest) oldest = since;
    }
    return oldest;
}

// The look ahead is bounded: with a thousand waiters of other workers the oldest simply goes.
Waiter& Shared::choose(Queue& queue, WorkerId worker)
{
    const TimePoint latest = queue.front().since() + local_preference;
    int looked_at = 0;
    for (auto waiter = queue.begin(); waiter != queue.end(); ++waiter) {
        if (waiter->since() > latest || ++looked_at > look_ahead_max) break;
        if (waiter->worker() == worker) return *waiter;
    }
    return queue.front();
}

Waiter& Shared::choose_newest(Queue& queue, WorkerId worker)
{
    const TimePoint earliest = queue.back().since() - local_preference;
    int looked_at = 0;
    for (auto waiter = queue.rbegin(); waiter != queue.rend(); ++waiter) {
        if (waiter->since() < earliest || ++looked_at > look_ahead_max) break;
        if (waiter->worker() == worker) return *waiter;
    }
    return queue.back();
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
    Line& old = line_of(from);
    Line& to = line_of(lane_of(pace));
    auto place = to.queue.begin();
    for (auto next = old.queue.begin(); next != old.queue.end();) {
        Waiter& waiter = *next++;
        if (waiter.class_id() != id || waiter.pace() == Pace::any) continue;
        erase(old, waiter);
        waiter.change_pace(pace);
        const auto is_later = [&](const Waiter& each) { return each.since() > waiter.since(); };
        place = std::find_if(place, to.queue.end(), is_later);
        insert(to, place, waiter);
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
