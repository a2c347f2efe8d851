// The part of Core that follows a lease while it lasts.
#include <pgweir/pool/core.hpp>

namespace pgweir::pool {

// What it has done so far was a transaction like others.
void Core::park(Slot& slot, TimePoint now)
{
    if (slot.lease.kind == Lease::Kind::parked) return;
    end_special_lease(slot, now, 1);
    slot.lease.kind = Lease::Kind::parked;
    shared_.park();
    serve_queue(now);
}

void Core::uncount_slow(const Lease& lease)
{
    lease.is_resting ? shared_.unpark() : shared_.leave(Pace::slow);
}

void Core::rest(Slot& slot, TimePoint now)
{
    Lease& lease = slot.lease;
    if (lease.kind != Lease::Kind::counted || lease.is_resting) return;
    lease.is_resting = true;
    if (lease.pace != Pace::slow) return;
    shared_.leave(Pace::slow);
    shared_.park();
    serve_queue(now);
}

void Core::end_rest(Slot& slot)
{
    slot.lease.is_resting = false;
    if (slot.lease.pace != Pace::slow) return;
    shared_.unpark();
    shared_.turn_slow(Pace::any);
}

void Core::turn_slow(const Lease& lease)
{
    shared_.turn_slow(lease.pace);
    if (!lease.is_resting) return;
    shared_.leave(Pace::slow);
    shared_.park();
}

bool Core::look_at(Slot& slot, TimePoint now)
{
    Lease& lease = slot.lease;
    if (lease.kind != Lease::Kind::counted || lease.pace == Pace::any) return false;
    if (lease.is_guessed) return false;
    if (now - lease.since < slow_from) return true;
    if (lease.pace != Pace::slow) turn_slow(lease);
    lease.pace = Pace::slow;
    lease.is_guessed = true;
    if (shared_.classes().guess_slow(lease.class_id, now)) {
        shared_.change_lane(lease.class_id, Pace::slow);
    }
    return false;
}

} // namespace pgweir::pool
