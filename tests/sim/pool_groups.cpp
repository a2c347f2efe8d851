// The part of World that knows of groups: what each was given, and who gives way when it is full.
#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace pgweir::test {

SimClient& World::new_client()
{
    const ClientId id{next_client_++};
    const WorkerId worker{static_cast<std::uint32_t>(prng_.below(worker_count_))};
    SimClient& client = *clients_.emplace(id, std::make_unique<SimClient>(id, worker))
                             .first->second;
    const std::size_t group = prng_.below(prng_.below(group_count_) + 1); // the first are larger
    client.waiter.join_group({static_cast<pool::GroupId>(group), accounts_.at(group).weight});
    return client;
}

std::vector<World::Row> World::rows()
{
    std::vector<Row> all;
    for (const pool::Lane lane : pool::lanes) {
        for (std::size_t group = 0; group < groups_max; ++group) all.push_back({lane, group});
    }
    return all;
}

std::size_t World::size_of(pool::Lane lane) const
{
    std::size_t size = 0;
    for (std::size_t group = 0; group < groups_max; ++group) size += queue_of({lane, group}).size();
    return size;
}

std::size_t World::size_of(std::size_t group) const
{
    std::size_t size = 0;
    for (const pool::Lane lane : pool::lanes) size += queue_of({lane, group}).size();
    return size;
}

// In its place somebody was let in, whose group has less even so; and it came last of its own.
void World::check_crowded_out(ClientId client)
{
    follow_lanes();
    const Row row = row_of(client);
    const Account& its = accounts_.at(row.group);
    for (std::size_t group = 0; group < groups_max; ++group) {
        REQUIRE(
            size_of(row.group) * accounts_.at(group).weight
            >= size_of(group) * its.weight - (group == newcomer_ ? its.weight : 0)
        );
    }
    REQUIRE(size_of(newcomer_) * its.weight < size_of(row.group) * accounts_.at(newcomer_).weight);
    REQUIRE(queue_of(row).back().client == client);
    for (const pool::Lane lane : pool::lanes) {
        const auto& queue = queue_of({lane, row.group});
        REQUIRE((queue.empty() || queue.back().since <= queue_of(row).back().since));
    }
    let_down(row);
    ++crowded_out_count_;
}

// No other group waits with more than its own would, for its weight.
void World::check_refused_when_full(const SimClient& client) const
{
    const std::size_t own = row_of(client.waiter).group;
    for (std::size_t group = 0; group < groups_max; ++group) {
        if (group == own) continue;
        REQUIRE(
            (size_of(own) + 1) * accounts_.at(group).weight
            >= size_of(group) * accounts_.at(own).weight
        );
    }
}

void World::charge(const SimServer& server)
{
    if (server.lease.charge.micros == 0) return;
    Account& account = accounts_.at(static_cast<std::size_t>(server.lease.charge.group));
    const Duration more = std::chrono::microseconds{server.lease.charge.micros} / account.weight;
    account.charged += more;
    account.largest = std::max(account.largest, more);
}

// Before the core does it.
void World::settle(const SimServer& server, TimePoint now)
{
    const pool::Charge& charge = server.lease.charge;
    if (charge.micros == 0) return;
    Account& account = accounts_.at(static_cast<std::size_t>(charge.group));
    const Duration held = now - server.lease.since;
    account.charged += (held - std::chrono::microseconds{charge.micros}) / account.weight;
    account.largest = std::max(account.largest, held / account.weight);
    // More than is remembered: from here on nobody can tell.
    if (held < pool::Shared::lead_max) return;
    for (Account& each : accounts_) each.lead = {};
}

// Of two groups that have both waited all the time for what anybody may have, none was given more
// than the other but for what was on its way, of all servers: twice, because it may have been
// behind as much before.
void World::check_shares()
{
    constexpr int most = 2 * 8;

    for (std::size_t i = 0; i < groups_max; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            Account& one = accounts_.at(i);
            const Account& other = accounts_.at(j);
            auto& lead = one.lead.at(j);
            const bool are_rivals = !queue_of({pool::Lane::brief, i}).empty()
                                    && !queue_of({pool::Lane::brief, j}).empty();
            if (!are_rivals) {
                lead.reset();
                continue;
            }
            const Duration now = one.charged - other.charged;
            if (!lead) lead = now;
            ++rivalry_count_;
            const Duration bound = most * (one.largest + other.largest);
            REQUIRE(now - *lead <= bound);
            REQUIRE(*lead - now <= bound);
        }
    }
}

} // namespace pgweir::test
