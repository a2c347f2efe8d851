// The part of Core that opens servers and closes them, within the pool's size and the budgets.
#include <pgweir/pool/core.hpp>

namespace pgweir::pool {

namespace {

// What was idle for so long is not needed at every moment.
constexpr Duration rested_after = std::chrono::milliseconds{500};

} // namespace

void Core::close_idle(CloseReason reason)
{
    for (Slot* slot : idle_) close(*slot, reason);
    idle_.clear();
    publish();
}

[[gnu::noinline]] void Core::close_and_serve(Slot& slot, CloseReason reason, TimePoint now)
{
    close(slot, reason);
    serve_queue(now);
}

// The place of one that is evicted has been given away already.
void Core::close(Slot& slot, CloseReason reason)
{
    commands_.emplace_back(Close{&slot, reason});
    if (reason == CloseReason::evicted) return pass_nudges_on();
    unreserve();
}

void Core::unreserve()
{
    shared_.unreserve(nudges_);
    pass_nudges_on();
}

void Core::pass_nudges_on()
{
    for (const Nudge& nudge : nudges_) commands_.emplace_back(nudge);
    nudges_.clear();
}

// Its pool is smaller now, or others need its place more.
[[gnu::noinline]] std::optional<CloseReason> Core::must_give()
{
    if (shared_.is_over_size()) return CloseReason::over_size;
    if (shared_.give_up(false, nudges_)) return CloseReason::evicted;
    return std::nullopt;
}

[[gnu::noinline]] void Core::open_some(TimePoint now)
{
    while (shared_.admissible() > shared_.opening() && open_one(now, true)) {
    }
}

// `insists`: somebody waits for it.
bool Core::open_one(TimePoint now, bool insists)
{
    if (shared_.is_paused() || !shared_.may_open(now)) return false;
    if (shared_.is_down() && shared_.opening() > 0) return false;
    if (!shared_.may_start_open()) return false;
    const bool has_place = shared_.try_reserve(self_, insists, nudges_);
    pass_nudges_on();
    if (!has_place) return false;
    if (!shared_.try_start_open()) {
        unreserve();
        return false;
    }
    commands_.emplace_back(Open{});
    return true;
}

void Core::nudged(TimePoint now)
{
    give_idle(now);
    serve_queue(now);
    use_places(now);
}

// Nobody is forgotten, whatever has become of those who were to tell.
void Core::tick_budgets(TimePoint now)
{
    give_idle(now);
    use_places(now);
}

// Those that it was given, and it asks again for those that it lacks.
void Core::use_places(TimePoint now)
{
    const bool is_first = shared_.is_first_awaited() && shared_.total() == 0;
    if (is_first) open_one(now, true);
    if (shared_.is_starved() && !shared_.worker_with_idle()) open_some(now);
    shared_.return_unused(nudges_);
    pass_nudges_on();
}

// The one that was not used for longest is first.
void Core::give_idle(TimePoint now)
{
    while (!idle_.empty() && shared_.is_over_bound()) {
        const auto reason = must_give();
        if (!reason) break;
        close_oldest(*reason);
    }
    while (!idle_.empty() && now - idle_.front()->idle_since >= rested_after
           && shared_.give_up(true, nudges_)) {
        close_oldest(CloseReason::evicted);
    }
}

void Core::close_oldest(CloseReason reason)
{
    Slot& slot = *idle_.front();
    idle_.erase(idle_.begin());
    publish();
    close(slot, reason);
}

} // namespace pgweir::pool
