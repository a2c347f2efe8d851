// What Budgets has of each cap and each pool, and the rules between them. For its own files.
#pragma once

#include <pgweir/pool/budget.hpp>
#include <pgweir/pool/shared.hpp>

#include <algorithm>

namespace pgweir::pool {

struct Budgets::Budget {
    const char* setting;
    std::string name;
    std::uint32_t cap = 0; // zero: none
    std::uint32_t held = 0;
    std::uint32_t unfilled = 0; // of all guarantees
    std::vector<Member*> members{};

    [[nodiscard]] bool is_limited() const { return cap > 0; }
};

class Budgets::Member {
public:
    struct Seat {
        Budget* budget = nullptr;
        std::uint32_t guaranteed = 0;
        bool is_pressed = false; // it has to give up what comes back
    };

    Shared* shared = nullptr;
    Party* party = nullptr;
    std::array<Seat, 2> seats{};
    std::uint32_t wished = 0; // guaranteed_size
    std::uint32_t size = 0;
    std::uint32_t held = 0;
    std::uint32_t unused = 0; // of these: given to it, and it does not know yet
    std::uint64_t turn = 0;   // when it was given something last
    bool wants = false;
    WorkerId worker{};

    [[nodiscard]] const Seat& seat(const Budget& budget) const
    {
        return seats[seats[0].budget == &budget ? 0 : 1];
    }
    [[nodiscard]] Budget& other(const Budget& budget) const
    {
        return *seats[seats[0].budget == &budget ? 1 : 0].budget;
    }
    [[nodiscard]] bool is_limited() const
    {
        return seats[0].budget->is_limited() || seats[1].budget->is_limited();
    }
    [[nodiscard]] std::uint32_t guaranteed() const
    {
        return std::max(seats[0].guaranteed, seats[1].guaranteed);
    }
    [[nodiscard]] bool is_below_guarantee(const Budget& budget) const
    {
        return held < seat(budget).guaranteed;
    }
    [[nodiscard]] bool can_spare() const { return held > guaranteed(); }
    [[nodiscard]] bool lacks() const { return wants && shared->lacking() > unused; }
};

namespace budget_rules {

using Budget = Budgets::Budget;
using Member = Budgets::Member;

[[nodiscard]] std::uint32_t unfilled(std::uint32_t guaranteed, std::uint32_t held);
/// Places that this member must leave alone.
[[nodiscard]] std::uint32_t kept_from(const Budget& budget, const Member& member);
[[nodiscard]] bool has_room(const Budget& budget, const Member& member, std::uint32_t kept = 0);
/// One server less of another, and there is room.
[[nodiscard]] bool may_get_room(const Budget& budget, const Member& member);
[[nodiscard]] bool may_take_from(const Budget& budget, const Member& member, const Member& from);
/// One order for all caps: so there is always one who waits for nobody else.
[[nodiscard]] bool comes_before(const Member& one, const Member& other);
/// There is no place for it in `lacking`, but soon: what it has in the other cap is kept for it, or
/// two caps would never have one at the same time.
[[nodiscard]] bool keeps_a_place_for(const Budget& lacking, const Member& member);
/// There is room, also for those who come before it.
[[nodiscard]] bool fits(const Budget& budget, const Member& member);
[[nodiscard]] bool fits(const Member& member);

} // namespace budget_rules
} // namespace pgweir::pool
