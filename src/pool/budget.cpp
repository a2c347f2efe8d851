#include <pgweir/pool/budget.hpp>

#include "budget_rules.hpp"

#include <algorithm>
#include <utility>

namespace pgweir::pool {

using budget_rules::comes_before;
using budget_rules::fits;
using budget_rules::has_room;
using budget_rules::may_get_room;
using budget_rules::may_take_from;

Budgets::Budgets() = default;
Budgets::~Budgets() = default;

Budgets::Budget& Budgets::find_or_make(Scope& scope, const char* setting, const std::string& name)
{
    std::unique_ptr<Budget>& budget = scope[name];
    if (!budget) budget = std::make_unique<Budget>(Budget{setting, name});
    return *budget;
}

Budgets::Member& Budgets::join(
    Shared& shared, Party* party, const std::string& database, const std::string& user
)
{
    const std::scoped_lock lock{mutex_};
    Member& member = *members_.emplace_back(std::make_unique<Member>());
    member.shared = &shared;
    member.party = party;
    member.turn = ++turn_;
    member.seats[0].budget = &find_or_make(databases_, "max_db_connections", database);
    member.seats[1].budget = &find_or_make(users_, "max_user_connections", user);
    for (Member::Seat& seat : member.seats) seat.budget->members.push_back(&member);
    return member;
}

void Budgets::configure(Member& member, const Options& options)
{
    const std::scoped_lock lock{mutex_};
    member.size = options.size;
    member.wished = std::min(options.guaranteed_size, options.size);
    member.seats[0].budget->cap = options.max_db_connections;
    member.seats[1].budget->cap = options.max_user_connections;
    for (Member::Seat& seat : member.seats) share_guarantees(*seat.budget);
    resize(member);
    mark(member);
}

// More than there is cannot be promised: who came first has it.
void Budgets::share_guarantees(Budget& budget)
{
    std::uint32_t left = budget.cap;
    budget.unfilled = 0;
    for (Member* const each : budget.members) {
        Member::Seat& seat = each->seats[each->seats[0].budget == &budget ? 0 : 1];
        seat.guaranteed = std::min(each->wished, left);
        left -= seat.guaranteed;
        budget.unfilled += budget_rules::unfilled(seat.guaranteed, each->held);
    }
}

void Budgets::change(Member& member, std::int32_t by)
{
    const std::uint32_t held = member.held + static_cast<std::uint32_t>(by);
    for (const Member::Seat& seat : member.seats) {
        Budget& budget = *seat.budget;
        budget.held += static_cast<std::uint32_t>(by);
        budget.unfilled += budget_rules::unfilled(seat.guaranteed, held);
        budget.unfilled -= budget_rules::unfilled(seat.guaranteed, member.held);
    }
    member.held = held;
}

// While it wants, it need not ask again: it is told. Whoever joins its queue looks at that after
// he has joined, and here it is the other way round; so one of the two sees the other.
void Budgets::set_wanting(Member& member, bool on)
{
    member.wants = on;
    resize(member);
}

void Budgets::refresh(Member& member)
{
    if (!member.wants || member.lacks()) return;
    set_wanting(member, false);
    if (member.shared->lacking() > member.unused) set_wanting(member, true);
}

void Budgets::resize(Member& member)
{
    const bool is_pressed = member.seats[0].is_pressed || member.seats[1].is_pressed;
    member.shared->set_bounds(member.wants ? 0 : member.size, is_pressed ? 0 : member.size);
}

bool Budgets::take(Member& member, WorkerId worker, bool insists, Nudges& nudges)
{
    const std::scoped_lock lock{mutex_};
    if (member.unused > 0) {
        --member.unused;
        return true;
    }
    if (!member.is_limited()) {
        change(member, 1);
        return true;
    }
    if (!insists) {
        const auto someone_wants = [](const Member::Seat& seat) {
            return std::ranges::any_of(seat.budget->members, &Member::wants);
        };
        if (!fits(member) || std::ranges::any_of(member.seats, someone_wants)) return false;
        change(member, 1);
        mark(member);
        return true;
    }
    member.worker = worker;
    set_wanting(member, true);
    Nudges found;
    serve(member, found);
    std::erase_if(found, [&](const Nudge& each) { return each.party == member.party; });
    nudges.insert(nudges.end(), found.begin(), found.end());
    if (member.unused > 0) {
        --member.unused;
        return true;
    }
    look_for_idle(member, nudges);
    return false;
}

void Budgets::give_back(Member& member, Nudges& nudges)
{
    const std::scoped_lock lock{mutex_};
    change(member, -1);
    if (member.is_limited()) serve(member, nudges);
}

bool Budgets::give_up(Member& member, bool is_rested, Nudges& nudges)
{
    const std::scoped_lock lock{mutex_};
    if (!member.can_spare()) return false;
    const auto is_needed = [&](const Member::Seat& seat) {
        const Budget& budget = *seat.budget;
        if (!budget.is_limited()) return false;
        if (budget.held > budget.cap) return true;
        if (!is_rested) return seat.is_pressed;
        return std::ranges::any_of(budget.members, [&](const Member* each) {
            return each != &member && each->lacks() && !has_room(budget, *each)
                   && may_get_room(budget, *each);
        });
    };
    mark(member); // what was needed a moment ago may not be any more
    if (std::ranges::none_of(member.seats, is_needed)) return false;
    change(member, -1);
    serve(member, nudges);
    return true;
}

void Budgets::return_unused(Member& member, Nudges& nudges)
{
    const std::scoped_lock lock{mutex_};
    if (member.unused == 0) return;
    set_wanting(member, false); // or it would be given the same again
    change(member, -static_cast<std::int32_t>(std::exchange(member.unused, 0)));
    serve(member, nudges);
}

// Something has changed in what it holds or wants.
void Budgets::serve(const Member& member, Nudges& nudges)
{
    for (const Member::Seat& seat : member.seats) {
        while (seat.budget->is_limited() && grant_one(*seat.budget, nudges)) {
        }
    }
    mark(member);
}

bool Budgets::grant_one(Budget& budget, Nudges& nudges)
{
    Member* best = nullptr;
    for (Member* const each : budget.members) {
        refresh(*each);
        const bool is_better = best == nullptr || comes_before(*each, *best);
        if (each->wants && is_better && fits(*each)) best = each;
    }
    if (best == nullptr) return false;
    ++best->unused;
    best->turn = ++turn_;
    change(*best, 1);
    refresh(*best);
    nudges.push_back({best->party, best->worker});
    mark(*best);
    return true;
}

void Budgets::mark(const Member& member)
{
    for (const Member::Seat& seat : member.seats) {
        mark(*seat.budget);
        if (!seat.budget->is_limited()) continue;
        for (const Member* const each : seat.budget->members) { // perhaps it can take elsewhere now
            if (each->wants && each != &member) mark(each->other(*seat.budget));
        }
    }
}

// The two who come first of those who may take from others here.
Budgets::Wanters Budgets::pressing(const Budget& budget)
{
    Wanters first{};
    for (Member* const each : budget.members) {
        refresh(*each);
        if (!each->lacks() || has_room(budget, *each) || !may_get_room(budget, *each)) continue;
        const Budget& other = each->other(budget);
        if (!fits(other, *each) && !budget_rules::keeps_a_place_for(other, *each)) continue;
        const auto comes_first = [&](const Member* than) {
            return than == nullptr || comes_before(*each, *than);
        };
        if (comes_first(first[0])) {
            first = {each, first[0]};
        } else if (comes_first(first[1])) {
            first[1] = each;
        }
    }
    return first;
}

// Who has too much sees it with the next server that comes back.
void Budgets::mark(Budget& budget)
{
    const bool is_over = budget.is_limited() && budget.held > budget.cap;
    const Wanters wanters = budget.is_limited() ? pressing(budget) : Wanters{};
    for (Member* const each : budget.members) {
        const Member* const wanter = wanters[0] == each ? wanters[1] : wanters[0];
        const bool is_pressed = (is_over && each->can_spare())
                                || (wanter != nullptr && may_take_from(budget, *wanter, *each));
        bool& was_pressed = each->seats[each->seats[0].budget == &budget ? 0 : 1].is_pressed;
        if (std::exchange(was_pressed, is_pressed) != is_pressed) resize(*each);
    }
}

// The most over-served of those who have idle servers looks whether one of them can go.
void Budgets::look_for_idle(const Member& member, Nudges& nudges)
{
    for (const Member::Seat& seat : member.seats) {
        if (has_room(*seat.budget, member)) continue;
        const Member* most = nullptr;
        for (const Member* const each : seat.budget->members) {
            const bool has_more = most == nullptr || each->held > most->held;
            if (each == &member || !each->can_spare() || !has_more) continue;
            if (each->shared->worker_with_idle()) most = each;
        }
        if (most == nullptr) continue;
        const auto worker = most->shared->worker_with_idle();
        if (worker) nudges.push_back({most->party, *worker});
    }
}

std::vector<Budgets::Fullness> Budgets::fullness(const Member& member) const
{
    const std::scoped_lock lock{mutex_};
    std::vector<Fullness> all;
    for (const Member::Seat& seat : member.seats) {
        const Budget& budget = *seat.budget;
        if (has_room(budget, member)) continue;
        const auto others = std::ranges::count_if(budget.members, [&](const Member* each) {
            return each != &member && each->held > 0;
        });
        all.push_back(
            {budget.setting,
             budget.name,
             budget.cap,
             budget.held,
             budget_rules::kept_from(budget, member),
             member.held,
             static_cast<std::uint32_t>(others)}
        );
    }
    return all;
}

Budgets::Holding Budgets::holding(const Member& member) const
{
    const std::scoped_lock lock{mutex_};
    return {member.held, member.unused, member.guaranteed()};
}

} // namespace pgweir::pool
