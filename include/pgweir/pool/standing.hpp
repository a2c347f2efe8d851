// Whether a queue stands: it is always too long, and not just for a moment. Then who came last is
// served first, because who came first has given up by the time it is his turn.
#pragma once

#include <pgweir/base/clock.hpp>

#include <cstdint>

namespace pgweir::pool {

/// One for each queue, and the queue's lock guards it. As CoDel does, it looks at the smallest wait
/// within an interval: a burst, or a hiccup in which nobody is served, leaves that small, or is
/// over before an interval is. As long as nobody is let down, the order of coming is the better
/// one: all are served, and wait equally long.
class Standing {
public:
    /// One of so many that are served from a queue that stands is the one that came first: who is
    /// patient gets there, too.
    static constexpr std::uint8_t oldest_each = 4;

    /// Somebody comes, and was alone.
    void begin() { *this = {}; }

    /// Somebody is served, having waited for less than the target.
    void served_in_time()
    {
        if (is_late()) [[unlikely]]
            end_lateness();
    }
    void served_late(TimePoint now, Duration interval);

    /// Somebody leaves the queue, or is turned away, without a server.
    void let_down() { is_anybody_let_down_ = true; }

    [[nodiscard]] bool is_overloaded() const { return is_overloaded_; }

    /// Of those who wait, it is the turn of the newest.
    [[nodiscard]] bool is_turn_of_newest();

private:
    [[nodiscard]] bool is_late() const { return late_since_ != TimePoint{}; }
    void end_lateness()
    {
        late_since_ = {};
        is_anybody_let_down_ = false;
    }

    TimePoint late_since_{}; // from then on nobody was served in time
    bool is_anybody_let_down_ = false;
    bool is_overloaded_ = false; // until the queue is empty
    std::uint8_t turn_ = 0;
};

} // namespace pgweir::pool
