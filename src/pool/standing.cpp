#include <pgweir/pool/standing.hpp>

namespace pgweir::pool {

void Standing::served_late(TimePoint now, Duration interval)
{
    if (!is_late()) late_since_ = now;
    if (is_anybody_let_down_ && now - late_since_ >= interval) is_overloaded_ = true;
}

bool Standing::is_turn_of_newest()
{
    if (!is_overloaded_) return false;
    turn_ = static_cast<std::uint8_t>((turn_ + 1) % oldest_each);
    return turn_ != 0;
}

} // namespace pgweir::pool
