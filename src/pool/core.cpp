#include <pgweir/pool/core.hpp>

#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace pgweir::pool {

TimePoint expiry(TimePoint opened, const Options& options, std::uint64_t seed)
{
    if (options.server_lifetime <= Duration::zero()) return TimePoint::max();
    std::minstd_rand random{static_cast<std::uint_fast32_t>(seed * 2'654'435'761U + 1)};
    const auto jitter = static_cast<int>(options.server_lifetime_jitter);
    std::uniform_int_distribution<int> percent{100 - jitter, 100 + jitter};
    return opened + options.server_lifetime * percent(random) / 100;
}

Slot* Core::lend_idle(const Request& request, TimePoint now)
{
    Slot* const slot = take_idle(request, now);
    begin_lease(*slot, now, request.class_id, request.pace, {});
    return slot;
}

std::optional<Errc> Core::wait(Waiter& waiter, TimePoint now, const Request& request)
{
    const bool has_none = shared_.total() <= shared_.opening();
    if (has_none && is_hopeless(now)) {
        if (shared_.is_down()) open_one(now, false); // is it back? Nobody waits for the answer
        return Errc::server_unreachable;
    }

    waiter.start(now, request.class_id, request.pace);
    std::optional<Taken> crowded_out;
    const auto queued = shared_.enqueue(waiter, &crowded_out);
    if (queued == Shared::Queued::refused) return Errc::too_many_waiting;
    if (crowded_out) refuse(*crowded_out, Errc::too_many_waiting);
    if (queued == Shared::Queued::first || !idle_.empty()) {
        serve_queue(now);
    } else {
        open_for_waiters(now); // who came first has asked the other workers
    }
    return std::nullopt;
}

// There is no server: is none to be expected in time? A connect that is on its way to a host that
// swallows packets would be waited for in vain.
bool Core::is_hopeless(TimePoint now) const
{
    if (shared_.may_come_back(now, options_.failover_wait)) return false;
    return shared_.is_down() || (shared_.total() == 0 && !shared_.may_open(now));
}

// Pools, and poolers, that have lost a database together do not all come back in one moment.
Duration Core::retry_pause()
{
    std::uniform_int_distribution<int> percent{75, 125};
    return options_.server_login_retry * percent(random_) / 100;
}

void Core::begin_lease(Slot& slot, TimePoint now, ClassId id, Pace pace, const Charge& charge)
{
    slot.lease = {now, id, pace, Lease::Kind::counted, false, false, charge};
}

void Core::refuse(const Taken& waiter, Errc reason)
{
    commands_.emplace_back(Refuse{waiter.worker, waiter.client, reason});
}

// True: somebody may have a server now who could not before. Of brief classes it learns
// from one lease in sixteen, which stands for all, unless that was not as quick.
bool Core::end_lease(Slot& slot, TimePoint now)
{
    constexpr std::uint32_t sample = 16;

    const Duration held = now - slot.lease.since;
    const bool is_as_ever = slot.lease.pace == Pace::brief && held < brief_below
                            && slot.lease.charge.micros == 0;
    if (!is_as_ever) return end_special_lease(slot, now, 1);
    if (++passed_over_ == sample) {
        passed_over_ = 0;
        return end_special_lease(slot, now, sample);
    }
    brief_load_.add(held);
    slot.lease.pace = Pace::any;
    slot.lease.kind = Lease::Kind::none;
    slot.lease.is_resting = false;
    return false;
}

bool Core::end_special_lease(Slot& slot, TimePoint now, std::uint32_t count)
{
    const Lease lease = std::exchange(slot.lease, {});
    if (lease.charge.micros != 0) shared_.settle(lease.charge, now - lease.since);
    if (lease.kind == Lease::Kind::none) return false;
    if (lease.kind == Lease::Kind::parked) {
        shared_.unpark();
        return true;
    }
    if (lease.pace == Pace::any) return false;
    const Duration held = now - lease.since;
    switch (lane_of(lease.pace)) {
    case Lane::brief: brief_load_.add(held); break;
    case Lane::quick:
        quick_load_.add(held);
        shared_.leave(Pace::quick);
        break;
    case Lane::slow: uncount_slow(lease); break;
    }
    Classes& classes = shared_.classes();
    const bool changes_lane = lease.is_guessed ? classes.learn_guessed(lease.class_id, held, now)
                                               : classes.learn(lease.class_id, held, now, count);
    if (changes_lane) {
        shared_.change_lane(lease.class_id, classes.pace_of(lease.class_id));
    }
    return changes_lane || lane_of(lease.pace) != Lane::brief;
}

// From hand to hand while clients wait: it is not idle in between.
Waiter* Core::release(Slot& slot, TimePoint now)
{
    const bool lets_in = end_lease(slot, now);
    if (close_if_due(slot, now)) return nullptr;
    slot.idle_since = now;
    if (idle_.empty() && shared_.has_admissible()) {
        if (const auto waiter = shared_.take_for(self_, now)) {
            if (waiter->own == nullptr) {
                grant(*waiter, slot, now);
            } else {
                begin_lease(slot, now, waiter->class_id, waiter->pace, waiter->charge);
            }
            lets_in ? serve_queue(now) : open_for_waiters(now);
            return waiter->own;
        }
    }
    idle_.push_back(&slot);
    publish();
    if (shared_.has_admissible()) serve_queue(now);
    return nullptr;
}

void Core::release_by_command(Slot& slot, TimePoint now)
{
    Waiter* const next = release(slot, now);
    if (next == nullptr) return;
    commands_.emplace_back(
        Grant{{next->client(), self_, next, slot.lease.class_id, slot.lease.pace}, &slot}
    );
}

void Core::take_back(Slot& slot, TimePoint now)
{
    slot.lease.class_id = ClassId::none;
    release_by_command(slot, now);
}

void Core::grant(const Taken& waiter, Slot& slot, TimePoint now)
{
    begin_lease(slot, now, waiter.class_id, waiter.pace, waiter.charge);
    commands_.emplace_back(Grant{waiter, &slot});
}

void Core::opened(Slot& slot, TimePoint now)
{
    shared_.end_open();
    shared_.came_up();
    release_by_command(slot, now);
}

// It stays as old as it was, and goes below those that were really used.
void Core::checked(Slot& slot, TimePoint now)
{
    if (close_if_due(slot, now)) return; // a RECONNECT came while it was being looked at
    idle_.insert(idle_.begin(), &slot);
    publish();
    if (shared_.has_admissible()) serve_queue(now);
}

// Whoever waits for a server that nobody has is told at once, unless it was there a moment ago.
// While other servers live, their release will serve the queue; a later tick tries to open again.
void Core::open_failed(TimePoint now, bool is_down)
{
    shared_.end_open();
    unreserve();
    shared_.retry_not_before(now + retry_pause());
    if (is_down) shared_.went_down(now);
    if (shared_.total() > 0) return;
    if (is_down && shared_.may_come_back(now, options_.failover_wait)) return;
    for (const Taken& waiter : shared_.take_all()) {
        refuse(waiter, Errc::server_unreachable);
    }
}

void Core::lost(Slot& slot, TimePoint now)
{
    slot.lease.class_id = ClassId::none;
    end_special_lease(slot, now, 1);
    lost_place(now);
}

void Core::lost_parked(TimePoint now)
{
    shared_.unpark();
    lost_place(now);
}

void Core::lost_place(TimePoint now)
{
    unreserve();
    serve_queue(now);
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
    shared_.publish_loads(self_, {brief_load_.measure(now), quick_load_.measure(now)});
    if (shared_.waiting() > 0) refuse_overdue(now);
    if (shared_.has_admissible()) serve_queue(now);
    if (shared_.has_budgets()) tick_budgets(now);

    // One worker keeps the pool warm, or all of them would.
    const bool keeper = self_ == WorkerId{0};
    while (keeper && shared_.total() < options_.min_size && open_one(now, false)) {
    }
}

void Core::refuse_overdue(TimePoint now)
{
    while (const auto overdue = shared_.take_overdue(now)) {
        refuse(*overdue, Errc::overloaded);
    }
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

std::optional<CloseReason> Core::must_close(const Slot& slot, TimePoint now)
{
    if (slot.is_unwanted) return CloseReason::unwanted;
    if (now >= slot.expires_at) return CloseReason::too_old;
    if (shared_.is_over_bound()) return must_give();
    return std::nullopt;
}

[[gnu::noinline]] bool Core::close_due(Slot& slot, TimePoint now)
{
    const auto reason = must_close(slot, now);
    if (reason) close_and_serve(slot, *reason, now);
    return reason.has_value();
}

// Whoever finds servers for some of the waiters asks on for the others: so it is enough that the
// first of a queue has asked.
void Core::serve_queue(TimePoint now)
{
    while (!idle_.empty() && shared_.has_admissible()) {
        const auto waiter = shared_.take_for(self_, now);
        if (!waiter) return;
        Slot* const slot = idle_.back();
        idle_.pop_back();
        publish();
        grant(*waiter, *slot, now);
    }
    if (!shared_.has_admissible() || shared_.is_paused()) return;

    if (const auto other = shared_.worker_with_idle(self_)) {
        commands_.emplace_back(Ask{*other});
    } else {
        open_for_waiters(now);
    }
}

// One connect on its way for each waiter, and never more servers than allowed.
void Core::open_for_waiters(TimePoint now)
{
    if (shared_.may_grow()) open_some(now);
}

} // namespace pgweir::pool
