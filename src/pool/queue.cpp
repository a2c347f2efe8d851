#include <pgweir/pool/queue.hpp>

#include <algorithm>
#include <iterator>

namespace pgweir::pool {

namespace {

constexpr int look_ahead_max = 64; // for one's own among the waiters of others

using Waiters = decltype(QueueRow::waiters);

// The look ahead is bounded: with a thousand waiters of other workers the oldest simply goes.
Waiter& choose(Waiters& waiters, WorkerId worker)
{
    const TimePoint latest = waiters.front().since() + Queue::local_preference;
    int looked_at = 0;
    for (auto waiter = waiters.begin(); waiter != waiters.end(); ++waiter) {
        if (waiter->since() > latest || ++looked_at > look_ahead_max) break;
        if (waiter->worker() == worker) return *waiter;
    }
    return waiters.front();
}

Waiter& choose_newest(Waiters& waiters, WorkerId worker)
{
    const TimePoint earliest = waiters.back().since() - Queue::local_preference;
    int looked_at = 0;
    for (auto waiter = waiters.rbegin(); waiter != waiters.rend(); ++waiter) {
        if (waiter->since() < earliest || ++looked_at > look_ahead_max) break;
        if (waiter->worker() == worker) return *waiter;
    }
    return waiters.back();
}

} // namespace

QueueGroup::QueueGroup()
{
    for (const Lane lane : lanes) {
        QueueRow& row = rows.at(static_cast<std::size_t>(lane));
        row.group = this;
        row.lane = lane;
    }
}

Queue::Queue() : last_{&plain_}
{
    for (const Lane lane : lanes) {
        lines_[index(lane)].lane = lane;
        lines_[index(lane)].one = one_of(lane);
    }
}

void Queue::configure(Duration lead_max)
{
    lead_max_ = lead_max;
    last_ = &plain_; // the weights may be others
    for (Line& line : lines_) {
        for (QueueRow& row : line.rows) row.standing.begin();
    }
}

// What a group was not served while it did not wait is lost, in this lane as in others.
[[gnu::noinline]] void Queue::begin(QueueRow& row, TimePoint now)
{
    QueueGroup& group = *row.group;
    row.standing.begin();
    if (group.waiting == 0 && ++active_ == 2 && !is_shared_) start_sharing(now);
    if (is_shared_) change_turn(group, std::max(group.turn, turn_now_));
    lines_[index(row.lane)].rows.insert(row);
}

[[gnu::noinline]] void Queue::end(QueueRow& row)
{
    Rows& rows = lines_[index(row.lane)].rows;
    rows.erase(rows.iterator_to(row));
    if (row.group->waiting == 0) --active_;
}

void Queue::let_down(const Waiter& waiter)
{
    if (waiter.row_ != nullptr && waiter.is_linked()) return waiter.row_->standing.let_down();
    QueueGroup* const group = find(waiter.group().id);
    if (group != nullptr) group->rows[index(lane_of(waiter.pace()))].standing.let_down();
}

QueueGroup* Queue::find(GroupId id)
{
    if (id == GroupId::none) return &plain_;
    const auto found = groups_.find(id);
    return found == groups_.end() ? nullptr : &found->second;
}

QueueGroup& Queue::find_or_add(const Group& group)
{
    QueueGroup* found = find(group.id);
    if (found == nullptr) {
        if (groups_.size() >= forget_at_) forget_some();
        found = &groups_[group.id];
        found->id = group.id;
        if (is_shared_) found->turn = turn_now_ + newcomer_charge / group.weight;
    }
    found->weight = group.weight;
    last_ = found;
    return *found;
}

// Who does not wait and owes nothing begins where all begin. If too many are left, it does not
// matter what they owe.
void Queue::forget_some()
{
    last_ = &plain_;
    std::erase_if(groups_, [&](const auto& entry) {
        return entry.second.waiting == 0 && entry.second.turn <= turn_now_;
    });
    if (groups_.size() >= active_ + idle_groups_max) {
        std::erase_if(groups_, [](const auto& entry) { return entry.second.waiting == 0; });
    }
    forget_at_ = groups_.size() + idle_groups_max;
}

void Queue::start_sharing(TimePoint now)
{
    is_shared_ = true;
    competed_at_ = now;
}

void Queue::stop_sharing()
{
    is_shared_ = false;
    turn_now_ = {};
    last_ = &plain_;
    std::erase_if(groups_, [](const auto& entry) { return entry.second.waiting == 0; });
    for (auto& [id, group] : groups_) change_turn(group, {});
    change_turn(plain_, {});
}

void Queue::change_turn(QueueGroup& group, Duration turn)
{
    if (turn == group.turn) return;
    for (QueueRow& row : group.rows) {
        Rows& rows = lines_[index(row.lane)].rows;
        if (row.is_linked()) rows.erase(rows.iterator_to(row));
    }
    group.turn = turn;
    for (QueueRow& row : group.rows) {
        if (!row.waiters.empty()) lines_[index(row.lane)].rows.insert(row);
    }
}

[[gnu::noinline]] Charge Queue::charge_shared(
    const Waiter& waiter, TimePoint now, Duration estimate
)
{
    using std::chrono::microseconds;

    if (active_ > 1) {
        competed_at_ = now;
    } else if (now - competed_at_ > memory) {
        stop_sharing();
        return {};
    }
    QueueGroup& group = *waiter.row_->group;
    const auto most = std::min(lead_max_, Duration{std::chrono::hours{1}});
    const auto micros = std::chrono::duration_cast<microseconds>(
        std::clamp(estimate, Duration{microseconds{1}}, most)
    );
    turn_now_ = std::max(turn_now_, group.turn);
    change_turn(group, group.turn + Duration{micros} / group.weight);
    return {group.id, static_cast<std::uint32_t>(micros.count())};
}

void Queue::settle(const Charge& charge, Duration held)
{
    QueueGroup* const group = is_shared_ ? find(charge.group) : nullptr;
    if (group == nullptr) return;
    const Duration more = (held - std::chrono::microseconds{charge.micros}) / group->weight;
    const Duration latest = std::max(group->turn, turn_now_ + lead_max_);
    change_turn(*group, std::min(group->turn + more, latest));
}

// With the most waiters for its weight.
QueueGroup* Queue::largest()
{
    const auto has_more = [](const QueueGroup& one, const QueueGroup& other) {
        return std::uint64_t{one.waiting} * other.weight
               > std::uint64_t{other.waiting} * one.weight;
    };
    QueueGroup* most = nullptr;
    for (const Line& line : lines_) {
        for (const QueueRow& row : line.rows) {
            if (most == nullptr || has_more(*row.group, *most)) most = row.group;
        }
    }
    return most;
}

Waiter* Queue::surplus_for(const Waiter& newcomer)
{
    QueueGroup* const own = find(newcomer.group().id);
    const bool is_alone = active_ <= 1 && own != nullptr && own->waiting > 0;
    QueueGroup* const most = is_alone ? nullptr : largest();
    if (most == nullptr || most == own) return nullptr;
    const std::uint64_t count = own != nullptr ? own->waiting + 1 : 1;
    const std::uint64_t weight = newcomer.group().weight;
    if (count * most->weight >= most->waiting * weight) return nullptr;
    Waiter* newest = nullptr;
    for (QueueRow& row : most->rows) {
        if (row.waiters.empty()) continue;
        Waiter& last = row.waiters.back();
        if (newest == nullptr || last.since() > newest->since()) newest = &last;
    }
    return newest;
}

Waiter& Queue::next(Line& line, WorkerId worker)
{
    QueueRow& row = *line.rows.begin();
    return row.standing.is_turn_of_newest() ? choose_newest(row.waiters, worker)
                                            : choose(row.waiters, worker);
}

// Who asks for something slow is used to waiting, and a burst of it takes as long as it takes: a
// wait that means trouble for others is an everyday thing there.
void Queue::note_wait(const Waiter& waiter, TimePoint now, Duration target, Duration interval)
{
    QueueRow& row = *waiter.row_;
    if (now - waiter.since() < target) {
        row.standing.served_in_time();
    } else if (row.lane != Lane::slow) {
        row.standing.served_late(now, interval);
    }
}

Waiter* Queue::overdue(TimePoint now, Duration timeout)
{
    for (Line& line : lines_) {
        for (QueueRow& row : line.rows) {
            Waiter& oldest = row.waiters.front();
            if (row.standing.is_overloaded() && now - oldest.since() >= timeout) return &oldest;
        }
    }
    return nullptr;
}

bool Queue::is_overloaded(Lane lane) const
{
    return std::ranges::any_of(line_of(lane).rows, [](const QueueRow& row) {
        return row.standing.is_overloaded();
    });
}

std::optional<TimePoint> Queue::oldest_since() const
{
    std::optional<TimePoint> oldest;
    for (const Line& line : lines_) {
        for (const QueueRow& row : line.rows) {
            const TimePoint since = row.waiters.front().since();
            if (!oldest || since < *oldest) oldest = since;
        }
    }
    return oldest;
}

Waiter* Queue::any()
{
    for (Line& line : lines_) {
        if (!line.rows.empty()) return &line.rows.begin()->waiters.front();
    }
    return nullptr;
}

// Nobody loses his place by it: all rows are in the order of their coming.
std::uint32_t Queue::change_lane(ClassId id, Lane from, Pace pace)
{
    std::uint32_t count = 0;
    std::vector<QueueRow*> old;
    for (QueueRow& row : lines_[index(from)].rows) old.push_back(&row);
    for (QueueRow* const row : old) {
        QueueRow& to = row->group->rows[index(lane_of(pace))];
        auto place = to.waiters.begin();
        for (auto next = row->waiters.begin(); next != row->waiters.end();) {
            Waiter& waiter = *next++;
            if (waiter.class_id() != id || waiter.pace() == Pace::any) continue;
            leave(waiter);
            waiter.pace_ = pace;
            place = std::find_if(place, to.waiters.end(), [&](const Waiter& each) {
                return each.since() > waiter.since();
            });
            insert(to, place, waiter);
            ++count;
        }
    }
    return count;
}

} // namespace pgweir::pool
