// One worker's share of a pool: decides which client gets which server connection, and when. No
// sockets, no clock: the driver says what happened and when, and carries out the commands in order.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/pool/error.hpp>
#include <pgweir/pool/options.hpp>
#include <pgweir/pool/shared.hpp>

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace pgweir::pool {

/// What the pool must know of a server connection; the connection itself derives from it.
class Slot {
public:
    TimePoint idle_since{};
    TimePoint expires_at = TimePoint::max(); // server_lifetime with its jitter
    std::uint64_t state_hash = 0;            // of its session settings: equal ones fit at once
    bool is_unwanted = false; // RECONNECT or a new upstream: close when it comes back
};

enum class CloseReason {
    idle_too_long, // server_idle_timeout
    too_old,       // server_lifetime
    over_size,     // the pool was made smaller
    unwanted,      // the upstream has changed, or an operator asked for fresh connections
};

// clang-format off
struct Open   {};                                           // connect, then opened() or open_failed()
struct Close  { Slot* slot; CloseReason reason; };          // its place is given back already
struct Grant  { Taken to; Slot* slot; };                    // another worker: move it there
struct Refuse { WorkerId worker; ClientId client; Errc reason; };
struct Ask    { WorkerId worker; };                         // make that worker call asked()
// clang-format on
using Command = std::variant<Open, Close, Grant, Refuse, Ask>;

/// When a server that was opened at `opened` is replaced: after server_lifetime, which is spread by
/// server_lifetime_jitter, so that a pool that was opened at once is not closed at once. max():
/// never.
[[nodiscard]] TimePoint expiry(TimePoint opened, const Options& options, std::uint64_t seed);

/// Not thread-safe: one for each worker and pool. They meet in Shared.
class Core {
public:
    Core(Shared& shared, WorkerId self, const Options& options)
        : shared_{shared}, self_{self}, options_{options}
    {
    }

    void configure(const Options& options) { options_ = options; }

    /// A server at once, or none: then the waiter is in the queue and a Grant or Refuse follows,
    /// or an error says why it may not even queue.
    struct Answer {
        Slot* slot = nullptr;
        ErrorCode error;
    };
    /// `last`: the server that the client had the last time, if it still exists. What PostgreSQL
    /// keeps for a session and tells nobody (plans of functions, statistics to be sent) is there.
    [[nodiscard]] Answer acquire(
        Waiter& waiter, TimePoint now, std::uint64_t state_hash, const Slot* last = nullptr
    );

    /// The client does not want a server any more. False: a Grant or Refuse is on its way to it.
    bool withdraw(Waiter& waiter) { return shared_.withdraw(waiter); }

    /// A clean server comes back, arrives from another worker, or was just opened.
    void release(Slot& slot, TimePoint now);
    void opened(Slot& slot, TimePoint now);

    /// An idle server that was taken out by forget_idle() to be looked at, and is well.
    void checked(Slot& slot, TimePoint now);

    void open_failed(TimePoint now);
    /// A server that this worker held (or had idle) is gone.
    void lost(TimePoint now);
    /// An idle server died or must die: takes it out of the stack. Follow with lost().
    void forget_idle(Slot& slot);
    /// Another worker has a client for one of our idle servers.
    void asked(TimePoint now) { serve_queue(now); }
    /// Now and then, about once a second: lifetimes, the minimum, and a second look at the queue.
    void tick(TimePoint now);
    /// Everything idle is to be closed as soon as possible, what is busy when it comes back.
    void close_idle(CloseReason reason);

    [[nodiscard]] bool has_commands() const { return next_command_ < commands_.size(); }
    /// In order; there must be one. What carrying it out leads to comes behind those that are there
    /// already.
    [[nodiscard]] Command next_command();
    [[nodiscard]] std::size_t idle_count() const { return idle_.size(); }

private:
    [[nodiscard]] Slot* take_idle(std::uint64_t state_hash, const Slot* last);
    [[nodiscard]] std::optional<CloseReason> must_close(const Slot& slot, TimePoint now) const;
    bool close_if_due(Slot& slot, TimePoint now);
    void close(Slot& slot, CloseReason reason);
    void grant(const Taken& waiter, Slot& slot) { commands_.emplace_back(Grant{waiter, &slot}); }
    void serve_queue(TimePoint now);
    void open_for_waiters(TimePoint now);
    bool open_one(TimePoint now);
    void publish() { shared_.publish_idle(self_, static_cast<std::uint32_t>(idle_.size())); }

    Shared& shared_;
    WorkerId self_;
    Options options_;
    std::vector<Slot*> idle_; // last used is last, and goes first: its caches are warm
    std::vector<Command> commands_;
    std::size_t next_command_ = 0; // before it: given out
};

} // namespace pgweir::pool
