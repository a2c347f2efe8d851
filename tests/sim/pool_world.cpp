#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

using namespace std::chrono_literals;

namespace pgweir::test {

namespace {

constexpr std::size_t clients_max = 40;

} // namespace

World::World(std::uint64_t seed)
    : prng_{seed},
      pace_{},
      failures_{prng_.below(4) * 15},
      worker_count_{static_cast<std::uint32_t>(2 + prng_.below(3))},
      options_{random_options()},
      shared_{worker_count_, options_}
{
    constexpr std::array<Duration, 4> paces{100us, 2ms, 40ms, 700ms};
    pace_ = paces.at(prng_.below(paces.size()));
    weights_ = {12, 10, 14, 6}; // these happen on every day; of the rest, some
    for (int i = 0; i < 13; ++i) {
        weights_.push_back(prng_.chance(60) ? static_cast<std::uint32_t>(1 + prng_.below(4)) : 0);
    }
    if (prng_.chance(30)) weights_[0] = weights_[5] = 30; // many come, and soon give up
    if (prng_.chance(60)) group_count_ = 2 + prng_.below(groups_max - 1);
    for (std::size_t i = 1; i < groups_max; ++i) { // who is of none has a weight of 1
        accounts_.at(i).weight = static_cast<std::uint32_t>(1 + prng_.below(2) * prng_.below(5));
    }
    for (std::uint32_t i = 0; i < worker_count_; ++i) {
        workers_.push_back(std::make_unique<SimWorker>(shared_, WorkerId{i}, options_));
        workers_.back()->mail.resize(worker_count_ + 1); // the last is the operator's
    }
}

// After a failure somebody may still be in the queue, which is not to outlive the waiters.
World::~World()
{
    for (const auto& [id, client] : clients_) shared_.withdraw(client->waiter);
}

void World::step()
{
    constexpr std::array happen{
        &World::acquire,
        &World::release,
        &World::deliver,
        &World::finish_connect,
        &World::lose_lent,
        &World::vanish,
        &World::time_out,
        &World::lose_idle,
        &World::start_check,
        &World::finish_check,
        &World::park,
        &World::rest,
        &World::look_at_leases,
        &World::tick,
        &World::configure,
        &World::pause_or_resume,
        &World::reconnect,
    };
    REQUIRE(happen.size() == weights_.size());

    now_ += pace_ * static_cast<int>(prng_.below(100)) / 100;
    std::uint64_t lot = prng_.below(100);
    for (std::size_t i = 0;; i = (i + 1) % happen.size()) {
        if (lot < weights_[i]) {
            (this->*happen.at(i))();
            break;
        }
        lot -= weights_[i];
    }
    check_books();
}

void World::quiesce()
{
    deliver_all();
    for (const auto& [id, client] : clients_) { // every answer that was sent has come
        REQUIRE((client->does == ClientDoes::waits) == is_queued(id));
    }
    check_nobody_is_stuck();

    tick_all();
    deliver_all();
    has_failed_open_ = !shared_.may_open(now_);
    check_nobody_is_stuck();
    for (const auto& worker : workers_) {
        REQUIRE((shared_.total() <= shared_.size() || worker->core.idle_count() == 0));
    }
}

void World::wind_down()
{
    failures_ = 0;
    while (is_paused_) pause_or_resume();
    for (int round = 0; !is_over(); ++round) {
        REQUIRE(round < 1'000);
        now_ += 50ms;
        tick_all();
        deliver_all();
        while (connecting() > 0) finish_connect();
        while (some_server(ServerUse::checking) != nullptr) finish_check();
        while (some_server(ServerUse::lent) != nullptr) release();
        deliver_all();
        check_books();
    }
    REQUIRE(shared_.waiting() == 0);
    REQUIRE(shared_.total() == servers_.size());

    reconnect();
    deliver_all();
    check_books();
    REQUIRE(shared_.total() == 0);
}

bool World::is_over() const
{
    const auto is_quiet = [](const auto& entry) {
        return entry.second->does == ClientDoes::nothing;
    };
    const auto is_idle = [](const auto& server) { return server->use == ServerUse::idle; };
    return connecting() == 0 && std::all_of(clients_.begin(), clients_.end(), is_quiet)
           && std::all_of(servers_.begin(), servers_.end(), is_idle);
}

void World::acquire()
{
    SimClient* known = prng_.chance(50) ? some_client(ClientDoes::nothing) : nullptr;
    if (known == nullptr && clients_.size() >= clients_max) return;
    SimClient& client = known != nullptr ? *known : new_client();
    SimWorker& worker = wake(client.waiter.worker());

    const pool::Core::Request request{pool::ClassId{1 + prng_.below(6)}, prng_.below(4)};
    const pool::Pace pace = pool::has_lanes(worker.options)
                                ? shared_.classes().pace_of(request.class_id)
                                : pool::Pace::any;
    const pool::Lane lane = pool::lane_of(pace);
    bool is_free = !is_paused_ && may_enter(lane);
    for (const pool::Lane each : pool::lanes) {
        if (each <= lane && size_of(each) > 0) is_free = false;
    }
    const bool is_idle_here = server_count(worker.id, ServerUse::idle) > 0;
    const bool has_none = shared_.total() == 0 && !shared_.may_open(worker.now);
    const bool is_gone = shared_.is_down() && shared_.total() <= shared_.opening();
    const bool is_hopeless = (has_none || is_gone) && !may_come_back(worker);
    const auto answer = worker.core.acquire(client.waiter, worker.now, request);
    REQUIRE((answer.slot != nullptr) == (is_free && is_idle_here));
    if (answer.slot != nullptr) return attach(client, static_cast<SimServer&>(*answer.slot));

    REQUIRE((answer.error == pool::Errc::server_unreachable) == is_hopeless);
    const bool is_full = queue_size() >= options_.max_waiting;
    const bool is_refused = answer.error == pool::Errc::too_many_waiting;
    REQUIRE((!is_refused || is_full));
    if (is_refused) check_refused_when_full(client);
    if (is_refused) let_down({lane, row_of(client.waiter).group});
    if (answer.error) return obey(worker); // it may have asked whether the database is back

    client.does = ClientDoes::waits;
    const Row row = row_of(client.waiter);
    newcomer_ = row.group;
    join(row, {client.waiter.client(), worker.id, worker.now}, queue_of(row).size());
    obey(worker);
}

void World::release()
{
    SimServer* const server = some_server(ServerUse::lent);
    if (server == nullptr) return;
    end_lease(*server);
    server->state_hash = prng_.below(4);
    give_back(wake(server->worker), *server);
}

void World::lose_lent()
{
    SimServer* const server = some_server(ServerUse::lent);
    if (server == nullptr) return;
    end_lease(*server);
    lose(wake(server->worker), *server);
}

// Whatever is on its way to it comes too late.
void World::vanish()
{
    SimClient* const client = some_client(ClientDoes::waits);
    if (client == nullptr) return;
    const ClientId id = client->waiter.client();
    const Row row = row_of(id);
    const bool was_queued = wake(client->waiter.worker()).core.withdraw(client->waiter);
    REQUIRE(was_queued == take_from_queue(id));
    if (was_queued) let_down(row);
    clients_.erase(id);
}

void World::time_out()
{
    SimClient* const client = some_client(ClientDoes::waits);
    if (client == nullptr) return;
    const bool was_queued = wake(client->waiter.worker()).core.withdraw(client->waiter);
    REQUIRE(was_queued == take_from_queue(client->waiter.client()));
    if (!was_queued) return;
    let_down(row_of(client->waiter));
    client->does = ClientDoes::nothing;
}

void World::finish_connect()
{
    std::vector<WorkerId> choice;
    for (const auto& each : workers_) {
        if (each->connecting > 0) choice.push_back(each->id);
    }
    if (choice.empty()) return;
    SimWorker& worker = wake(choice[prng_.below(choice.size())]);
    --worker.connecting;
    if (prng_.chance(failures_)) {
        has_failed_open_ = true;
        const bool is_down = prng_.chance(50);
        worker.core.open_failed(worker.now, is_down);
        REQUIRE_FALSE(shared_.may_open(worker.now));
        const bool goes_on = shared_.total() > 0 || (is_down && may_come_back(worker));
        REQUIRE((goes_on || shared_.waiting() == 0)); // they need not wait to be told
    } else {
        servers_.push_back(std::make_unique<SimServer>());
        SimServer& server = *servers_.back();
        server.worker = worker.id;
        const Duration lifetime = worker.options.server_lifetime;
        if (lifetime > 0s) server.expires_at = worker.now + lifetime;
        worker.core.opened(server, worker.now);
    }
    obey(worker);
}

void World::lose_idle()
{
    SimServer* const server = some_server(ServerUse::idle);
    if (server == nullptr) return;
    SimWorker& worker = wake(server->worker);
    worker.core.forget_idle(*server);
    lose(worker, *server);
}

void World::start_check()
{
    SimServer* const server = some_server(ServerUse::idle);
    if (server == nullptr) return;
    worker(server->worker).core.forget_idle(*server);
    server->use = ServerUse::checking;
}

void World::finish_check()
{
    SimServer* const server = some_server(ServerUse::checking);
    if (server == nullptr) return;
    SimWorker& worker = wake(server->worker);
    if (prng_.chance(failures_)) return lose(worker, *server);
    server->use = ServerUse::idle;
    worker.core.checked(*server, worker.now);
    obey(worker);
}

void World::tick()
{
    tick_one(wake(WorkerId{static_cast<std::uint32_t>(prng_.below(worker_count_))}));
}

// The new limits hold at once, the workers hear of the rest when they get to it.
void World::configure()
{
    options_ = random_options();
    shared_.configure(options_);
    stands_ = {};
    tell_all(Configured{options_});
}

void World::pause_or_resume()
{
    if (!is_paused_ && prng_.chance(75)) return; // or half of the day would be a pause
    is_paused_ = !is_paused_;
    shared_.pause(is_paused_);
    if (!is_paused_) tell_all(Resumed{});
}

void World::reconnect() { tell_all(Reconnect{}); }

bool World::deliver_one()
{
    std::vector<std::pair<SimWorker*, std::deque<Message>*>> choice;
    for (const auto& each : workers_) {
        for (auto& mail : each->mail) {
            if (!mail.empty()) choice.emplace_back(each.get(), &mail);
        }
    }
    if (choice.empty()) return false;
    const auto [receiver, mail] = choice[prng_.below(choice.size())];
    const Message message = std::move(mail->front());
    mail->pop_front();
    SimWorker& worker = wake(receiver->id);
    std::visit([&](const auto& each) { receive(worker, each); }, message);
    return true;
}

void World::deliver_all()
{
    for (int count = 0; deliver_one(); ++count) {
        REQUIRE(count < 10'000); // asking each other for ever
        check_books();
    }
}

void World::tick_all()
{
    for (const auto& worker : workers_) {
        worker->now = now_;
        tick_one(*worker);
        check_books();
    }
}

void World::tell_all(const Message& message)
{
    for (const auto& worker : workers_) worker->mail.back().push_back(message);
}

World::SimWorker& World::wake(WorkerId id)
{
    SimWorker& woken = worker(id);
    if (prng_.chance(80)) woken.now = now_; // else it is still in the same batch
    return woken;
}

SimClient* World::find_client(ClientId id)
{
    const auto found = clients_.find(id);
    return found == clients_.end() ? nullptr : found->second.get();
}

SimClient* World::some_client(ClientDoes does)
{
    std::vector<SimClient*> choice;
    for (const auto& [id, client] : clients_) {
        if (client->does == does) choice.push_back(client.get());
    }
    return choice.empty() ? nullptr : choice[prng_.below(choice.size())];
}

SimServer* World::some_server(ServerUse use)
{
    std::vector<SimServer*> choice;
    for (const auto& server : servers_) {
        if (server->use == use) choice.push_back(server.get());
    }
    return choice.empty() ? nullptr : choice[prng_.below(choice.size())];
}

pool::Options World::random_options()
{
    constexpr std::array<Duration, 3> retries{1ms, 20ms, 1s};
    constexpr std::array<Duration, 3> failover_waits{0s, 100ms, 2s};
    constexpr std::array<Duration, 3> idle_timeouts{0s, 50ms, 1s};
    constexpr std::array<Duration, 3> lifetimes{0s, 300ms, 5s};

    constexpr std::array<Duration, 4> targets{0s, 1ms, 20ms, 300ms};
    constexpr std::array<Duration, 2> intervals{1ms, 50ms};
    constexpr std::array<Duration, 4> queue_timeouts{0s, 5ms, 300ms, 3s};

    pool::Options options;
    options.queue_target = targets.at(prng_.below(targets.size()));
    options.queue_interval = intervals.at(prng_.below(intervals.size()));
    options.queue_timeout = queue_timeouts.at(prng_.below(queue_timeouts.size()));
    options.size = static_cast<std::uint32_t>(1 + prng_.below(6));
    if (prng_.chance(30)) options.min_size = static_cast<std::uint32_t>(prng_.below(8));
    options.max_waiting = static_cast<std::uint32_t>(1 + prng_.below(30));
    options.connect_parallel_max = static_cast<std::uint32_t>(1 + prng_.below(4));
    if (prng_.chance(40)) options.quick_reserve = static_cast<std::uint32_t>(prng_.below(5));
    options.server_login_retry = retries.at(prng_.below(retries.size()));
    options.failover_wait = failover_waits.at(prng_.below(failover_waits.size()));
    options.server_idle_timeout = idle_timeouts.at(prng_.below(idle_timeouts.size()));
    options.server_lifetime = lifetimes.at(prng_.below(lifetimes.size()));
    return options;
}

} // namespace pgweir::test
