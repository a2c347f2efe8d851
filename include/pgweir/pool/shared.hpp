// What all workers know of one pool: the bound, the queue, and how many idle servers each of them
// has. The only place below net/ that knows of threads; the decisions are in core.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/base/light_mutex.hpp>
#include <pgweir/pool/budget.hpp>
#include <pgweir/pool/lanes.hpp>
#include <pgweir/pool/options.hpp>
#include <pgweir/pool/queue.hpp>
#include <pgweir/pool/waiter.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace pgweir::pool {

/// Whose turn it is, is the Queue's to say; but who is slow waits while the slow have as many
/// servers as they may (D-019).
class Shared {
public:
    static constexpr Duration local_preference = Queue::local_preference;
    /// Of a group that has had more than its share: how long the others may have the whole pool.
    static constexpr Duration lead_max = std::chrono::seconds{3};
    /// What a transaction is charged of which nothing is known.
    static constexpr Duration guess = std::chrono::milliseconds{10};

    Shared(std::uint32_t worker_count, const Options& options);

    /// New limits take effect at once; servers above a smaller size are closed as they come back.
    void configure(const Options& options);
    /// Before anything else: what it has counts there, too.
    void join(Budgets& budgets, Party* party, const std::string& database, const std::string& user);

    // The bound. A place is taken before a connect starts and given back when the server is gone.
    // With budgets there may be none: if the caller insists, its worker is told when there is.
    [[nodiscard]] bool try_reserve(WorkerId worker, bool insists, Nudges& nudges);
    void unreserve(Nudges& nudges);
    [[nodiscard]] std::uint32_t total() const { return total_.load(); }
    [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool is_over_size() const { return total() > size(); }
    /// Not more than `size`, but that may be a lie: see below.
    [[nodiscard]] bool may_grow() const { return total() < ceiling_.load(); }
    /// It may have to give something up: to be looked at closely.
    [[nodiscard]] bool is_over_bound() const
    {
        return total() > bound_.load(std::memory_order_relaxed);
    }

    // Budgets. Under their lock only: a ceiling of zero spares those a question who are told when
    // there is an answer, a bound of zero has all that comes back looked at.
    void set_bounds(std::uint32_t ceiling, std::uint32_t bound)
    {
        ceiling_.store(ceiling);
        bound_.store(bound, std::memory_order_relaxed);
    }
    [[nodiscard]] bool has_budgets() const { return budgets_ != nullptr; }
    /// It waits for a place, and will be told.
    [[nodiscard]] bool is_starved() const { return ceiling_.load() == 0; }
    /// How many servers would be opened now if nothing was in the way.
    [[nodiscard]] std::uint32_t lacking() const;
    /// True: a server is given up, and its place is somebody else's already.
    [[nodiscard]] bool give_up(bool is_rested, Nudges& nudges);
    void return_unused(Nudges& nudges);
    /// For who is refused: the caps that are full. None: it is not for a cap.
    [[nodiscard]] std::vector<Budgets::Fullness> fullness() const;
    [[nodiscard]] Budgets::Holding holding() const;
    /// Clients that log in, and need the first server of the pool to be told of.
    void await_first() { first_awaited_.fetch_add(1); }
    void end_await_first() { first_awaited_.fetch_sub(1); }
    [[nodiscard]] bool is_first_awaited() const { return first_awaited_.load() > 0; }

    // Connects on their way, all workers together.
    [[nodiscard]] bool try_start_open();
    [[nodiscard]] bool may_start_open() const { return opening() < connect_parallel_max_.load(); }
    void end_open() { opening_.fetch_sub(1); }
    [[nodiscard]] std::uint32_t opening() const { return opening_.load(); }

    // The queue. The counts may be read without the lock: zero means that nobody is overtaken.
    [[nodiscard]] std::uint32_t waiting() const;
    [[nodiscard]] std::uint32_t waiting(Lane lane) const { return count_in(waiting_.load(), lane); }
    /// Whether one of this lane would overtake somebody who may go before him.
    [[nodiscard]] bool has_waiting_before(Lane lane) const
    {
        return (waiting_.load() & up_to(lane)) != 0;
    }
    /// Of those who wait, how many could have a server if there was one.
    [[nodiscard]] std::uint32_t admissible() const;
    [[nodiscard]] bool has_admissible() const
    {
        const Counts waiting = waiting_.load();
        return waiting != 0 && ((waiting & up_to(Lane::brief)) != 0 || admissible() > 0);
    }
    enum class Queued : std::uint8_t {
        first, // nobody else waits in its lane
        behind,
        refused, // max_waiting
    };
    /// `crowded_out`: who was refused in its place, of the group that waits with the most for its
    /// weight.
    [[nodiscard]] Queued enqueue(Waiter& waiter, std::optional<Taken>* crowded_out = nullptr);
    /// False: it was taken already, and a server (or a refusal) is on its way to it.
    bool withdraw(Waiter& waiter);
    [[nodiscard]] std::optional<Taken> take_for(WorkerId worker, TimePoint now);
    /// A server that was charged has been given back.
    void settle(const Charge& charge, Duration held);
    /// One who has waited for longer than is any use, in a queue that stands.
    [[nodiscard]] std::optional<Taken> take_overdue(TimePoint now);
    [[nodiscard]] bool is_overloaded(Lane lane) const;
    [[nodiscard]] std::vector<Taken> take_all();
    /// When the one that has waited longest came. Empty: nobody waits.
    [[nodiscard]] std::optional<TimePoint> oldest_since() const;

    // The lanes. Who is taken from the queue, or gets a server without waiting, is in.
    [[nodiscard]] Classes& classes() { return classes_; }
    [[nodiscard]] const Classes& classes() const { return classes_; }
    [[nodiscard]] bool try_enter(Pace pace)
    {
        return lane_of(pace) == Lane::brief || try_enter_long(pace);
    }
    void leave(Pace pace) { held_.fetch_sub(share_of(pace)); }
    /// One that was thought to be quicker is slow: perhaps one more than may be.
    void turn_slow(Pace from) { held_.fetch_add(share_of(Pace::slow) - share_of(from)); }
    /// A client keeps its server from now on: for what is shared, the pool is smaller by one.
    void park() { parked_.fetch_add(1); }
    void unpark() { parked_.fetch_sub(1); }
    /// Those who wait change lanes with their class, when it becomes slow or is not any more.
    void change_lane(ClassId id, Pace pace);
    /// What brief and quick work holds on average, in thousandths of a server: written by each
    /// worker.
    struct Loads {
        std::uint32_t brief;
        std::uint32_t quick;
    };
    void publish_loads(WorkerId worker, const Loads& loads);
    [[nodiscard]] std::uint32_t slow_held() const { return slow_in(held_.load()); }
    [[nodiscard]] std::uint32_t slow_max() const;
    /// Held by all that is not brief.
    [[nodiscard]] std::uint32_t long_held() const { return long_in(held_.load()); }
    [[nodiscard]] std::uint32_t long_max() const;
    [[nodiscard]] std::uint32_t parked() const { return parked_.load(); }

    // How many idle servers each worker has: written by its owner only.
    void publish_idle(WorkerId worker, std::uint32_t count);
    [[nodiscard]] std::uint32_t idle(WorkerId worker) const;
    [[nodiscard]] std::optional<WorkerId> worker_with_idle(WorkerId except) const;
    [[nodiscard]] std::optional<WorkerId> worker_with_idle() const
    {
        return worker_with_idle(WorkerId{~0U});
    }

    void pause(bool on) { paused_.store(on); }
    [[nodiscard]] bool is_paused() const { return paused_.load(std::memory_order_relaxed); }

    // After a failed connect nobody tries again before this time.
    void retry_not_before(TimePoint time);
    [[nodiscard]] bool may_open(TimePoint now) const;

    // The server was there, and is down for the moment: one connect at a time finds out when it is
    // back, and who waits goes on waiting for a while.
    void went_down(TimePoint now);
    void came_up();
    [[nodiscard]] bool is_down() const { return down_since_.load() != up; }
    [[nodiscard]] bool may_come_back(TimePoint now, Duration wait) const;

private:
    struct alignas(cache_line_size) WorkerShare {
        std::atomic<std::uint32_t> idle{0};
        std::atomic<std::uint32_t> brief_load{0};
        std::atomic<std::uint32_t> quick_load{0};
    };
    using Counts = LaneCounts;

    // What the lanes hold, in one word as well: all that is not brief above, what is slow below.
    using Held = std::uint64_t;
    [[nodiscard]] static constexpr Held share_of(Pace pace)
    {
        constexpr Held one = Held{1} << 32;
        if (pace == Pace::slow) return one + 1;
        return pace == Pace::quick ? one : 0;
    }
    [[nodiscard]] static constexpr std::uint32_t slow_in(Held held)
    {
        return static_cast<std::uint32_t>(held);
    }
    [[nodiscard]] static constexpr std::uint32_t long_in(Held held)
    {
        return static_cast<std::uint32_t>(held >> 32);
    }
    static constexpr std::uint32_t automatic = ~0U;
    static constexpr TimePoint::rep up = std::numeric_limits<TimePoint::rep>::max();

    void set_size(const Options& options);
    [[nodiscard]] bool try_enter_long(Pace pace);
    [[nodiscard]] Queue::Line* next_line();
    [[nodiscard]] Queue::Line* next_of_all();
    [[nodiscard]] Duration estimate(const Waiter& waiter) const;
    void take(Waiter& waiter, std::optional<Taken>& taken);
    void take(Waiter& waiter);
    void change_queue(ClassId id, Lane from, Pace pace);
    [[nodiscard]] std::uint32_t load_of(std::atomic<std::uint32_t> WorkerShare::* load) const;

    std::atomic<std::uint32_t> size_;
    std::atomic<std::uint32_t> ceiling_{0}; // for opening
    std::atomic<std::uint32_t> bound_{0};   // for keeping
    std::atomic<std::uint32_t> max_waiting_;
    std::atomic<std::uint32_t> connect_parallel_max_;
    std::atomic<std::uint32_t> quick_reserve_;   // or `automatic`
    std::atomic<Duration::rep> queue_target_{0}; // the greatest value: there is none
    std::atomic<Duration::rep> queue_interval_{0};
    std::atomic<Duration::rep> queue_timeout_{0}; // likewise
    std::atomic<bool> paused_{false};
    std::atomic<bool> was_up_{false};
    std::atomic<TimePoint::rep> down_since_{up};
    std::atomic<TimePoint::rep> retry_at_{TimePoint::min().time_since_epoch().count()};

    alignas(cache_line_size) std::atomic<std::uint32_t> total_{0};
    std::atomic<std::uint32_t> opening_{0};
    std::atomic<std::uint32_t> parked_{0};
    std::atomic<std::uint32_t> first_awaited_{0};
    alignas(cache_line_size) std::atomic<Counts> waiting_{0};
    std::atomic<Held> held_{0};
    mutable LightMutex mutex_; // guards the next; nothing is called while it is held
    Queue queue_;
    std::vector<WorkerShare> workers_;
    Classes classes_;
    Budgets* budgets_ = nullptr;
    Budgets::Member* member_ = nullptr;
};

} // namespace pgweir::pool
