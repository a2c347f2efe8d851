// The part of World that knows when the newest go first, and who has waited for too long.
#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

namespace pgweir::test {

void World::join(const Row& row, const Queued& queued, std::size_t place)
{
    auto& queue = queues_.at(static_cast<std::size_t>(row.lane)).at(row.group);
    if (queue.empty()) stand_of(row) = {};
    queue.insert(queue.begin() + static_cast<std::ptrdiff_t>(place), queued);
}

bool World::is_turn_of_newest(const Row& row)
{
    Stand& stand = stand_of(row);
    if (!stand.is_overloaded) return false;
    ++stand.turn;
    const bool is_turn = stand.turn % pool::Standing::oldest_each != 0;
    if (is_turn) ++newest_first_count_;
    return is_turn;
}

void World::note_wait(const Row& row, Duration wait, TimePoint now)
{
    using namespace std::chrono_literals;

    Stand& stand = stand_of(row);
    if (options_.queue_target == 0s || wait < options_.queue_target) {
        if (stand.late_since) stand.is_anybody_let_down = false;
        stand.late_since.reset();
        return;
    }
    if (row.lane == pool::Lane::slow) return;
    if (!stand.late_since) stand.late_since = now;
    const bool is_long = now - *stand.late_since >= options_.queue_interval;
    if (is_long && stand.is_anybody_let_down) stand.is_overloaded = true;
}

ClientId World::newest_for(WorkerId worker, const Row& row) const
{
    const auto& queue = queue_of(row);
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
    const Row row = row_of(client);
    REQUIRE(row.lane != pool::Lane::slow);
    REQUIRE(is_overloaded(row));
    REQUIRE(queue_of(row).front().client == client);
    REQUIRE(worker.now - queue_of(row).front().since >= options_.queue_timeout);
    REQUIRE(options_.queue_timeout > Duration::zero());
    REQUIRE_FALSE(is_paused_);
    REQUIRE_FALSE(shared_.is_down());
    ++overdue_count_;
}

void World::tick_one(SimWorker& worker)
{
    std::vector<Row> overloaded = rows();
    std::erase_if(overloaded, [this](const Row& row) { return !is_overloaded(row); });
    worker.core.tick(worker.now);
    obey(worker);
    for (const Row& row : overloaded) check_deadlines(worker, row);
}

// Nobody is left in it for whom there is no hope. Who is behind the first may have come a moment
// earlier, by the clock of a worker that is behind.
void World::check_deadlines(const SimWorker& worker, const Row& row) const
{
    const bool is_excused = is_paused_ || shared_.is_down() || !is_overloaded(row);
    if (is_excused || options_.queue_timeout == Duration::zero()) return;
    REQUIRE(worker.now - queue_of(row).front().since < options_.queue_timeout);
}

} // namespace pgweir::test
