#include <pgweir/pool/lanes.hpp>

#include <algorithm>

namespace pgweir::pool {

std::uint32_t long_max(std::uint32_t size, std::uint32_t parked, std::uint32_t reserve)
{
    const std::uint32_t shared = size - std::min(parked, size);
    return std::max(shared - std::min(reserve, shared / 4), 1U);
}

std::uint32_t slow_max(std::uint32_t size, std::uint32_t parked, std::uint32_t reserve)
{
    const std::uint32_t shared = size - std::min(parked, size);
    const std::uint32_t least = std::max((shared + 3) / 4, 1U);
    return std::max(shared - std::min(reserve, shared), least);
}

namespace {

std::int64_t micros(Duration time)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

} // namespace

Duration Classes::mean_of(ClassId id) const
{
    const Entry* const entry = find(id);
    if (entry == nullptr) return {};
    const Weight weight = entry->weight.load(std::memory_order_relaxed);
    const Time time = entry->time.load(std::memory_order_relaxed);
    return std::chrono::microseconds{weight == 0 ? 0 : time / weight};
}

bool Classes::learn(ClassId id, Duration held, TimePoint now, std::uint32_t count)
{
    return change(id, micros(held) * one * count, one * count, now);
}

bool Classes::guess_slow(ClassId id, TimePoint now)
{
    return change(id, micros(slow_guess) * one, one, now);
}

bool Classes::learn_guessed(ClassId id, Duration held, TimePoint now)
{
    return change(id, micros(held - slow_guess) * one, 0, now);
}

// What is old goes by halves; but as long as nothing newer is known, that is believed.
bool Classes::change(ClassId id, std::int64_t time, Weight weight, TimePoint now)
{
    constexpr Weight least = one / 4;
    constexpr std::int32_t long_ago = 31;

    if (id == ClassId::none) return false;
    Entry& entry = find_or_add(id);
    Weight old_weight = entry.weight.load(std::memory_order_relaxed);
    Time old_time = entry.time.load(std::memory_order_relaxed);
    const bool was_slow = pace(old_time, old_weight) == Pace::slow;

    const auto since_start = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()
    );
    const auto second = static_cast<std::uint32_t>(since_start.count());
    const auto age = static_cast<std::int32_t>(
        second - entry.second.load(std::memory_order_relaxed)
    );
    if (age > 0 && old_weight > least) {
        const Weight left = std::max(old_weight >> std::min(age, long_ago), least);
        old_time = old_time * left / old_weight;
        old_weight = left;
    }
    const Weight new_weight = old_weight + weight;
    const auto sum = static_cast<std::int64_t>(old_time) + time;
    const Time new_time = static_cast<Time>(std::max(sum, std::int64_t{0}));
    entry.second.store(second, std::memory_order_relaxed);
    entry.time.store(new_time, std::memory_order_relaxed);
    entry.weight.store(new_weight, std::memory_order_relaxed);
    return (pace(new_time, new_weight) == Pace::slow) != was_slow;
}

// Nobody can be found before he has been forgotten, nor with the average of another.
Classes::Entry& Classes::find_or_add(ClassId id)
{
    if (const Entry* const known = find(id)) return const_cast<Entry&>(*known);
    Entry* const set = &entries_[first_of_set(id)];
    const auto is_free = [](const Entry& entry) {
        return entry.id.load(std::memory_order_relaxed) == ClassId::none;
    };
    Entry* chosen = std::find_if(set, set + set_size, is_free);
    if (chosen == set + set_size) {
        chosen = set + static_cast<std::uint64_t>(id) / set_count % set_size;
    }
    chosen->id.store(ClassId::none, std::memory_order_relaxed);
    chosen->weight.store(0, std::memory_order_relaxed);
    chosen->time.store(0, std::memory_order_relaxed);
    chosen->id.store(id, std::memory_order_relaxed);
    return *chosen;
}

std::uint32_t LaneLoad::measure(TimePoint now)
{
    if (since_ != TimePoint{}) {
        intervals_[next_] = {now - since_, held_};
        next_ = (next_ + 1) % intervals_.size();
    }
    since_ = now;
    held_ = {};
    Interval all;
    for (const Interval& interval : intervals_) {
        all.length += interval.length;
        all.held += interval.held;
    }
    if (all.length <= Duration::zero()) return 0;
    if (all.held <= Duration::zero()) return 0;
    const double mean = static_cast<double>(all.held.count())
                        / static_cast<double>(all.length.count());
    return std::max(static_cast<std::uint32_t>(mean * 1'000), 1U);
}

} // namespace pgweir::pool
