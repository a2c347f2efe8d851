// The part of World that carries out what the cores decide, and keeps the books.
#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>

namespace pgweir::test {

void World::obey(SimWorker& worker)
{
    follow_lanes();
    while (worker.core.has_commands()) {
        const pool::Command command = worker.core.next_command();
        std::visit([&](const auto& each) { carry_out(worker, each); }, command);
    }
}

void World::carry_out(SimWorker& worker, const pool::Open& /*command*/)
{
    ++worker.connecting;
    REQUIRE(shared_.may_open(worker.now));
    REQUIRE_FALSE(is_paused_);
    REQUIRE(shared_.total() <= options_.size);
    REQUIRE(shared_.opening() <= options_.connect_parallel_max);
}

void World::carry_out(SimWorker& worker, const pool::Close& command)
{
    auto& server = static_cast<SimServer&>(*command.slot);
    REQUIRE(server.use == ServerUse::idle);
    REQUIRE(server.worker == worker.id);
    switch (command.reason) {
    case pool::CloseReason::idle_too_long:
        REQUIRE(worker.now - server.idle_since >= worker.options.server_idle_timeout);
        break;
    case pool::CloseReason::too_old: REQUIRE(worker.now >= server.expires_at); break;
    case pool::CloseReason::over_size: REQUIRE(total_before_ > options_.size); break;
    case pool::CloseReason::evicted: FAIL("there is no budget"); break;
    case pool::CloseReason::unwanted: REQUIRE(server.is_unwanted); break;
    }
    extract(server);
}

void World::carry_out(SimWorker& worker, const pool::Grant& command)
{
    auto& server = static_cast<SimServer&>(*command.slot);
    REQUIRE(server.use == ServerUse::idle);
    REQUIRE(server.worker == worker.id);
    REQUIRE_FALSE(server.is_unwanted);
    REQUIRE_FALSE(is_paused_);
    if (command.to.worker == worker.id) return hand_over(worker, server, command.to.client);

    check_grant(worker.id, command.to.client);
    REQUIRE(take_from_queue(command.to.client));
    charge(server);
    ++grant_count_;
    ++move_count_;
    server.use = ServerUse::moving;
    server.worker = command.to.worker;
    this->worker(command.to.worker)
        .mail[index_of(worker.id)]
        .push_back(MovedServer{&server, command.to.client});
}

void World::hand_over(SimWorker& worker, SimServer& server, ClientId client)
{
    follow_lanes();
    check_grant(worker.id, client);
    REQUIRE(take_from_queue(client));
    charge(server);
    ++grant_count_;
    grant(worker, server, client);
}

void World::carry_out(SimWorker& worker, const pool::Refuse& command)
{
    const bool is_overdue = command.reason == pool::Errc::overloaded;
    const bool is_crowded_out = command.reason == pool::Errc::too_many_waiting;
    if (is_overdue) check_overdue(worker, command.client);
    if (is_crowded_out) check_crowded_out(command.client);
    const bool is_gone = command.reason == pool::Errc::server_unreachable;
    REQUIRE((is_overdue || is_crowded_out || is_gone));
    REQUIRE(take_from_queue(command.client)); // so nobody is answered twice
    ++refusal_count_;
    const Refusal refusal{command.client};
    if (command.worker == worker.id) return receive(worker, refusal);
    this->worker(command.worker).mail[index_of(worker.id)].push_back(refusal);
}

void World::carry_out(SimWorker& worker, const pool::Ask& command)
{
    REQUIRE(command.worker != worker.id);
    this->worker(command.worker).mail[index_of(worker.id)].push_back(Asked{});
}

void World::carry_out(SimWorker& /*worker*/, const pool::Nudge& /*command*/)
{
    FAIL("there is no budget");
}

void World::receive(SimWorker& worker, const MovedServer& message)
{
    REQUIRE(message.server->use == ServerUse::moving);
    REQUIRE(message.server->worker == worker.id);
    message.server->use = ServerUse::idle;
    grant(worker, *message.server, message.client);
}

void World::receive(SimWorker& worker, const Refusal& message)
{
    SimClient* const client = find_client(message.client);
    if (client == nullptr) return;
    REQUIRE(client->waiter.worker() == worker.id);
    REQUIRE(client->does == ClientDoes::waits);
    client->does = ClientDoes::nothing;
}

void World::receive(SimWorker& worker, const Asked& /*message*/)
{
    worker.core.asked(worker.now);
    obey(worker);
}

void World::receive(SimWorker& worker, const Configured& message)
{
    worker.options = message.options;
    worker.core.configure(message.options);
    tick_one(worker);
}

void World::receive(SimWorker& worker, const Resumed& /*message*/)
{
    worker.core.asked(worker.now);
    obey(worker);
}

// A server between two workers belongs to neither, and is missed.
void World::receive(SimWorker& worker, const Reconnect& /*message*/)
{
    for (const auto& server : servers_) {
        const bool is_here = server->worker == worker.id && server->use != ServerUse::moving;
        if (is_here) server->is_unwanted = true;
    }
    worker.core.close_idle(pool::CloseReason::unwanted);
    obey(worker);
}

void World::grant(SimWorker& worker, SimServer& server, ClientId client)
{
    if (SimClient* const found = find_client(client)) return attach(*found, server);
    settle(server, worker.now);
    worker.core.take_back(server, worker.now);
    obey(worker);
}

void World::attach(SimClient& client, SimServer& server)
{
    REQUIRE(client.does != ClientDoes::holds);
    REQUIRE(server.use == ServerUse::idle);
    REQUIRE(server.worker == client.waiter.worker());
    client.does = ClientDoes::holds;
    client.server = &server;
    server.use = ServerUse::lent;
}

void World::end_lease(SimServer& server)
{
    for (const auto& [id, client] : clients_) {
        if (client->server != &server) continue;
        client->server = nullptr;
        client->does = ClientDoes::nothing;
        if (prng_.chance(30)) clients_.erase(id); // that was all it wanted
        return;
    }
    FAIL("a server is lent to nobody");
}

void World::give_back(SimWorker& worker, SimServer& server)
{
    server.use = ServerUse::idle;
    settle(server, worker.now);
    pool::Waiter* const next = worker.core.release(server, worker.now);
    if (next != nullptr) hand_over(worker, server, next->client());
    obey(worker);
}

std::unique_ptr<SimServer> World::extract(SimServer& server)
{
    const auto is_it = [&](const auto& each) { return each.get() == &server; };
    const auto found = std::find_if(servers_.begin(), servers_.end(), is_it);
    REQUIRE(found != servers_.end());
    std::unique_ptr<SimServer> extracted = std::move(*found);
    servers_.erase(found);
    return extracted;
}

void World::lose(SimWorker& worker, SimServer& server)
{
    const std::unique_ptr<SimServer> gone = extract(server);
    settle(server, worker.now);
    worker.core.lost(*gone, worker.now);
    obey(worker);
}

void World::check_books()
{
    REQUIRE(shared_.total() == servers_.size() + connecting());
    REQUIRE(shared_.total() <= std::max(options_.size, total_before_));
    total_before_ = shared_.total();

    REQUIRE(shared_.opening() == connecting());
    REQUIRE(shared_.opening() <= std::max(options_.connect_parallel_max, opening_before_));
    opening_before_ = shared_.opening();

    check_lanes();
    check_shares();
    REQUIRE(queue_size() <= std::max(std::size_t{options_.max_waiting}, queued_before_));
    queued_before_ = queue_size();

    for (const auto& worker : workers_) {
        const std::uint32_t idle_count = server_count(worker->id, ServerUse::idle);
        REQUIRE(worker->core.idle_count() == idle_count);
        REQUIRE(shared_.idle(worker->id) == idle_count);
    }
    for (const auto& server : servers_) {
        REQUIRE_FALSE((server->use == ServerUse::idle && server->is_unwanted));
    }
}

// First come, first served, unless the queue stands: but for one of the worker's own that came
// hardly later, and for slow ones when they have as many servers as they may.
void World::check_grant(WorkerId worker, ClientId client)
{
    const Row row = row_of(client);
    const bool is_newest = is_turn_of_newest(row);
    REQUIRE(client == (is_newest ? newest_for(worker, row) : next_for(worker, row)));
    if (row.lane != pool::Lane::brief) REQUIRE(shared_.long_held() <= shared_.long_max());
    if (row.lane == pool::Lane::slow) REQUIRE(shared_.slow_held() <= shared_.slow_max());
    if (size_of(row.group) == queue_size()) check_order_in_group(row);
    const TimePoint now = this->worker(worker).now;
    note_wait(row, now - clients_.at(client)->waiter.since(), now);
}

// After a failed connect it is the next tick that tries again.
void World::check_nobody_is_stuck() const
{
    const std::uint32_t admissible = shared_.admissible();
    REQUIRE(admissible >= size_of(pool::Lane::brief));
    for (const pool::Lane lane : pool::lanes) {
        REQUIRE((size_of(lane) == 0 || !may_enter(lane) || admissible > 0));
    }
    if (admissible == 0 || is_paused_) return;
    for (const auto& worker : workers_) REQUIRE(worker->core.idle_count() == 0);
    if (has_failed_open_ || shared_.total() >= options_.size) return;
    const std::uint32_t most = shared_.is_down() ? 1 : options_.connect_parallel_max;
    REQUIRE(shared_.opening() >= std::min(admissible, most));
}

// Between lanes: who has waited longest, of those who could have it.
void World::check_order_in_group(const Row& row)
{
    const TimePoint oldest = queue_of(row).front().since;
    for (const pool::Lane lane : pool::lanes) {
        const auto& other = queue_of({lane, row.group});
        if (lane == row.lane || other.empty() || other.front().since >= oldest) continue;
        REQUIRE_FALSE(could_enter(lane, row.lane));
        ++overtaking_count_;
    }
}

ClientId World::next_for(WorkerId worker, const Row& row) const
{
    const auto& queue = queue_of(row);
    REQUIRE_FALSE(queue.empty());
    const TimePoint latest = queue.front().since + pool::Shared::local_preference;
    for (const Queued& queued : queue) {
        if (queued.since > latest) break;
        if (queued.worker == worker) return queued.client;
    }
    return queue.front().client;
}

std::size_t World::queue_size() const
{
    std::size_t size = 0;
    for (const Row& row : rows()) size += queue_of(row).size();
    return size;
}

bool World::is_queued(ClientId client) const
{
    const auto is_it = [=](const Queued& queued) { return queued.client == client; };
    const std::vector<Row> all = rows();
    return std::any_of(all.begin(), all.end(), [&](const Row& row) {
        return std::any_of(queue_of(row).begin(), queue_of(row).end(), is_it);
    });
}

bool World::take_from_queue(ClientId client)
{
    std::size_t count = 0;
    for (auto& line : queues_) {
        for (auto& queue : line) {
            count += std::erase_if(queue, [=](const Queued& each) {
                return each.client == client;
            });
        }
    }
    return count == 1;
}

std::uint32_t World::connecting() const
{
    std::uint32_t count = 0;
    for (const auto& worker : workers_) count += worker->connecting;
    return count;
}

std::uint32_t World::server_count(WorkerId worker, ServerUse use) const
{
    const auto count = std::count_if(servers_.begin(), servers_.end(), [=](const auto& server) {
        return server->worker == worker && server->use == use;
    });
    return static_cast<std::uint32_t>(count);
}

} // namespace pgweir::test
