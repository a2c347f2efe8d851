// The part of World that knows when the newest go first, and who has waited for too long.
#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

namespace pgweir::test {

void World::join(pool::Lane lane, const Queued& queued, std::size_t place)
{
    auto& queue = queues_.at(static_cast<std::size_t>(lane));
    if (queue.empty()) stand_of(lane) = {};
    queue.insert(queue.begin() + static_cast<std::ptrdiff_t>(place), queued);
}

bool World::is_turn_of_newest(pool::Lane lane)
{
    Stand& stand = stand_of(lane);
    if (!stand.is_overloaded) return false;
    ++stand.turn;
    const bool is_turn = stand.turn % pool::Standing::oldest_each != 0;
    if (is_turn) ++newest_first_count_;
    return is_turn;
}

void World::note_wait(pool::Lane lane, Duration wait, TimePoint now)
{
    using namespace std::chrono_literals;

    Stand& stand = stand_of(lane);
    if (options_.queue_target == 0s || wait < options_.queue_target) {
        if (stand.late_since) stand.is_anybody_let_down = false;
        stand.late_since.reset();
        return;
    }
    if (lane == pool::Lane::slow) return;
    if (!stand.late_since) stand.late_since = now;
    const bool is_long = now - *stand.late_since >= options_.queue_interval;
    if (is_long && stand.is_anybody_let_down) stand.is_overloaded = true;
}

ClientId World::newest_for(WorkerId worker, pool::Lane lane) const
{
    const auto& queue = queue_of(lane);
    REQUIRE_FALSE(queue.empty());
    const TimePoint earliest = queue.back().since - pool::Shared::local_preference;
    for (auto queued = queue.rbegin(); queued != queue.rend(); ++queued) {
        if (queued->since < earliest) break;
        if (queued->worker == worker) return queued->client;
    }
    return queue.back().client;
}

// Only where the newest go first, only the oldest, and only when nothing else is the matter.
void World::check_overdue(const SimWorker& worker, ClientId client)
{
    follow_lanes();
    const pool::Lane lane = lane_of(client);
    REQUIRE(lane != pool::Lane::slow);
    REQUIRE(is_overloaded(lane));
    REQUIRE(queue_of(lane).front().client == client);
    REQUIRE(worker.now - queue_of(lane).front().since >= options_.queue_timeout);
    REQUIRE(options_.queue_timeout > Duration::zero());
    REQUIRE_FALSE(is_paused_);
    REQUIRE_FALSE(shared_.is_down());
    ++overdue_count_;
}

void World::tick_one(SimWorker& worker)
{
    std::array<bool, pool::lanes.size()> was_overloaded{};
    for (const pool::Lane lane : pool::lanes) {
        was_overloaded.at(static_cast<std::size_t>(lane)) = is_overloaded(lane);
    }
    worker.core.tick(worker.now);
    obey(worker);
    for (const pool::Lane lane : pool::lanes) {
        if (was_overloaded.at(static_cast<std::size_t>(lane))) check_deadlines(worker, lane);
    }
}

// Nobody is left in it for whom there is no hope. Who is behind the first may have come a moment
// earlier, by the clock of a worker that is behind.
void World::check_deadlines(const SimWorker& worker, pool::Lane lane) const
{
    const bool is_excused = is_paused_ || shared_.is_down() || !is_overloaded(lane);
    if (is_excused || options_.queue_timeout == Duration::zero()) return;
    REQUIRE(worker.now - queue_of(lane).front().since < options_.queue_timeout);
}

} // namespace pgweir::test
