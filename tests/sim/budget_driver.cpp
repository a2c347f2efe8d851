// The part of BudgetWorld that carries out what the cores decide, and keeps the books.
#include "sim/budget_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

using namespace std::chrono_literals;

namespace pgweir::test {

void BudgetWorld::obey(Pool& pool, WorkerId worker)
{
    pool::Core& core = part(pool, worker).core;
    while (core.has_commands()) {
        const pool::Command command = core.next_command();
        std::visit([&](const auto& each) { carry_out(pool, worker, each); }, command);
    }
}

void BudgetWorld::carry_out(Pool& pool, WorkerId worker, const pool::Open& /*command*/)
{
    REQUIRE(pool.shared.may_open(now_));
    ++part(pool, worker).connecting;
}

void BudgetWorld::carry_out(Pool& pool, WorkerId worker, const pool::Close& command)
{
    auto& server = static_cast<Server&>(*command.slot);
    REQUIRE(server.use == Use::idle);
    REQUIRE(server.worker == worker);
    if (command.reason == pool::CloseReason::evicted) {
        ++eviction_count_;
        check_eviction(pool);
    }
    forget(server);
}

void BudgetWorld::carry_out(Pool& pool, WorkerId worker, const pool::Grant& command)
{
    auto& server = static_cast<Server&>(*command.slot);
    if (command.to.worker == worker) return attach(command.to.client, server);
    server.use = Use::moving;
    send(worker, command.to.worker, Moved{pool.number, &server, command.to.client});
}

void BudgetWorld::carry_out(Pool& pool, WorkerId worker, const pool::Refuse& command)
{
    send(worker, command.worker, Refused{pool.number, command.client});
}

void BudgetWorld::carry_out(Pool& pool, WorkerId worker, const pool::Ask& command)
{
    send(worker, command.worker, Asked{pool.number});
}

void BudgetWorld::carry_out(Pool& /*pool*/, WorkerId worker, const pool::Nudge& command)
{
    send(worker, command.worker, Nudged{static_cast<Pool*>(command.party)->number});
}

void BudgetWorld::receive(WorkerId worker, const Moved& message)
{
    Server& server = *message.server;
    server.worker = worker;
    server.use = Use::idle;
    const auto client = clients_.find(message.client);
    if (client != clients_.end()) return attach(message.client, server);
    Pool& pool = *pools_[message.pool];
    part(pool, worker).core.take_back(server, now_);
    obey(pool, worker);
}

void BudgetWorld::receive(WorkerId /*worker*/, const Refused& message)
{
    clients_.erase(message.client);
}

void BudgetWorld::receive(WorkerId worker, const Asked& message)
{
    Pool& pool = *pools_[message.pool];
    part(pool, worker).core.asked(now_);
    obey(pool, worker);
}

void BudgetWorld::receive(WorkerId worker, const Nudged& message)
{
    Pool& pool = *pools_[message.pool];
    part(pool, worker).core.nudged(now_);
    obey(pool, worker);
}

void BudgetWorld::receive(WorkerId worker, const Configured& message)
{
    Pool& pool = *pools_[message.pool];
    part(pool, worker).core.configure(message.options);
    tick_one(pool, worker);
}

std::uint32_t BudgetWorld::held(std::size_t pool) const
{
    return pools_.at(pool)->shared.holding().held;
}

std::size_t BudgetWorld::lent(std::size_t pool) const
{
    return static_cast<std::size_t>(std::ranges::count_if(servers_, [=](const auto& each) {
        return each->pool == pool && each->use == Use::lent;
    }));
}

std::size_t BudgetWorld::waiting(std::size_t pool) const
{
    return pools_.at(pool)->shared.waiting();
}

std::size_t BudgetWorld::connecting(std::size_t pool) const
{
    std::size_t count = 0;
    for (const auto& part : pools_.at(pool)->parts) count += part->connecting;
    return count;
}

std::vector<const BudgetWorld::Pool*> BudgetWorld::sharers(const Pool& pool, bool by_database) const
{
    std::vector<const Pool*> all;
    for (const auto& each : pools_) {
        const bool is_one = by_database ? each->database == pool.database : each->user == pool.user;
        if (is_one) all.push_back(each.get());
    }
    return all;
}

std::uint32_t BudgetWorld::cap(const Pool& pool, bool by_database) const
{
    return by_database ? database_caps_[pool.database] : user_caps_[pool.user];
}

// Who was there first has it, as far as it goes.
std::uint32_t BudgetWorld::guaranteed(const Pool& pool, bool by_database) const
{
    std::uint32_t left = cap(pool, by_database);
    for (const Pool* const each : sharers(pool, by_database)) {
        const std::uint32_t its = std::min(
            {left, each->options.guaranteed_size, each->shared.size()}
        );
        if (each == &pool) return its;
        left -= its;
    }
    return 0;
}

std::uint32_t BudgetWorld::taken(const Pool& pool, bool by_database) const
{
    std::uint32_t sum = 0;
    for (const Pool* const each : sharers(pool, by_database)) sum += held(each->number);
    return sum;
}

// What is held, and what must be left for those who do not have all that they may count on.
std::uint32_t BudgetWorld::promised(const Pool& pool, bool by_database) const
{
    std::uint32_t sum = 0;
    for (const Pool* const each : sharers(pool, by_database)) {
        sum += std::max(held(each->number), guaranteed(*each, by_database));
    }
    return sum;
}

bool BudgetWorld::has_room(const Pool& pool, bool by_database) const
{
    const std::uint32_t most = cap(pool, by_database);
    if (most == 0) return true;
    const bool is_below = held(pool.number) < guaranteed(pool, by_database);
    return (is_below ? taken(pool, by_database) : promised(pool, by_database)) < most;
}

bool BudgetWorld::can_spare(const Pool& pool) const
{
    return held(pool.number) > std::max(guaranteed(pool, true), guaranteed(pool, false));
}

// Somebody else is short of it, or there were too many. Its place is gone already.
void BudgetWorld::check_eviction(const Pool& pool) const
{
    REQUIRE(held(pool.number) >= guaranteed(pool, true));
    REQUIRE(held(pool.number) >= guaranteed(pool, false));
    bool is_for_somebody = false;
    for (const bool by_database : {true, false}) {
        const std::uint32_t most = cap(pool, by_database);
        if (most == 0) continue;
        if (taken(pool, by_database) >= most) is_for_somebody = true; // given, or still too many
        for (const Pool* const each : sharers(pool, by_database)) {
            if (each != &pool && each->shared.lacking() > 0) is_for_somebody = true;
        }
    }
    REQUIRE(is_for_somebody);
}

void BudgetWorld::check_books()
{
    for (const auto& pool : pools_) {
        const auto servers = static_cast<std::size_t>(std::ranges::count_if(
            servers_, [&](const auto& each) { return each->pool == pool->number; }
        ));
        const pool::Budgets::Holding holding = pool->shared.holding();
        REQUIRE(pool->shared.total() == servers + connecting(pool->number));
        REQUIRE(holding.held == pool->shared.total() + holding.unused);
        REQUIRE(holding.guaranteed == std::max(guaranteed(*pool, true), guaranteed(*pool, false)));
        for (const bool by_database : {true, false}) {
            const std::uint32_t most = cap(*pool, by_database);
            const std::pair key{by_database, by_database ? pool->database : pool->user};
            const std::uint32_t now = promised(*pool, by_database);
            const auto before = promised_before_.find(key);
            if (most > 0 && before != promised_before_.end()) {
                REQUIRE(now <= std::max(most, before->second));
            }
            if (sharers(*pool, by_database).back() == pool.get()) promised_before_[key] = now;
        }
    }
}

void BudgetWorld::quiesce()
{
    constexpr int rounds = 12; // one server at a time comes out of its rest
    for (int i = 0; i < rounds; ++i) {
        pass(600ms);
        tick_all();
        deliver_all();
    }
    for (const auto& pool : pools_) {
        REQUIRE(pool->shared.holding().unused == 0);
        const bool is_hindered = !pool->shared.may_open(now_) || pool->shared.is_down();
        if (!is_hindered && pool->shared.lacking() > 0) check_waits(*pool);
    }
}

// Who comes first, and waits for another cap, has a place here kept for him.
bool BudgetWorld::is_kept_for_another(const Pool& pool) const
{
    for (const bool by_database : {true, false}) {
        if (cap(pool, by_database) == 0) continue;
        for (const Pool* const each : sharers(pool, by_database)) {
            const bool waits = each != &pool && each->shared.lacking() > 0;
            if (waits && has_room(*each, by_database) && !has_room(*each, !by_database)) {
                return true;
            }
        }
    }
    return false;
}

// It would open servers if it could: then it must be that nobody has one too many. What somebody
// still uses he gives with the end of his transaction.
void BudgetWorld::check_waits(const Pool& pool) const
{
    const bool is_blocked_by_both = !has_room(pool, true) && !has_room(pool, false);
    if (is_kept_for_another(pool)) return;
    REQUIRE((!has_room(pool, true) || !has_room(pool, false)));
    for (const bool by_database : {true, false}) {
        if (has_room(pool, by_database)) continue;
        const std::uint32_t most = cap(pool, by_database);
        const bool is_below = held(pool.number) < guaranteed(pool, by_database);
        const std::uint32_t after = is_below ? taken(pool, by_database)
                                             : promised(pool, by_database);
        if (after > most) continue; // one server would not help
        for (const Pool* const each : sharers(pool, by_database)) {
            if (each == &pool || !can_spare(*each)) continue;
            REQUIRE_FALSE(has_idle(*each));
            if (is_blocked_by_both) continue;
            if (is_below || held(each->number) > held(pool.number) + 1) {
                REQUIRE(each->shared.is_over_bound());
            }
        }
    }
}

} // namespace pgweir::test
