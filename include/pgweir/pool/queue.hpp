// Who waits for a server of a pool, and whose turn it is. No lock and no atomic: Shared has them.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/pool/fair.hpp>
#include <pgweir/pool/lanes.hpp>
#include <pgweir/pool/standing.hpp>
#include <pgweir/pool/waiter.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pgweir::pool {

inline constexpr std::size_t cache_line_size = 64;

// A number for each lane in one word: brief is lowest.
using LaneCounts = std::uint64_t;
inline constexpr unsigned lane_count_bits = 21; // max_waiting is below
[[nodiscard]] constexpr LaneCounts one_of(Lane lane)
{
    return LaneCounts{1} << (static_cast<unsigned>(lane) * lane_count_bits);
}
[[nodiscard]] constexpr LaneCounts up_to(Lane lane)
{
    return lane == Lane::slow ? ~LaneCounts{0} : (one_of(lane) << lane_count_bits) - 1;
}
[[nodiscard]] constexpr std::uint32_t count_in(LaneCounts counts, Lane lane)
{
    return static_cast<std::uint32_t>((counts & up_to(lane)) / one_of(lane));
}

struct QueueGroup;

/// The clients of one group that wait in one lane, in the order of their coming.
struct QueueRow : boost::intrusive::set_base_hook<> {
    boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>> waiters;
    QueueGroup* group = nullptr;
    Lane lane = Lane::brief;
    Standing standing;
};

struct QueueGroup {
    QueueGroup();
    QueueGroup(const QueueGroup&) = delete;
    QueueGroup& operator=(const QueueGroup&) = delete;
    ~QueueGroup() = default;

    GroupId id = GroupId::none;
    std::uint32_t weight = 1;
    std::uint32_t waiting = 0; // in all rows
    Duration turn{};           // the group with the lowest is served first
    std::array<QueueRow, lanes.size()> rows;
};

struct HasEarlierTurn {
    bool operator()(const QueueRow& one, const QueueRow& other) const
    {
        return one.group->turn < other.group->turn;
    }
};

/// One group is first come, first served, but for two things: a waiter of the worker that has the
/// server goes first when it came at most `local_preference` later, because moving a server between
/// workers costs more than that (measured: design notes in src/ARCHITECTURE.md); and a queue that
/// stands is another matter: see Standing.
///
/// Several groups share by "Start-time Fair Queueing" (Goyal, Vin, Cheng, SIGCOMM 1996). Each has a
/// turn, which goes on by the time that it has a server, over its weight; the lowest is served. Who
/// was away starts where those are who are being served: nobody saves up. How long it has the
/// server is known only at the end: at first it is charged what its kind of transaction takes on
/// average. All lanes of a group have one turn: who has had his share of one has had it of all.
/// While no two groups have waited for `memory`, nothing is counted.
class Queue {
public:
    static constexpr Duration local_preference = std::chrono::milliseconds{2};
    static constexpr Duration memory = std::chrono::seconds{1};
    /// What a group begins with that nobody has seen: a new name for each query is no way to the
    /// front.
    static constexpr Duration newcomer_charge = std::chrono::milliseconds{10};
    static constexpr std::size_t idle_groups_max = 1'024;

    using Rows = boost::intrusive::multiset<
        QueueRow,
        boost::intrusive::compare<HasEarlierTurn>,
        boost::intrusive::constant_time_size<false>>;
    /// Those who wait in one lane: the groups, by their turn.
    struct alignas(cache_line_size) Line {
        LaneCounts one = 0;
        Lane lane = Lane::brief;
        Rows rows;
    };

    Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;
    ~Queue() = default;

    /// `lead_max`: what a group may be charged more than the others at any time. Who has had more
    /// than that is forgiven the rest, so that nobody starves.
    void configure(Duration lead_max);

    [[nodiscard]] std::uint32_t size() const { return size_; }
    /// Of the groups that wait.
    [[nodiscard]] std::uint32_t group_count() const { return active_; }
    [[nodiscard]] std::size_t known_groups() const { return groups_.size(); }
    [[nodiscard]] const Line& line_of(Lane lane) const { return lines_[index(lane)]; }
    [[nodiscard]] Line& line_of(Lane lane) { return lines_[index(lane)]; }

    /// True: nobody else waits in its lane, which is the line's.
    bool join(Waiter& waiter, const Line& line)
    {
        QueueRow& row = group_of(waiter).rows[index(line.lane)];
        const bool is_first = row.waiters.empty() && line.rows.empty();
        insert(row, row.waiters.end(), waiter);
        return is_first;
    }
    void leave(Waiter& waiter)
    {
        QueueRow& row = *waiter.row_;
        row.waiters.erase(row.waiters.iterator_to(waiter));
        --row.group->waiting;
        --size_;
        if (row.waiters.empty()) end(row);
    }
    /// It goes without a server.
    void let_down(const Waiter& waiter); // or is not even let in

    /// Who is to be refused when there is room for one of the two only. Null: the newcomer.
    [[nodiscard]] Waiter* surplus_for(const Waiter& newcomer);

    /// In this lane, where somebody waits.
    [[nodiscard]] static Waiter& next(Line& line, WorkerId worker);
    /// One of them gets a server. `estimate` is asked how long for, if that matters.
    template <class Estimate>
    Charge charge(const Waiter& waiter, TimePoint now, const Estimate& estimate)
    {
        if (!is_shared_) [[likely]]
            return {};
        return charge_shared(waiter, now, estimate());
    }
    void settle(const Charge& charge, Duration held);
    static void note_wait(const Waiter& waiter, TimePoint now, Duration target, Duration interval);

    [[nodiscard]] Waiter* overdue(TimePoint now, Duration timeout);
    [[nodiscard]] bool is_overloaded(Lane lane) const;
    [[nodiscard]] std::optional<TimePoint> oldest_since() const;
    /// Anybody. Null: nobody waits.
    [[nodiscard]] Waiter* any();
    /// How many have changed.
    std::uint32_t change_lane(ClassId id, Lane from, Pace pace);

private:
    [[nodiscard]] static constexpr std::size_t index(Lane lane)
    {
        return static_cast<std::size_t>(lane);
    }
    [[nodiscard]] QueueGroup& group_of(const Waiter& waiter)
    {
        return last_->id == waiter.group().id ? *last_ : find_or_add(waiter.group());
    }
    QueueGroup& find_or_add(const Group& group);
    [[nodiscard]] QueueGroup* find(GroupId id);
    [[nodiscard]] QueueGroup* largest();
    void insert(QueueRow& row, const decltype(QueueRow::waiters)::iterator& place, Waiter& waiter)
    {
        if (row.waiters.empty()) begin(row, waiter.since());
        row.waiters.insert(place, waiter);
        waiter.row_ = &row;
        ++row.group->waiting;
        ++size_;
    }
    void begin(QueueRow& row, TimePoint now);
    void end(QueueRow& row);
    void start_sharing(TimePoint now);
    void stop_sharing();
    void forget_some();
    void change_turn(QueueGroup& group, Duration turn);
    Charge charge_shared(const Waiter& waiter, TimePoint now, Duration estimate);

    std::uint32_t size_ = 0;
    std::uint32_t active_ = 0; // groups that wait
    bool is_shared_ = false;   // two groups wait, or did so a moment ago
    QueueGroup* last_;         // that somebody was of
    std::array<Line, lanes.size()> lines_;
    QueueGroup plain_; // of those who are of none
    std::unordered_map<GroupId, QueueGroup> groups_;
    std::size_t forget_at_ = idle_groups_max;
    Duration turn_now_{}; // of who was served last: virtual time
    Duration lead_max_ = Duration::max() / 4;
    TimePoint competed_at_{};
};

} // namespace pgweir::pool
