// One worker's share of a pool: decides which client gets which server connection, and when. No
// sockets, no clock: the driver says what happened and when, and carries out the commands in order.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/pool/error.hpp>
#include <pgweir/pool/fair.hpp>
#include <pgweir/pool/lanes.hpp>
#include <pgweir/pool/options.hpp>
#include <pgweir/pool/shared.hpp>

#include <cstdint>
#include <optional>
#include <random>
#include <variant>
#include <vector>

namespace pgweir::pool {

/// What the one who has a server now was taken for.
struct Lease {
    enum class Kind : std::uint8_t { none, counted, parked };

    TimePoint since{};
    ClassId class_id = ClassId::none;
    Pace pace = Pace::any;
    Kind kind = Kind::none;
    bool is_guessed = false; // that it is slow: it had not ended by then
    bool is_resting = false; // its client thinks, in an open transaction
    Charge charge{};
};

/// What the pool must know of a server connection; the connection itself derives from it.
class Slot {
public:
    Lease lease;
    TimePoint idle_since{};
    TimePoint expires_at = TimePoint::max(); // server_lifetime with its jitter
    std::uint64_t state_hash = 0;            // of its session settings: equal ones fit at once
    bool is_unwanted = false; // RECONNECT or a new upstream: close when it comes back
};

enum class CloseReason {
    idle_too_long, // server_idle_timeout
    too_old,       // server_lifetime
    over_size,     // the pool was made smaller
    evicted,       // another pool needs its place more: see Budgets
    unwanted,      // the upstream has changed, or an operator asked for fresh connections
};

// clang-format off
struct Open   {};                                           // connect, then opened() or open_failed()
struct Close  { Slot* slot; CloseReason reason; };          // its place is given back already
struct Grant  { Taken to; Slot* slot; };                    // another worker: move it there
struct Refuse { WorkerId worker; ClientId client; Errc reason; };
struct Ask    { WorkerId worker; };                         // make that worker call asked()
// and Nudge: make that worker of that pool call nudged()
// clang-format on
using Command = std::variant<Open, Close, Grant, Refuse, Ask, Nudge>;

/// When a server that was opened at `opened` is replaced: after server_lifetime, which is spread by
/// server_lifetime_jitter, so that a pool that was opened at once is not closed at once. max():
/// never.
[[nodiscard]] TimePoint expiry(TimePoint opened, const Options& options, std::uint64_t seed);

/// Not thread-safe: one for each worker and pool. They meet in Shared.
class Core {
public:
    /// `seed`: of the pauses between connects that fail.
    Core(Shared& shared, WorkerId self, const Options& options, std::uint32_t seed = 1)
        : shared_{shared},
          self_{self},
          options_{options},
          has_lanes_{has_lanes(options)},
          random_{seed}
    {
    }

    void configure(const Options& options)
    {
        options_ = options;
        has_lanes_ = has_lanes(options);
    }

    /// A server at once, or none: then the waiter is in the queue and a Grant or Refuse follows,
    /// or an error says why it may not even queue.
    struct Answer {
        Slot* slot = nullptr;
        ErrorCode error;
    };
    struct Request {
        ClassId class_id = ClassId::none;
        std::uint64_t state_hash = 0;
        /// The server that the client had the last time, if it still exists. What PostgreSQL keeps
        /// for a session and tells nobody (plans of functions, statistics to be sent) is there.
        const Slot* last = nullptr;
        Pace pace = Pace::any; // filled in
    };
    [[nodiscard]] Answer acquire(Waiter& waiter, TimePoint now, Request request)
    {
        if (Slot* const slot = take_idle_for(request, now)) return {slot, {}};
        const auto error = wait(waiter, now, request);
        return {nullptr, error ? make_error_code(*error) : ErrorCode{}};
    }

    // … its two halves, for who has something to do in between.

    /// Null: there is none at once. This is the whole hot path: no lock, and no write that another
    /// worker reads but the count of our own idle servers.
    [[nodiscard]] Slot* take_idle_for(Request& request, TimePoint now)
    {
        const bool is_told_apart = has_lanes_ && request.class_id != ClassId::none;
        request.pace = is_told_apart ? shared_.classes().pace_of(request.class_id) : Pace::any;
        const bool somebody_is_overtaken = shared_.has_waiting_before(lane_of(request.pace));
        if (somebody_is_overtaken || shared_.is_paused() || idle_.empty()) return nullptr;
        return shared_.try_enter(request.pace) ? lend_idle(request, now) : nullptr;
    }
    /// Why it may not even queue.
    [[nodiscard]] std::optional<Errc> wait(Waiter& waiter, TimePoint now, const Request& request);

    /// The client does not want a server any more. False: a Grant or Refuse is on its way to it.
    bool withdraw(Waiter& waiter) { return shared_.withdraw(waiter); }

    /// A clean server comes back. Whom it goes to at once, if that is a waiter of this worker; else
    /// the commands say what becomes of it.
    [[nodiscard]] Waiter* release(Slot& slot, TimePoint now);
    /// One was just opened.
    void opened(Slot& slot, TimePoint now);
    /// Whom it was granted to does not want it any more: nothing is learned from that.
    void take_back(Slot& slot, TimePoint now);

    /// An idle server that was taken out by forget_idle() to be looked at, and is well.
    void checked(Slot& slot, TimePoint now);

    /// `is_down`: it is not there, not ready or full, which may be over soon.
    void open_failed(TimePoint now, bool is_down);
    /// A server that this worker held (or had idle) is gone.
    void lost(Slot& slot, TimePoint now);
    /// One that was parked is gone already.
    void lost_parked(TimePoint now);
    /// An idle server died or must die: takes it out of the stack. Follow with lost().
    void forget_idle(Slot& slot);
    /// Another worker has a client for one of our idle servers.
    void asked(TimePoint now) { serve_queue(now); }
    /// A place in a budget is needed by others, or there is one for this pool.
    void nudged(TimePoint now);
    /// Its client keeps it, and is not served from the pool while it does.
    void park(Slot& slot, TimePoint now);
    /// Its client thinks, in an open transaction: the server is no use to others, but no slow work
    /// either.
    void rest(Slot& slot, TimePoint now);
    /// It has something to do again.
    void resume(Slot& slot)
    {
        if (slot.lease.is_resting) end_rest(slot);
    }
    /// Now and then, some dozen times a second, for each server that is lent: has it been for so
    /// long that this is slow? True: not yet, and it is to be looked at again.
    bool look_at(Slot& slot, TimePoint now);
    /// Now and then, about twice a second: lifetimes, the minimum, and a second look at the queue.
    void tick(TimePoint now);
    /// Everything idle is to be closed as soon as possible, what is busy when it comes back.
    void close_idle(CloseReason reason);

    [[nodiscard]] bool has_commands() const { return next_command_ < commands_.size(); }
    /// In order; there must be one. What carrying it out leads to comes behind those that are there
    /// already.
    [[nodiscard]] Command next_command();
    [[nodiscard]] std::size_t idle_count() const { return idle_.size(); }
    [[nodiscard]] bool tells_apart() const { return has_lanes_; }

private:
    [[nodiscard]] Slot* lend_idle(const Request& request, TimePoint now);
    [[nodiscard]] Slot* take_idle(const Request& request, TimePoint now);
    [[nodiscard]] std::vector<Slot*>::reverse_iterator choose_idle(
        std::uint64_t state_hash, TimePoint now
    );
    [[nodiscard]] std::optional<CloseReason> must_close(const Slot& slot, TimePoint now);
    [[nodiscard]] std::optional<CloseReason> must_give();
    bool close_if_due(Slot& slot, TimePoint now)
    {
        const bool may_be = slot.is_unwanted || now >= slot.expires_at || shared_.is_over_bound();
        return may_be && close_due(slot, now);
    }
    bool close_due(Slot& slot, TimePoint now);
    void close_and_serve(Slot& slot, CloseReason reason, TimePoint now);
    void close(Slot& slot, CloseReason reason);
    void grant(const Taken& waiter, Slot& slot, TimePoint now);
    void release_by_command(Slot& slot, TimePoint now);
    static void begin_lease(Slot& slot, TimePoint now, ClassId id, Pace pace, const Charge& charge);
    bool end_lease(Slot& slot, TimePoint now);
    bool end_special_lease(Slot& slot, TimePoint now, std::uint32_t count);
    void end_rest(Slot& slot);
    void turn_slow(const Lease& lease);
    void uncount_slow(const Lease& lease);
    void lost_place(TimePoint now);
    [[nodiscard]] bool is_hopeless(TimePoint now) const;
    [[nodiscard]] Duration retry_pause();
    void serve_queue(TimePoint now);
    void refuse_overdue(TimePoint now);
    void refuse(const Taken& waiter, Errc reason);
    void open_for_waiters(TimePoint now);
    void open_some(TimePoint now);
    bool open_one(TimePoint now, bool insists);
    void unreserve();
    void tick_budgets(TimePoint now);
    void use_places(TimePoint now);
    void give_idle(TimePoint now);
    void close_oldest(CloseReason reason);
    void pass_nudges_on();
    void publish() { shared_.publish_idle(self_, static_cast<std::uint32_t>(idle_.size())); }

    Shared& shared_;
    WorkerId self_;
    Options options_;
    bool has_lanes_;
    std::uint32_t passed_over_ = 0; // leases that nothing was learned from
    std::minstd_rand random_;
    LaneLoad brief_load_;
    LaneLoad quick_load_;
    std::vector<Slot*> idle_; // last used is last, and goes first: its caches are warm
    std::vector<Command> commands_;
    std::size_t next_command_ = 0; // before it: given out
    Nudges nudges_;                // empty between two calls
};

} // namespace pgweir::pool
