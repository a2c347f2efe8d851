// Which transactions are quick, and how many servers the others may hold at once: so that a slow
// part of a database takes no server from who does not use it.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/pool/options.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pgweir::pool {

/// What a transaction is known by: a fingerprint of its first statement.
enum class ClassId : std::uint64_t { none = 0 }; // nothing is known of it, nor learned

enum class Lane : std::uint8_t { brief, quick, slow };
inline constexpr std::array lanes{Lane::brief, Lane::quick, Lane::slow};

/// What is thought of a transaction before it begins, and, when it turns out otherwise, later.
enum class Pace : std::uint8_t {
    any,   // nothing: the pool has no lanes, or the transaction no class
    brief, // its class holds a server for less than `brief_below` on average
    quick, // … for less than `slow_from`
    slow,  // or its class is not known yet
};

/// Nobody is kept out of the first one.
[[nodiscard]] constexpr Lane lane_of(Pace pace)
{
    const auto value = static_cast<std::uint8_t>(pace);
    return static_cast<Lane>(value - (value != 0 ? 1 : 0));
}

/// Who holds a server for so long is slow, and so is a class that does on average.
inline constexpr Duration slow_from = std::chrono::milliseconds{100};
inline constexpr Duration brief_below = slow_from / 8;

/// Whether transactions of these pools are told apart: not where a client keeps its server.
[[nodiscard]] constexpr bool has_lanes(const Options& options)
{
    return options.mode != Mode::session && options.quick_reserve != 0U;
}

/// How many servers all but brief transactions may hold together: one of twenty that is kept for
/// the brief is worth it when a class of which most are quick now and then takes seconds. Small
/// pools cannot afford that.
[[nodiscard]] std::uint32_t long_max(
    std::uint32_t size, std::uint32_t parked, std::uint32_t reserve
);

/// How many servers slow transactions may hold together. `parked` are kept by their clients, and no
/// use to anybody else. Not below a quarter of the others: a pool that is full of quick work is no
/// reason to let the slow wait for ever.
[[nodiscard]] std::uint32_t slow_max(
    std::uint32_t size, std::uint32_t parked, std::uint32_t reserve
);

/// How long the transactions of each class hold a server, on average: of those in the last seconds,
/// an older one counts half as much with each second. So it takes one that is stuck to make a rare
/// class slow, and many to make one slow of which thousands a second are quick. All workers share
/// it without a lock; where two of them write at once, one is lost. Bounded: of many classes that
/// are looked for in one place, some are forgotten and must prove themselves again.
class Classes {
public:
    [[nodiscard]] Pace pace_of(ClassId id) const
    {
        const Entry* const entry = find(id);
        if (entry == nullptr) return Pace::slow;
        return pace(
            entry->time.load(std::memory_order_relaxed),
            entry->weight.load(std::memory_order_relaxed)
        );
    }

    /// The average. Zero: not known.
    [[nodiscard]] Duration mean_of(ClassId id) const;

    /// One has ended, and stands for `count` of them. True: its class is slow now and was
    /// not, or the other way round.
    bool learn(ClassId id, Duration held, TimePoint now, std::uint32_t count = 1);

    /// One still runs, and is slow by now: it counts as if it would take `slow_guess`. True: so is
    /// its class now.
    bool guess_slow(ClassId id, TimePoint now);
    /// The same has ended. True: its class is not slow any more, or only now.
    bool learn_guessed(ClassId id, Duration held, TimePoint now);

    static constexpr Duration slow_guess = 10 * slow_from;

private:
    static constexpr std::size_t set_count = 256;
    static constexpr std::size_t set_size = 4;

    // Transactions, in sixteenths; and microseconds of these.
    using Weight = std::uint32_t;
    using Time = std::uint64_t;
    static constexpr Weight one = 16;

    struct Entry {
        std::atomic<ClassId> id{ClassId::none};
        std::atomic<Time> time{0};
        std::atomic<Weight> weight{0};
        std::atomic<std::uint32_t> second{0}; // the weight is what it was then
    };

    [[nodiscard]] static std::size_t first_of_set(ClassId id)
    {
        return static_cast<std::size_t>(id) % set_count * set_size;
    }
    [[nodiscard]] const Entry* find(ClassId id) const
    {
        const Entry* const set = &entries_[first_of_set(id)];
        for (std::size_t i = 0; i < set_size; ++i) {
            if (set[i].id.load(std::memory_order_relaxed) == id) return &set[i];
        }
        return nullptr;
    }
    [[nodiscard]] static Pace pace(Time time, Weight weight);
    bool change(ClassId id, std::int64_t time, Weight weight, TimePoint now);
    Entry& find_or_add(ClassId id);

    std::array<Entry, set_count * set_size> entries_{};
};

/// How many servers some kind of work has held on average in the last seconds. One for each worker.
class LaneLoad {
public:
    void add(Duration held) { held_ += held; }

    /// Now and then, about twice a second: the average, in thousandths of a server. From the first
    /// moment on it is that of the time there was. Zero: there was no such work at all.
    [[nodiscard]] std::uint32_t measure(TimePoint now);

private:
    struct Interval {
        Duration length{};
        Duration held{};
    };

    std::array<Interval, 5> intervals_{};
    std::size_t next_ = 0;
    TimePoint since_{};
    Duration held_{};
};

// What all workers ask of each transaction.
inline Pace Classes::pace(Time time, Weight weight)
{
    using Micros = std::chrono::microseconds;
    constexpr Time slow = std::chrono::duration_cast<Micros>(slow_from).count();
    constexpr Time brief = std::chrono::duration_cast<Micros>(brief_below).count();
    if (time < brief * weight) return Pace::brief; // it has some weight, then
    return time < slow * weight ? Pace::quick : Pace::slow;
}

} // namespace pgweir::pool
