// Deadlines by the thousand: a ring of lists, one for each tick. Setting a deadline that is later
// than the one before costs a comparison; nothing is armed and nothing is cancelled.
#pragma once

#include <pgweir/base/clock.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgweir {

/// Base of what has a deadline. Leaves the wheel when it dies.
class WheelEntry : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    /// Its time has come, or came too early: see Wheel.
    virtual void on_deadline(TimePoint now) = 0;

protected:
    WheelEntry() = default;
    WheelEntry(const WheelEntry&) = default;
    WheelEntry& operator=(const WheelEntry&) = default;
    ~WheelEntry() = default;

private:
    friend class Wheel;
    TimePoint wakes_at_ = TimePoint::max();
};

/// An entry is woken at or a little (one tick) after its time, and is out of the wheel then. It may
/// be woken too early, when its deadline has moved: it looks, and schedules itself again.
class Wheel {
public:
    static constexpr Duration tick = std::chrono::milliseconds{16};

    explicit Wheel(TimePoint now) : done_until_{start_of_tick(now)} {}

    /// No later than `time`. An earlier wake-up that is set already stays.
    void schedule(WheelEntry& entry, TimePoint time)
    {
        if (entry.is_linked() && entry.wakes_at_ <= time) return;
        if (entry.is_linked()) entry.unlink();
        entry.wakes_at_ = time;
        const TimePoint reachable = time < done_until_ ? done_until_ : time;
        lists_[place_of(reachable)].push_back(entry);
        occupied_from_ = std::min(occupied_from_, start_of_tick(reachable));
    }

    /// Wakes each entry whose time has come. Costs a comparison when there is none.
    void advance(TimePoint now)
    {
        if (now < occupied_from_) return;
        List due;
        // Each place once at most, however long nobody came by.
        for (std::size_t i = 0; i < place_count && done_until_ <= now; ++i, done_until_ += tick) {
            List& list = lists_[place_of(done_until_)];
            for (auto entry = list.begin(); entry != list.end();) {
                WheelEntry& candidate = *entry++;
                if (candidate.wakes_at_ > now) continue;
                candidate.unlink();
                due.push_back(candidate);
            }
        }
        // The place of `now` is not over: it must be looked at again. And only now may anybody be
        // woken: who schedules itself for a time that has passed must find a place still to come.
        done_until_ = start_of_tick(now);
        occupied_from_ = find_occupied();
        while (!due.empty()) {
            WheelEntry& entry = due.front();
            due.pop_front();
            entry.on_deadline(now);
        }
    }

    /// When advance() should be called next. Empty: nothing is scheduled.
    [[nodiscard]] std::optional<TimePoint> next() const
    {
        if (occupied_from_ == TimePoint::max()) return std::nullopt;
        return occupied_from_ + tick;
    }

private:
    static constexpr std::size_t place_count = 256;
    using List = boost::intrusive::list<WheelEntry, boost::intrusive::constant_time_size<false>>;

    [[nodiscard]] static std::size_t place_of(TimePoint time)
    {
        const auto ticks = static_cast<std::uint64_t>(time.time_since_epoch() / tick);
        return static_cast<std::size_t>(ticks % place_count);
    }

    [[nodiscard]] static TimePoint start_of_tick(TimePoint time)
    {
        return time - time.time_since_epoch() % tick;
    }

    [[nodiscard]] TimePoint find_occupied() const
    {
        TimePoint time = done_until_;
        for (std::size_t i = 0; i < place_count; ++i, time += tick) {
            if (!lists_[place_of(time)].empty()) return time;
        }
        return TimePoint::max();
    }

    std::array<List, place_count> lists_;
    TimePoint done_until_;                       // the start of a tick
    TimePoint occupied_from_ = TimePoint::max(); // no list before this tick holds anybody
};

} // namespace pgweir
