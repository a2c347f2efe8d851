#include <pgweir/pool/core.hpp>

#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <random>

namespace pgweir::pool {

TimePoint expiry(TimePoint opened, const Options& options, std::uint64_t seed)
{
    if (options.server_lifetime <= Duration::zero()) return TimePoint::max();
    std::minstd_rand random{static_cast<std::uint_fast32_t>(seed * 2'654'435'761U + 1)};
    const auto jitter = static_cast<int>(options.server_lifetime_jitter);
    std::uniform_int_distribution<int> percent{100 - jitter, 100 + jitter};
    return opened + options.server_lifetime * percent(random) / 100;
}

// The first two lines are the whole hot path: no lock, and no write that another worker reads
// but the count of our own idle servers.
Core::Answer Core::acquire(
    Waiter& waiter, TimePoint now, std::uint64_t state_hash, const Slot* last
)
{
    const bool nobody_is_overtaken = shared_.waiting() == 0 && !shared_.is_paused();
    if (nobody_is_overtaken && !idle_.empty()) return {take_idle(state_hash, last), {}};

    const bool hopeless = shared_.total() == 0 && !shared_.may_open(now);
    if (hopeless) return {nullptr, Errc::server_unreachable};

    waiter.start(now);
    const auto queued = shared_.enqueue(waiter);
    if (queued == Shared::Queued::refused) return {nullptr, Errc::too_many_waiting};
    if (queued == Shared::Queued::first || !idle_.empty()) {
        serve_queue(now);
    } else {
        open_for_waiters(now); // who came first has asked the other workers
    }
    return {};
}

// From hand to hand while clients wait: it is not idle in between.
void Core::release(Slot& slot, TimePoint now)
{
    if (close_if_due(slot, now)) return;
    slot.idle_since = now;
    if (idle_.empty() && shared_.waiting() > 0) {
        if (const auto waiter = shared_.take_for(self_)) {
            grant(*waiter, slot);
            return open_for_waiters(now);
        }
    }
    idle_.push_back(&slot);
    publish();
    if (shared_.waiting() > 0) serve_queue(now);
}

void Core::opened(Slot& slot, TimePoint now)
{
    shared_.end_open();
    release(slot, now);
}

// It stays as old as it was, and goes below those that were really used.
void Core::checked(Slot& slot, TimePoint now)
{
    if (close_if_due(slot, now)) return; // a RECONNECT came while it was being looked at
    idle_.insert(idle_.begin(), &slot);
    publish();
    if (shared_.waiting() > 0) serve_queue(now);
}

// Whoever waits for a server that nobody has is told at once. While other servers live, their
// release will serve the queue, and a later tick tries to open again.
void Core::open_failed(TimePoint now)
{
    shared_.end_open();
    shared_.unreserve();
    shared_.retry_not_before(now + options_.server_login_retry);
    if (shared_.total() > 0) return;
    for (const Taken& waiter : shared_.take_all()) {
        commands_.emplace_back(Refuse{waiter.worker, waiter.client, Errc::server_unreachable});
    }
}

void Core::lost(TimePoint now)
{
    shared_.unreserve();
    open_for_waiters(now);
}

void Core::forget_idle(Slot& slot)
{
    std::erase(idle_, &slot);
    publish();
}

void Core::tick(TimePoint now)
{
    for (std::size_t i = 0; i < idle_.size();) {
        Slot& slot = *idle_[i];
        const bool unused = options_.server_idle_timeout > Duration::zero()
                            && now - slot.idle_since >= options_.server_idle_timeout
                            && shared_.total() > options_.min_size;
        const auto reason = unused ? CloseReason::idle_too_long : must_close(slot, now);
        if (!reason) {
            ++i;
            continue;
        }
        idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
        publish();
        close(slot, *reason);
    }
    if (shared_.waiting() > 0) serve_queue(now);

    // One worker keeps the pool warm, or all of them would.
    const bool keeper = self_ == WorkerId{0};
    while (keeper && shared_.total() < options_.min_size && open_one(now)) {
    }
}

void Core::close_idle(CloseReason reason)
{
    for (Slot* slot : idle_) close(*slot, reason);
    idle_.clear();
    publish();
}

Command Core::next_command()
{
    PGWEIR_ASSERT(has_commands());
    const Command command = commands_[next_command_++];
    if (!has_commands()) {
        commands_.clear();
        next_command_ = 0;
    }
    return command;
}

// A server whose settings fit needs no SET; further down than this it is not worth the search.
Slot* Core::take_idle(std::uint64_t state_hash, const Slot* last)
{
    const auto fits = [&](const Slot* slot) { return slot->state_hash == state_hash; };
    const auto top = [this](std::size_t depth) {
        return idle_.rbegin() + static_cast<std::ptrdiff_t>(std::min(idle_.size(), depth));
    };
    // By its address: it may be gone.
    auto chosen = std::ranges::find(idle_.rbegin(), top(32), last);
    const bool has_last = chosen != top(32) && fits(*chosen);
    if (!has_last) chosen = std::ranges::find_if(idle_.rbegin(), top(8), fits);
    if (!has_last && chosen == top(8)) chosen = idle_.rbegin();

    Slot* const slot = *chosen;
    idle_.erase(std::next(chosen).base());
    publish();
    return slot;
}

std::optional<CloseReason> Core::must_close(const Slot& slot, TimePoint now) const
{
    if (slot.is_unwanted) return CloseReason::unwanted;
    if (now >= slot.expires_at) return CloseReason::too_old;
    if (shared_.is_over_size()) return CloseReason::over_size;
    return std::nullopt;
}

bool Core::close_if_due(Slot& slot, TimePoint now)
{
    const auto reason = must_close(slot, now);
    if (!reason) return false;
    close(slot, *reason);
    open_for_waiters(now);
    return true;
}

void Core::close(Slot& slot, CloseReason reason)
{
    shared_.unreserve();
    commands_.emplace_back(Close{&slot, reason});
}

// Whoever finds servers for some of the waiters asks on for the others: so it is enough that the
// first of a queue has asked.
void Core::serve_queue(TimePoint now)
{
    while (!idle_.empty()) {
        const auto waiter = shared_.take_for(self_);
        if (!waiter) return;
        Slot* const slot = idle_.back();
        idle_.pop_back();
        publish();
        grant(*waiter, *slot);
    }
    if (shared_.waiting() == 0 || shared_.is_paused()) return;

    if (const auto other = shared_.worker_with_idle(self_)) {
        commands_.emplace_back(Ask{*other});
    } else {
        open_for_waiters(now);
    }
}

// One connect on its way for each waiter, and never more servers than allowed.
void Core::open_for_waiters(TimePoint now)
{
    if (shared_.total() >= shared_.size()) return;
    while (shared_.waiting() > shared_.opening() && open_one(now)) {
    }
}

bool Core::open_one(TimePoint now)
{
    if (shared_.is_paused() || !shared_.may_open(now)) return false;
    if (!shared_.try_start_open()) return false;
    if (!shared_.try_reserve()) {
        shared_.end_open();
        return false;
    }
    commands_.emplace_back(Open{});
    return true;
}

} // namespace pgweir::pool
