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

// Nobody waits in another lane than that of his class, and all that hold a server are counted.
void World::check_lanes()
{
    follow_lanes();
    std::optional<TimePoint> oldest;
    for (const pool::Lane lane : {pool::Lane::quick, pool::Lane::slow}) {
        REQUIRE(shared_.waiting(lane) == queue_of(lane).size());
        for (const Queued& queued : queue_of(lane)) {
            const pool::Waiter& waiter = clients_.at(queued.client)->waiter;
            const pool::Pace of_class = shared_.classes().pace_of(waiter.class_id());
            const bool is_told_apart = waiter.pace() != pool::Pace::any;
            REQUIRE((!is_told_apart || pool::lane_of(of_class) == lane));
        }
        if (queue_of(lane).empty()) continue;
        const TimePoint first = queue_of(lane).front().since;
        oldest = std::min(oldest.value_or(first), first);
    }
    REQUIRE(shared_.oldest_since() == oldest);

    std::uint32_t slow = 0;
    std::uint32_t parked = 0;
    for (const auto& server : servers_) {
        const bool is_counted = server->lease.kind == pool::Lease::Kind::counted;
        const bool is_lent = server->use == ServerUse::lent || server->use == ServerUse::moving;
        REQUIRE((is_lent || server->lease.kind == pool::Lease::Kind::none));
        const bool is_slow = is_counted && server->lease.pace == pool::Pace::slow;
        const bool is_kept = server->lease.kind == pool::Lease::Kind::parked;
        if (is_slow && !server->lease.is_resting) ++slow;
        if (is_kept || (is_slow && server->lease.is_resting)) ++parked;
    }
    REQUIRE(shared_.slow_held() == slow);
    REQUIRE(shared_.parked() == parked);
    REQUIRE(shared_.slow_max() >= 1);
    REQUIRE(shared_.slow_max() <= std::max(shared_.size(), 1U));
}

// More is known of a class: those who wait have changed lanes, in the order of their coming.
void World::follow_lanes()
{
    for (const pool::Lane lane : {pool::Lane::quick, pool::Lane::slow}) {
        auto& from = queues_.at(static_cast<std::size_t>(lane));
        auto& to = queues_.at(1 - static_cast<std::size_t>(lane));
        std::size_t place = 0;
        for (std::size_t i = 0; i < from.size();) {
            const Queued queued = from[i];
            if (lane_of(queued.client) == lane) {
                ++i;
                continue;
            }
            from.erase(from.begin() + static_cast<std::ptrdiff_t>(i));
            while (place < to.size() && to[place].since <= queued.since) ++place;
            to.insert(to.begin() + static_cast<std::ptrdiff_t>(place), queued);
            ++place;
        }
    }
}

} // namespace pgweir::test
