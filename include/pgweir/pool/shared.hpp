// What all workers know of one pool: the bound, the queue, and how many idle servers each of them
// has. The only place below net/ that knows of threads; the decisions are in core.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/base/light_mutex.hpp>
#include <pgweir/pool/options.hpp>

#include <boost/intrusive/list.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgweir::pool {

inline constexpr std::size_t cache_line_size = 64;

/// A client's place in the queue. Lives in its session, and belongs to the queue while linked.
class Waiter : public boost::intrusive::list_base_hook<> {
public:
    Waiter(ClientId client, WorkerId worker) : client_{client}, worker_{worker} {}

    [[nodiscard]] ClientId client() const { return client_; }
    [[nodiscard]] WorkerId worker() const { return worker_; }
    [[nodiscard]] TimePoint since() const { return since_; }
    void start(TimePoint now) { since_ = now; }
    /// Its client has gone to another worker, and waits for nothing.
    void move_to(WorkerId worker) { worker_ = worker; }

private:
    ClientId client_;
    WorkerId worker_;
    TimePoint since_{};
};

/// Who was taken from the queue. `own` is null for another worker's waiter: it may be gone by the
/// time anybody looks.
struct Taken {
    ClientId client;
    WorkerId worker;
    Waiter* own;
};

/// First come, first served, but for one thing: a waiter of the worker that has the server goes
/// first when it came at most `local_preference` later, because moving a server between workers
/// costs more than that. Measured: design notes in src/ARCHITECTURE.md.
class Shared {
public:
    static constexpr Duration local_preference = std::chrono::milliseconds{2};

    Shared(std::uint32_t worker_count, const Options& options);

    /// New limits take effect at once; servers above a smaller size are closed as they come back.
    void configure(const Options& options);

    // The bound. A place is taken before a connect starts and given back when the server is gone.
    [[nodiscard]] bool try_reserve();
    void unreserve() { total_.fetch_sub(1); }
    [[nodiscard]] std::uint32_t total() const { return total_.load(); }
    [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool is_over_size() const { return total() > size(); }

    // Connects on their way, all workers together.
    [[nodiscard]] bool try_start_open();
    void end_open() { opening_.fetch_sub(1); }
    [[nodiscard]] std::uint32_t opening() const { return opening_.load(); }

    // The queue. `waiting` may be read without the lock: zero means that nobody is overtaken.
    [[nodiscard]] std::uint32_t waiting() const { return waiting_.load(); }
    enum class Queued : std::uint8_t {
        first, // nobody else waits
        behind,
        refused, // max_waiting
    };
    [[nodiscard]] Queued enqueue(Waiter& waiter);
    /// False: it was taken already, and a server (or a refusal) is on its way to it.
    bool withdraw(Waiter& waiter);
    [[nodiscard]] std::optional<Taken> take_for(WorkerId worker);
    [[nodiscard]] std::vector<Taken> take_all();
    /// When the one that has waited longest came. Empty: nobody waits.
    [[nodiscard]] std::optional<TimePoint> oldest_since() const;

    // How many idle servers each worker has: written by its owner only.
    void publish_idle(WorkerId worker, std::uint32_t count);
    [[nodiscard]] std::uint32_t idle(WorkerId worker) const;
    [[nodiscard]] std::optional<WorkerId> worker_with_idle(WorkerId except) const;

    void pause(bool on) { paused_.store(on); }
    [[nodiscard]] bool is_paused() const { return paused_.load(std::memory_order_relaxed); }

    // After a failed connect nobody tries again before this time.
    void retry_not_before(TimePoint time);
    [[nodiscard]] bool may_open(TimePoint now) const;

private:
    struct alignas(cache_line_size) IdleCount {
        std::atomic<std::uint32_t> count{0};
    };
    using Queue = boost::intrusive::list<Waiter>;

    [[nodiscard]] Queue::iterator choose(WorkerId worker);

    std::atomic<std::uint32_t> size_;
    std::atomic<std::uint32_t> max_waiting_;
    std::atomic<std::uint32_t> connect_parallel_max_;
    std::atomic<bool> paused_{false};
    std::atomic<TimePoint::rep> retry_at_{TimePoint::min().time_since_epoch().count()};

    alignas(cache_line_size) std::atomic<std::uint32_t> total_{0};
    std::atomic<std::uint32_t> opening_{0};
    alignas(cache_line_size) std::atomic<std::uint32_t> waiting_{0};
    mutable LightMutex mutex_; // guards queue_; nothing is called while it is held
    Queue queue_;
    std::vector<IdleCount> idle_;
};

} // namespace pgweir::pool
