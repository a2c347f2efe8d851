#include <pgweir/pool/shared.hpp>

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
      idle_(worker_count)
{
}

void Shared::configure(const Options& options)
{
    size_.store(options.size);
    max_waiting_.store(options.max_waiting);
    connect_parallel_max_.store(options.connect_parallel_max);
}

bool Shared::try_reserve() { return raise_below(total_, size()); }

bool Shared::try_start_open() { return raise_below(opening_, connect_parallel_max_.load()); }

Shared::Queued Shared::enqueue(Waiter& waiter)
{
    const std::scoped_lock lock{mutex_};
    if (waiting_.load() >= max_waiting_.load()) return Queued::refused;
    queue_.push_back(waiter);
    return waiting_.fetch_add(1) == 0 ? Queued::first : Queued::behind;
}

bool Shared::withdraw(Waiter& waiter)
{
    const std::scoped_lock lock{mutex_};
    if (!waiter.is_linked()) return false;
    queue_.erase(queue_.iterator_to(waiter));
    waiting_.fetch_sub(1);
    return true;
}

std::optional<Taken> Shared::take_for(WorkerId worker)
{
    const std::scoped_lock lock{mutex_};
    if (queue_.empty() || is_paused()) return std::nullopt;
    const auto chosen = choose(worker);
    const bool is_own = chosen->worker() == worker;
    const Taken taken{chosen->client(), chosen->worker(), is_own ? &*chosen : nullptr};
    queue_.erase(chosen);
    waiting_.fetch_sub(1);
    return taken;
}

std::vector<Taken> Shared::take_all()
{
    const std::scoped_lock lock{mutex_};
    std::vector<Taken> all;
    while (!queue_.empty()) {
        all.push_back({queue_.front().client(), queue_.front().worker(), nullptr});
        queue_.pop_front();
        waiting_.fetch_sub(1);
    }
    return all;
}

std::optional<TimePoint> Shared::oldest_since() const
{
    const std::scoped_lock lock{mutex_};
    if (queue_.empty()) return std::nullopt;
    return queue_.front().since();
}

// The look ahead is bounded: with a thousand waiters of other workers the oldest simply goes.
Shared::Queue::iterator Shared::choose(WorkerId worker)
{
    constexpr int look_ahead_max = 64;

    const TimePoint latest = queue_.front().since() + local_preference;
    int looked_at = 0;
    for (auto waiter = queue_.begin(); waiter != queue_.end(); ++waiter) {
        if (waiter->since() > latest || ++looked_at > look_ahead_max) break;
        if (waiter->worker() == worker) return waiter;
    }
    return queue_.begin();
}

// Sequentially consistent on purpose, like `waiting_`: whoever queues looks at these counts after
// raising `waiting_`, whoever gives back looks at `waiting_` after raising its count. So at least
// one of the two sees the other, and no waiter is left beside an idle server.
void Shared::publish_idle(WorkerId worker, std::uint32_t count)
{
    idle_[index_of(worker)].count.store(count);
}

std::uint32_t Shared::idle(WorkerId worker) const { return idle_[index_of(worker)].count.load(); }

std::optional<WorkerId> Shared::worker_with_idle(WorkerId except) const
{
    std::optional<WorkerId> best;
    std::uint32_t most = 0;
    for (std::uint32_t i = 0; i < idle_.size(); ++i) {
        const WorkerId worker{i};
        if (worker == except || idle(worker) <= most) continue;
        most = idle(worker);
        best = worker;
    }
    return best;
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
