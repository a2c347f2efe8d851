// The part of World that knows of lanes: what holds a server, and who waits where.
#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace pgweir::test {

// Its client keeps it until it gives it back.
void World::park()
{
    SimServer* const server = some_server(ServerUse::lent);
    if (server == nullptr || prng_.chance(70)) return;
    SimWorker& worker = wake(server->worker);
    settle(*server, worker.now);
    worker.core.park(*server, worker.now);
    obey(worker);
}

// Its client thinks, or has thought.
void World::rest()
{
    SimServer* const server = some_server(ServerUse::lent);
    if (server == nullptr) return;
    SimWorker& worker = wake(server->worker);
    if (server->lease.is_resting) return worker.core.resume(*server);
    worker.core.rest(*server, worker.now);
    obey(worker);
}

void World::look_at_leases()
{
    for (const auto& server : servers_) {
        if (server->use == ServerUse::moving) continue;
        SimWorker& its = worker(server->worker);
        const bool is_young = its.core.look_at(*server, its.now);
        REQUIRE((!is_young || its.now - server->lease.since < pool::slow_from));
    }
}

// Whether one of this lane may have a server, if there is one.
bool World::may_enter(pool::Lane lane) const
{
    if (lane == pool::Lane::brief) return true;
    if (shared_.long_held() >= shared_.long_max()) return false;
    return lane == pool::Lane::quick || shared_.slow_held() < shared_.slow_max();
}

// The same a moment ago, before one of `entered` got his.
bool World::could_enter(pool::Lane lane, pool::Lane entered) const
{
    const std::uint32_t slow = entered == pool::Lane::slow ? 1 : 0;
    const std::uint32_t quick = entered == pool::Lane::brief ? 0 : 1;
    if (lane == pool::Lane::brief) return true;
    if (shared_.long_held() - quick >= shared_.long_max()) return false;
    return lane == pool::Lane::quick || shared_.slow_held() - slow < shared_.slow_max();
}

void World::check_lanes()
{
    follow_lanes();
    check_waiters();
    check_held();
}

// Nobody waits with the slow whose class is not, nor the other way round.
void World::check_waiters() const
{
    std::optional<TimePoint> oldest;
    for (const pool::Lane lane : pool::lanes) {
        REQUIRE(shared_.waiting(lane) == size_of(lane));
        bool is_any_overloaded = false;
        for (std::size_t group = 0; group < groups_max; ++group) {
            if (is_overloaded({lane, group})) is_any_overloaded = true;
        }
        REQUIRE(shared_.is_overloaded(lane) == is_any_overloaded);
    }
    for (const Row& row : rows()) {
        for (const Queued& queued : queue_of(row)) {
            const pool::Waiter& waiter = clients_.at(queued.client)->waiter;
            const pool::Pace of_class = shared_.classes().pace_of(waiter.class_id());
            if (waiter.pace() == pool::Pace::any) continue;
            REQUIRE((of_class == pool::Pace::slow) == (row.lane == pool::Lane::slow));
        }
        if (queue_of(row).empty()) continue;
        const TimePoint first = queue_of(row).front().since;
        oldest = std::min(oldest.value_or(first), first);
    }
    REQUIRE(shared_.oldest_since() == oldest);
    REQUIRE(shared_.waiting() == queue_size());
}

// All that hold a server are counted.
void World::check_held() const
{
    std::uint32_t slow = 0;
    std::uint32_t quick = 0;
    std::uint32_t parked = 0;
    for (const auto& server : servers_) {
        const pool::Lease& lease = server->lease;
        const bool is_lent = server->use == ServerUse::lent || server->use == ServerUse::moving;
        REQUIRE((is_lent || lease.kind == pool::Lease::Kind::none));
        if (lease.kind == pool::Lease::Kind::parked) ++parked;
        if (lease.kind != pool::Lease::Kind::counted) continue;
        if (lease.pace == pool::Pace::quick) ++quick;
        if (lease.pace == pool::Pace::slow) ++(lease.is_resting ? parked : slow);
    }
    REQUIRE(shared_.slow_held() == slow);
    REQUIRE(shared_.long_held() == slow + quick);
    REQUIRE(shared_.parked() == parked);
    for (const std::uint32_t most : {shared_.slow_max(), shared_.long_max()}) {
        REQUIRE(most >= 1);
        REQUIRE(most <= std::max(shared_.size(), 1U));
    }
}

// More is known of a class: those who wait have changed lanes, in the order of their coming.
void World::follow_lanes()
{
    for (const Row& row : rows()) follow_class(row);
}

void World::follow_class(const Row& from)
{
    auto& old = queues_.at(static_cast<std::size_t>(from.lane)).at(from.group);
    std::array<std::size_t, pool::lanes.size()> places{};
    for (std::size_t i = 0; i < old.size();) {
        const Queued queued = old[i];
        const Row now = row_of(queued.client);
        const auto lane = static_cast<std::size_t>(now.lane);
        if (now.lane == from.lane) {
            ++i;
            continue;
        }
        old.erase(old.begin() + static_cast<std::ptrdiff_t>(i));
        const auto& to = queue_of(now);
        std::size_t& place = places.at(lane);
        while (place < to.size() && to[place].since <= queued.since) ++place;
        join(now, queued, place);
        ++place;
    }
}

} // namespace pgweir::test
