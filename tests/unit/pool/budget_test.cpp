#include <pgweir/pool/budget.hpp>

#include "unit/pool/rig.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>

using namespace pgweir;
using namespace pgweir::pool;

namespace {

/// A pool with one worker; its servers are told by the letters of their pools.
struct House : Party {
    House(Budgets& budgets, const std::string& user, const Options& options)
        : name{user}, shared{1, options}, core{shared, w0, options}
    {
        shared.join(budgets, this, "app", user);
        shared.configure(options);
    }
    ~House()
    {
        for (Waiter& waiter : waiters) shared.withdraw(waiter);
    }
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    /// A client comes: what it gets, and what else is to be done.
    std::string come(TimePoint now = t0)
    {
        Waiter& waiter = waiters.emplace_back(ClientId{waiters.size() + 1}, w0);
        const auto answer = core.acquire(waiter, now, {});
        return (answer.slot != nullptr ? name_of(answer.slot) + "\n" : "") + todo();
    }
    /// So many servers, each with a client.
    void fill(int count, TimePoint now = t0)
    {
        for (int i = 0; i < count; ++i) {
            REQUIRE(come(now) == "open\n");
            core.opened(slots.emplace_back(name + std::to_string(i + 1)), now);
            static_cast<void>(todo());
        }
    }
    std::string release(std::size_t number, TimePoint now = t0)
    {
        Waiter* const next = core.release(slots.at(number - 1), now);
        return (next != nullptr ? "to another of its own\n" : "") + todo();
    }
    std::string todo()
    {
        std::string all;
        while (core.has_commands()) {
            const Command command = core.next_command();
            if (const auto* const nudge = std::get_if<Nudge>(&command)) {
                all += "nudge " + static_cast<House*>(nudge->party)->name + "\n";
            } else {
                all += std::visit([](const auto& c) { return text(c); }, command) + "\n";
            }
        }
        return all;
    }
    std::string nudged(TimePoint now = t0)
    {
        core.nudged(now);
        return todo();
    }

    std::string name;
    Shared shared;
    Core core;
    std::deque<Waiter> waiters;
    std::deque<NamedSlot> slots;
};

} // namespace

TEST_CASE("pool/budget: a server that comes back goes to who has fewer, though others wait")
{
    Budgets budgets;
    const Options options{.size = 9, .max_db_connections = 3};
    House a{budgets, "a", options};
    House b{budgets, "b", options};
    a.fill(3);
    CHECK(a.come().empty()); // waits
    CHECK(b.come().empty());
    CHECK(a.release(1) == "close a1: evicted\nnudge b\n");
    CHECK(b.nudged() == "open\n");
    CHECK(b.come().empty());
    CHECK(a.release(2) == "to another of its own\n"); // two and one: a swap would help nobody
    CHECK(a.shared.holding().held == 2);
    CHECK(b.shared.holding().held == 1);
}

TEST_CASE("pool/budget: who has an idle server is asked for it at once")
{
    Budgets budgets;
    const Options options{.size = 9, .max_db_connections = 2};
    House a{budgets, "a", options};
    House b{budgets, "b", options};
    a.fill(2);
    CHECK(a.release(1).empty());
    CHECK(a.release(2).empty());
    CHECK(b.come() == "nudge a\n");
    CHECK(a.nudged() == "close a1: evicted\nnudge b\n");
    CHECK(b.nudged() == "open\n");
}

TEST_CASE("pool/budget: between equals only what has rested goes")
{
    Budgets budgets;
    const Options options{.size = 9, .max_db_connections = 2};
    House a{budgets, "a", options};
    House b{budgets, "b", options};
    a.fill(1);
    b.fill(1);
    CHECK(a.release(1).empty());
    CHECK(b.come() == "nudge a\n");
    CHECK(a.nudged(t0 + 499ms).empty());
    a.core.tick(t0 + 500ms);
    CHECK(a.todo() == "close a1: evicted\nnudge b\n");
    CHECK(b.nudged(t0 + 500ms) == "open\n");
}

TEST_CASE("pool/budget: what is guaranteed is not given to others, nor taken back from its owner")
{
    Budgets budgets;
    const Options options{.size = 9, .max_db_connections = 3};
    Options own = options;
    own.guaranteed_size = 2;
    House a{budgets, "a", options};
    House b{budgets, "b", own};
    a.fill(1);
    CHECK(a.come().empty());
    const auto full = a.shared.fullness();
    REQUIRE(full.size() == 1);
    CHECK(full.front().held == 1);
    CHECK(full.front().kept == 2);
    b.fill(2);
    CHECK(b.release(1).empty());
    CHECK(b.release(2).empty());
    a.core.tick(t0 + 1h);
    b.core.tick(t0 + 1h - 1ms);
    CHECK(a.shared.holding().held == 1);
}

TEST_CASE("pool/budget: a place that nobody needs any more goes to the next")
{
    Budgets budgets;
    const Options options{.size = 9, .max_db_connections = 2};
    House a{budgets, "a", options};
    House b{budgets, "b", options};
    House c{budgets, "c", options};
    a.fill(2);
    CHECK(b.come().empty());
    CHECK(c.come().empty());
    CHECK(a.release(1) == "close a1: evicted\nnudge b\n");
    CHECK(b.shared.withdraw(b.waiters.front()));
    CHECK(b.nudged() == "nudge c\n");
    CHECK(c.nudged() == "open\n");
}

TEST_CASE("pool/budget: a smaller cap is reached as servers come back")
{
    Budgets budgets;
    House a{budgets, "a", {.size = 9, .max_db_connections = 3}};
    a.fill(3);
    a.shared.configure({.size = 9, .max_db_connections = 1});
    CHECK(a.release(1) == "close a1: over size\n");
    CHECK(a.release(2) == "close a2: over size\n");
    CHECK(a.release(3).empty());
}
