#include "budget_rules.hpp"

#include <utility>

namespace pgweir::pool::budget_rules {

std::uint32_t unfilled(std::uint32_t guaranteed, std::uint32_t held)
{
    return guaranteed - std::min(guaranteed, held);
}

std::uint32_t kept_from(const Budget& budget, const Member& member)
{
    return member.is_below_guarantee(budget) ? 0 : budget.unfilled;
}

bool has_room(const Budget& budget, const Member& member, std::uint32_t kept)
{
    if (!budget.is_limited()) return true;
    return budget.held + kept_from(budget, member) + kept < budget.cap;
}

bool may_get_room(const Budget& budget, const Member& member)
{
    return budget.held + kept_from(budget, member) <= budget.cap;
}

bool may_take_from(const Budget& budget, const Member& member, const Member& from)
{
    if (&from == &member || !from.can_spare()) return false;
    return member.is_below_guarantee(budget) || from.held > member.held + 1;
}

static bool has_victim(const Budget& budget, const Member& member)
{
    return may_get_room(budget, member)
           && std::ranges::any_of(budget.members, [&](const Member* each) {
                  return may_take_from(budget, member, *each);
              });
}

bool comes_before(const Member& one, const Member& other)
{
    const bool is_below = one.held < one.guaranteed();
    if (is_below != (other.held < other.guaranteed())) return is_below;
    return std::pair{one.held, one.turn} < std::pair{other.held, other.turn};
}

bool keeps_a_place_for(const Budget& lacking, const Member& member)
{
    return !has_room(lacking, member) && has_victim(lacking, member);
}

static bool wants_a_place(const Budget& budget, const Member& member)
{
    const Budget& other = member.other(budget);
    return member.lacks() && has_room(budget, member)
           && (has_room(other, member) || keeps_a_place_for(other, member));
}

bool fits(const Budget& budget, const Member& member)
{
    if (!budget.is_limited()) return true;
    if (!has_room(budget, member)) return false;
    const auto kept = std::ranges::count_if(budget.members, [&](const Member* each) {
        return each != &member && comes_before(*each, member) && wants_a_place(budget, *each);
    });
    return has_room(budget, member, static_cast<std::uint32_t>(kept));
}

bool fits(const Member& member)
{
    return fits(*member.seats[0].budget, member) && fits(*member.seats[1].budget, member);
}

} // namespace pgweir::pool::budget_rules
