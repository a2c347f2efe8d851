#include <pgweir/pool/placement.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace pgweir;
using namespace pgweir::pool;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0 = TimePoint{} + 1h;
constexpr std::uint32_t load_max = 75;
using Loads = std::vector<WorkerLoad>;

std::uint32_t place(const Loads& workers, std::uint32_t max = load_max)
{
    return index_of(worker_for_client(workers, max));
}

// Loads with some clients everywhere.
Loads busy(std::initializer_list<std::uint32_t> percents)
{
    Loads loads;
    for (const std::uint32_t percent : percents) loads.push_back({percent, 10});
    return loads;
}

// What a worker does in the end when nothing changes: "60% to 1", or "" for nothing.
std::string wish(const Loads& workers, std::uint32_t self, std::uint32_t max = load_max)
{
    Balance balance{WorkerId{self}, max};
    static_cast<void>(balance.look(workers, t0));
    const auto handover = balance.look(workers, t0 + 1h).handover;
    if (!handover) return {};
    return std::to_string(handover->percent) + "% to " + std::to_string(index_of(handover->to));
}

std::string chosen(std::vector<ClientWork> clients, std::uint32_t percent)
{
    std::string text;
    for (const ClientId client : choose_clients(std::move(clients), {WorkerId{1}, percent})) {
        text += std::to_string(static_cast<std::uint64_t>(client)) + ' ';
    }
    return text;
}

ClientWork client(std::uint64_t id, std::uint64_t work, bool is_bound = false)
{
    return {ClientId{id}, work, is_bound};
}

} // namespace

TEST_CASE("pool/placement: a new client goes to the first worker that has room")
{
    CHECK(place({{0, 0}, {0, 0}}) == 0);
    CHECK(place({{49, 5'000}, {0, 0}}) == 0);
    CHECK(place({{50, 1}, {0, 0}, {0, 0}}) == 1);
    CHECK(place({{90, 1}, {60, 1}, {30, 1}}) == 2);
}

TEST_CASE("pool/placement: when all are busy it goes to the least busy, then to the emptiest")
{
    CHECK(place({{95, 1}, {72, 9}, {88, 1}}) == 1);
    CHECK(place({{76, 9}, {72, 9}, {78, 3}}) == 2);
}

TEST_CASE("pool/placement: without a limit to reach, clients are spread from the beginning")
{
    CHECK(place({{0, 1}, {0, 0}}, 0) == 1);
    CHECK(place({{0, 1}, {0, 1}}, 0) == 0);
}

TEST_CASE("pool/placement: a busy worker shares with an idle one until both do the same")
{
    CHECK(wish(busy({100, 0}), 0) == "50% to 1");
    CHECK(wish(busy({100, 0}), 1).empty());
    CHECK(wish(busy({100, 60}), 0) == "20% to 1");
    CHECK(wish(busy({76, 0, 0}), 0) == "50% to 1");
}

TEST_CASE("pool/placement: what would not help is not done")
{
    CHECK(wish(busy({75, 0}), 0).empty());   // not busy
    CHECK(wish(busy({100, 90}), 0).empty()); // the other one is as well
    CHECK(wish(busy({100}), 0).empty());     // there is no other one
}

TEST_CASE("pool/placement: several busy workers share with different idle ones")
{
    const Loads loads = busy({90, 10, 95, 0});
    CHECK(wish(loads, 2) == "50% to 3");
    CHECK(wish(loads, 0) == "44% to 1");
}

TEST_CASE("pool/placement: two workers with little to do become one, the higher goes to the lower")
{
    CHECK(wish(busy({10, 10}), 1) == "100% to 0");
    CHECK(wish(busy({10, 10}), 0).empty());
    CHECK(wish(busy({20, 17}), 1).empty()); // together they are half of what makes one share
    CHECK(wish({{0, 10}, {0, 0}}, 1).empty());
    CHECK(wish(busy({60, 20, 10}), 2) == "100% to 1");
}

TEST_CASE("pool/placement: one worker at a time empties itself, the highest first")
{
    const Loads loads = busy({5, 5, 5, 50});
    CHECK(wish(loads, 3).empty());
    CHECK(wish(loads, 2) == "100% to 0");
    CHECK(wish(loads, 1).empty());
}

TEST_CASE("pool/placement: with clients spread on purpose nothing is put together again")
{
    CHECK(wish(busy({0, 0}), 1, 0).empty());
    CHECK(wish(busy({30, 0}), 0, 0) == "50% to 1");
}

TEST_CASE("pool/placement: a busy moment moves nobody, a busy while does, and then it looks again")
{
    Balance balance{WorkerId{0}, load_max};
    const Loads high = busy({100, 0});
    const Balance::Verdict nothing{};
    const Balance::Verdict counting{.starts_counting = true, .handover = {}};
    const Balance::Verdict sharing{.starts_counting = true, .handover = {{WorkerId{1}, 50}}};
    CHECK(balance.look(high, t0) == counting);
    CHECK(balance.look(high, t0 + 100ms) == nothing);
    CHECK(balance.look(busy({40, 0}), t0 + 200ms) == nothing); // that was all
    CHECK(balance.look(high, t0 + 300ms) == counting);
    CHECK(balance.look(high, t0 + 550ms) == sharing);
    CHECK(balance.look(high, t0 + 650ms) == nothing); // not before it shows what that has done
    CHECK(balance.look(high, t0 + 800ms) == sharing);
}

TEST_CASE("pool/placement: a quiet moment moves nobody, a quiet while does")
{
    Balance balance{WorkerId{1}, load_max};
    const Loads low = busy({10, 10});
    const TimePoint patience_end = t0 + Balance::merge_patience;
    CHECK(balance.look(low, t0).starts_counting);
    CHECK(balance.look(low, patience_end - 1ms) == Balance::Verdict{});
    CHECK(balance.look(low, patience_end).handover == Handover{WorkerId{0}, 100});
}

TEST_CASE("pool/placement: a steady load comes to rest, wherever its clients were")
{
    for (const std::uint32_t all : {10U, 40U, 70U, 80U, 110U, 150U, 190U}) {
        CAPTURE(all);
        Loads loads{{std::min(all, 100U), 10}, {all - std::min(all, 100U), 10}};
        std::vector<Balance> balances{{WorkerId{0}, load_max}, {WorkerId{1}, load_max}};
        int handovers = 0;
        for (TimePoint now = t0; now < t0 + 5min; now += 100ms) {
            for (std::uint32_t i = 0; i < 2; ++i) {
                const auto handover = balances[i].look(loads, now).handover;
                if (!handover) continue;
                ++handovers;
                const std::uint32_t moved = loads[i].percent * handover->percent / 100;
                loads[i].percent -= moved;
                loads[1 - i].percent += moved;
                if (handover->percent == 100) loads[i].clients = 0;
            }
        }
        CHECK(handovers <= 2);
    }
}

TEST_CASE("pool/placement: as much work goes as is asked for, from those who do most")
{
    CHECK(chosen({client(1, 10), client(2, 10), client(3, 10), client(4, 10)}, 50) == "1 2 ");
    CHECK(chosen({client(1, 5), client(2, 60), client(3, 35)}, 50) == "3 1 ");
    CHECK(chosen({client(1, 1), client(2, 0)}, 50).empty());
}

TEST_CASE("pool/placement: one client that is nearly the whole load stays, the others go")
{
    CHECK(chosen({client(1, 90), client(2, 5), client(3, 5)}, 50) == "2 3 ");
}

TEST_CASE("pool/placement: when a worker empties itself everybody goes who can")
{
    CHECK(chosen({client(1, 0), client(2, 7), client(3, 9, true)}, 100) == "2 1 ");
}

TEST_CASE("pool/placement: what a bound client does counts, though it stays")
{
    CHECK(chosen({client(1, 50, true), client(2, 25), client(3, 25)}, 25) == "2 ");
}

TEST_CASE("pool/placement: thousands of clients go in several handovers")
{
    std::vector<ClientWork> clients;
    for (std::uint64_t i = 1; i <= 10'000; ++i) clients.push_back(client(i, 0));
    CHECK(choose_clients(std::move(clients), {WorkerId{0}, 100}).size() == 128);
}
