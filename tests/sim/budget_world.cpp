#include "sim/budget_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>

using namespace std::chrono_literals;

namespace pgweir::test {

BudgetWorld::BudgetWorld(const Plan& plan, std::uint64_t seed)
    : prng_{seed},
      plan_{plan},
      database_caps_(plan.databases),
      user_caps_(plan.users),
      mail_(std::size_t{plan.workers} * plan.workers)
{
    for (std::size_t database = 0; database < plan.databases; ++database) {
        for (std::size_t user = 0; user < plan.users; ++user) {
            const pool::Options options;
            pools_.push_back(std::make_unique<Pool>(pools_.size(), plan.workers, options));
            Pool& made = *pools_.back();
            made.database = database;
            made.user = user;
            made.shared.join(
                budgets_, &made, "d" + std::to_string(database), "u" + std::to_string(user)
            );
            made.shared.configure(options);
            for (std::uint32_t worker = 0; worker < plan.workers; ++worker) {
                made.parts.push_back(std::make_unique<Part>(made.shared, WorkerId{worker}, options)
                );
            }
        }
    }
}

BudgetWorld::~BudgetWorld()
{
    for (const auto& [id, client] : clients_) {
        pools_[client->pool]->shared.withdraw(client->waiter);
    }
}

void BudgetWorld::acquire() { acquire(prng_.below(pools_.size())); }

void BudgetWorld::acquire(std::size_t number)
{
    constexpr std::size_t clients_max = 60;
    if (clients_.size() >= clients_max) return;
    Pool& pool = *pools_.at(number);
    const ClientId id{next_client_++};
    const WorkerId worker{static_cast<std::uint32_t>(prng_.below(plan_.workers))};
    Client& client = *clients_.emplace(id, std::make_unique<Client>(id, worker, number))
                          .first->second;
    const auto answer = part(pool, worker).core.acquire(client.waiter, now_, {});
    if (answer.slot != nullptr) {
        attach(id, static_cast<Server&>(*answer.slot));
    } else if (answer.error) {
        clients_.erase(id);
    }
    obey(pool, worker);
}

void BudgetWorld::release()
{
    Server* const server = some_server(Use::lent);
    if (server != nullptr) give_back(*server);
}

void BudgetWorld::release(std::size_t pool)
{
    Server* const server = some_server(Use::lent, pools_.at(pool).get());
    if (server != nullptr) give_back(*server);
}

void BudgetWorld::vanish()
{
    std::vector<Client*> choice;
    for (const auto& [id, client] : clients_) {
        if (client->server == nullptr) choice.push_back(client.get());
    }
    if (choice.empty()) return;
    Client& client = *choice[prng_.below(choice.size())];
    Pool& pool = *pools_[client.pool];
    static_cast<void>(part(pool, client.waiter.worker()).core.withdraw(client.waiter));
    clients_.erase(client.waiter.client());
}

void BudgetWorld::finish_connect()
{
    std::vector<std::pair<Pool*, WorkerId>> choice;
    for (const auto& pool : pools_) {
        for (std::uint32_t worker = 0; worker < plan_.workers; ++worker) {
            if (pool->parts[worker]->connecting > 0)
                choice.emplace_back(pool.get(), WorkerId{worker});
        }
    }
    if (choice.empty()) return;
    const auto [pool, worker] = choice[prng_.below(choice.size())];
    finish_connect(*pool, worker);
}

void BudgetWorld::finish_connect(Pool& pool, WorkerId worker)
{
    --part(pool, worker).connecting;
    if (prng_.chance(plan_.failures)) {
        part(pool, worker).core.open_failed(now_, prng_.chance(50));
    } else {
        Server& server = *servers_.emplace_back(std::make_unique<Server>());
        server.pool = pool.number;
        server.worker = worker;
        part(pool, worker).core.opened(server, now_);
    }
    obey(pool, worker);
}

void BudgetWorld::lose_lent()
{
    Server* const server = some_server(Use::lent);
    if (server == nullptr) return;
    for (const auto& [id, client] : clients_) {
        if (client->server != server) continue;
        clients_.erase(id);
        break;
    }
    lose(*server);
}

void BudgetWorld::lose_idle()
{
    Server* const server = some_server(Use::idle);
    if (server == nullptr) return;
    part(*pools_[server->pool], server->worker).core.forget_idle(*server);
    lose(*server);
}

void BudgetWorld::lose(Server& server)
{
    Pool& pool = *pools_[server.pool];
    const WorkerId worker = server.worker;
    part(pool, worker).core.lost(server, now_);
    forget(server);
    obey(pool, worker);
}

void BudgetWorld::forget(Server& server)
{
    const auto count = std::erase_if(servers_, [&](const auto& each) {
        return each.get() == &server;
    });
    REQUIRE(count == 1);
}

void BudgetWorld::give_back(Server& server)
{
    Pool& pool = *pools_[server.pool];
    const WorkerId worker = server.worker;
    const auto is_its = [&](const auto& each) { return each.second->server == &server; };
    const auto client = std::ranges::find_if(clients_, is_its);
    REQUIRE(client != clients_.end());
    clients_.erase(client);
    server.use = Use::idle;
    pool::Waiter* const next = part(pool, worker).core.release(server, now_);
    if (next != nullptr) attach(next->client(), server);
    obey(pool, worker);
}

void BudgetWorld::attach(ClientId id, Server& server)
{
    Client& client = *clients_.at(id);
    REQUIRE(client.server == nullptr);
    REQUIRE(server.use == Use::idle);
    REQUIRE(server.worker == client.waiter.worker());
    REQUIRE(server.pool == client.pool);
    client.server = &server;
    server.use = Use::lent;
    ++grant_count_;
}

void BudgetWorld::tick()
{
    Pool& pool = *pools_[prng_.below(pools_.size())];
    tick_one(pool, WorkerId{static_cast<std::uint32_t>(prng_.below(plan_.workers))});
}

void BudgetWorld::tick_one(Pool& pool, WorkerId worker)
{
    part(pool, worker).core.tick(now_);
    obey(pool, worker);
}

void BudgetWorld::tick_all()
{
    for (const auto& pool : pools_) {
        for (std::uint32_t worker = 0; worker < plan_.workers; ++worker) {
            tick_one(*pool, WorkerId{worker});
            check_books();
        }
    }
}

void BudgetWorld::configure()
{
    for (auto& cap : database_caps_) {
        cap = prng_.chance(80) ? static_cast<std::uint32_t>(1 + prng_.below(8)) : 0;
    }
    for (auto& cap : user_caps_) {
        cap = prng_.chance(40) ? static_cast<std::uint32_t>(1 + prng_.below(8)) : 0;
    }
    for (const auto& pool : pools_) {
        pool::Options options = random_options();
        options.max_db_connections = database_caps_[pool->database];
        options.max_user_connections = user_caps_[pool->user];
        configure(pool->number, options);
    }
}

void BudgetWorld::configure(std::size_t number, const pool::Options& options)
{
    Pool& pool = *pools_.at(number);
    pool.options = options;
    pool.shared.configure(options);
    database_caps_[pool.database] = options.max_db_connections;
    user_caps_[pool.user] = options.max_user_connections;
    promised_before_.clear(); // whatever it was, it is another promise now
    for (std::uint32_t worker = 0; worker < plan_.workers; ++worker) {
        send(WorkerId{0}, WorkerId{worker}, Configured{number, options});
    }
}

pool::Options BudgetWorld::random_options()
{
    pool::Options options;
    options.size = static_cast<std::uint32_t>(1 + prng_.below(8));
    if (prng_.chance(30)) options.min_size = static_cast<std::uint32_t>(prng_.below(3));
    if (prng_.chance(40)) options.guaranteed_size = static_cast<std::uint32_t>(prng_.below(4));
    options.connect_parallel_max = static_cast<std::uint32_t>(1 + prng_.below(4));
    options.server_login_retry = 20ms;
    options.failover_wait = prng_.chance(50) ? 0s : 10s;
    options.server_idle_timeout = prng_.chance(50) ? 0s : 5s;
    return options;
}

void BudgetWorld::deliver_all()
{
    for (int count = 0; deliver_one(); ++count) {
        REQUIRE(count < 10'000); // nudging each other for ever
        check_books();
    }
}

bool BudgetWorld::deliver_one()
{
    std::vector<std::size_t> choice;
    for (std::size_t i = 0; i < mail_.size(); ++i) {
        if (!mail_[i].empty()) choice.push_back(i);
    }
    if (choice.empty()) return false;
    const std::size_t box = choice[prng_.below(choice.size())];
    const Message message = mail_[box].front();
    mail_[box].pop_front();
    const WorkerId worker{static_cast<std::uint32_t>(box % plan_.workers)};
    std::visit([&](const auto& each) { receive(worker, each); }, message);
    return true;
}

void BudgetWorld::send(WorkerId from, WorkerId to, const Message& message)
{
    mail_.at(std::size_t{index_of(from)} * plan_.workers + index_of(to)).push_back(message);
}

void BudgetWorld::wind_down()
{
    plan_.failures = 0;
    for (const auto& pool : pools_) { // which may be for all there is, and somebody has none
        pool::Options options = pool->options;
        options.guaranteed_size = 0;
        configure(pool->number, options);
    }
    for (int round = 0; !clients_.empty(); ++round) {
        REQUIRE(round < 2'000);
        pass(50ms);
        tick_all();
        deliver_all();
        for (const auto& pool : pools_) {
            for (std::uint32_t worker = 0; worker < plan_.workers; ++worker) {
                for (int i = 0; pool->parts[worker]->connecting > 0; ++i) {
                    REQUIRE(i < 1'000); // opened, evicted, opened, evicted
                    finish_connect(*pool, WorkerId{worker});
                }
            }
        }
        while (some_server(Use::lent) != nullptr) release();
        deliver_all();
        check_books();
    }
}

BudgetWorld::Server* BudgetWorld::some_server(Use use, const Pool* pool)
{
    std::vector<Server*> choice;
    for (const auto& server : servers_) {
        const bool is_meant = pool == nullptr || server->pool == pool->number;
        if (server->use == use && is_meant) choice.push_back(server.get());
    }
    return choice.empty() ? nullptr : choice[prng_.below(choice.size())];
}

} // namespace pgweir::test
