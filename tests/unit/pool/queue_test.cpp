#include <pgweir/pool/queue.hpp>

#include "rig.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <deque>
#include <string>

using namespace pgweir;
using namespace pgweir::pool;

namespace {

/// Clients of groups that queue at one worker: "a1" is the first of group a.
class Groups {
public:
    explicit Groups(const Options& options = {}) : shared_{1, options} {}
    ~Groups()
    {
        for (Member& member : members_) shared_.withdraw(member.waiter);
    }
    Groups(const Groups&) = delete;
    Groups& operator=(const Groups&) = delete;

    /// Whether all were let in.
    bool join(int count, char group, std::uint32_t weight = 1, Pace pace = Pace::any)
    {
        bool is_in = true;
        for (int i = 0; i < count; ++i) {
            now_ += 1us;
            Member& member = members_.emplace_back(ClientId{members_.size()}, name(group));
            member.waiter.join_group({GroupId{static_cast<std::uint32_t>(group)}, weight});
            member.waiter.start(now_, ClassId{1}, pace);
            std::optional<Taken> crowded_out;
            is_in &= shared_.enqueue(member.waiter, &crowded_out) != Shared::Queued::refused;
            if (crowded_out) crowded_out_ += name_of(crowded_out->client) + ' ';
        }
        return is_in;
    }
    /// Who is served now, one after the other.
    std::string serve(int count = 1)
    {
        std::string names;
        for (int i = 0; i < count; ++i) {
            const auto taken = shared_.take_for(w0, now_);
            if (!taken) return names + '-';
            charge_ = taken->charge;
            names += (names.empty() ? "" : " ") + name_of(taken->client);
        }
        return names;
    }
    void pass(Duration time) { now_ += time; }
    /// Of who was served last.
    void settle(Duration held) { shared_.settle(charge_, held); }
    [[nodiscard]] const Charge& charge() const { return charge_; }
    [[nodiscard]] const std::string& crowded_out() const { return crowded_out_; }
    Shared& shared() { return shared_; }

private:
    struct Member {
        Member(ClientId id, std::string given) : waiter{id, w0}, name{std::move(given)} {}
        Waiter waiter;
        std::string name;
    };

    std::string name(char group)
    {
        return group + std::to_string(++counts_[static_cast<unsigned char>(group)]);
    }
    std::string name_of(ClientId id) const
    {
        return members_.at(static_cast<std::size_t>(id)).name;
    }

    Shared shared_;
    TimePoint now_ = t0;
    std::deque<Member> members_;
    std::array<int, 256> counts_{};
    Charge charge_;
    std::string crowded_out_;
};

} // namespace

TEST_CASE("pool/queue: groups take turns, and within a group it is first come, first served")
{
    Groups groups;
    groups.join(10, 'a');
    groups.join(3, 'b');
    CHECK(groups.serve(8) == "a1 b1 a2 b2 a3 b3 a4 a5");
}

TEST_CASE("pool/queue: a group that weighs more has more turns")
{
    Groups groups;
    groups.join(10, 'a');
    groups.join(10, 'b', 2);
    CHECK(groups.serve(8) == "a1 b1 b2 a2 b3 b4 a3 b5");
}

TEST_CASE("pool/queue: what counts is how long they have a server")
{
    Groups groups;
    groups.join(10, 'a');
    groups.join(10, 'b');
    CHECK(groups.serve() == "a1");
    groups.settle(4 * Shared::guess);
    CHECK(groups.serve(6) == "b1 b2 b3 b4 a2 b5");
}

TEST_CASE("pool/queue: who is charged too much has it back")
{
    Groups groups;
    groups.join(10, 'a');
    groups.join(10, 'b');
    CHECK(groups.serve(3) == "a1 b1 a2");
    groups.settle(1us);
    CHECK(groups.serve(2) == "b2 a3");
    groups.settle(1us);
    CHECK(groups.serve(1) == "a4");
}

TEST_CASE("pool/queue: what is known of a class is what is charged")
{
    Groups groups;
    groups.shared().classes().learn(ClassId{1}, 3ms, t0);
    groups.join(2, 'a');
    groups.join(2, 'b');
    groups.serve();
    CHECK(groups.charge().micros == 3'000);
}

TEST_CASE("pool/queue: nobody saves up while he is away")
{
    Groups groups;
    groups.join(10, 'a');
    groups.join(1, 'b');
    CHECK(groups.serve(6) == "a1 b1 a2 a3 a4 a5");
    groups.join(5, 'b');
    CHECK(groups.serve(5) == "b2 a6 b3 a7 b4");
}

TEST_CASE("pool/queue: who was never seen begins a little later than who is known")
{
    Groups groups;
    groups.join(10, 'a');
    groups.join(10, 'b');
    CHECK(groups.serve(4) == "a1 b1 a2 b2");
    groups.join(2, 'c');
    CHECK(groups.serve(4) == "a3 b3 c1 a4");
}

TEST_CASE("pool/queue: who has had far more than others does not starve for it")
{
    Groups groups{{.size = 1, .server_reset_query = {}}};
    groups.join(5, 'a');
    groups.join(999, 'b');
    CHECK(groups.serve() == "a1");
    groups.settle(1h);
    int others = 0;
    while (groups.serve().starts_with('b')) ++others;
    CHECK(others * Shared::guess == Shared::lead_max);
}

TEST_CASE("pool/queue: while only one group waits nothing is counted, but it is remembered a while")
{
    Groups groups;
    groups.join(10, 'a');
    groups.serve();
    CHECK(groups.charge().micros == 0);
    groups.join(1, 'b');
    groups.serve(2);
    CHECK(groups.charge().micros > 0);
    groups.pass(Queue::memory);
    groups.serve();
    CHECK(groups.charge().micros > 0);
    groups.pass(Queue::memory);
    groups.serve();
    CHECK(groups.charge().micros == 0);
}

TEST_CASE("pool/queue: a flood of one lane does not stand before another group's in the next lane")
{
    Groups groups;
    groups.join(10, 'a', 1, Pace::brief);
    groups.join(2, 'b', 1, Pace::quick);
    CHECK(groups.serve(5) == "a1 b1 a2 b2 a3");
}

TEST_CASE("pool/queue: a group has one turn for all its lanes")
{
    Groups groups;
    groups.join(5, 'a', 1, Pace::brief);
    groups.join(5, 'a', 1, Pace::quick);
    groups.join(5, 'b', 1, Pace::brief);
    CHECK(groups.serve(6) == "a1 b1 a2 b2 a3 b3");
}

TEST_CASE("pool/queue: those who change lanes stay with their group")
{
    Groups groups;
    groups.join(3, 'a', 1, Pace::brief);
    groups.join(3, 'b', 1, Pace::brief);
    groups.shared().change_lane(ClassId{1}, Pace::slow);
    CHECK(groups.shared().waiting(Lane::slow) == 6);
    CHECK(groups.shared().waiting(Lane::brief) == 0);
    CHECK(groups.serve(6) == "a1 b1 a2 b2 a3 b3");
}

TEST_CASE("pool/queue: when it is full, the newest of the largest group gives way to a smaller one")
{
    Options options;
    options.max_waiting = 4;
    Groups groups{options};
    CHECK(groups.join(4, 'a'));
    CHECK_FALSE(groups.join(1, 'a')); // a5: his own group has the most
    CHECK(groups.join(2, 'b'));
    CHECK(groups.crowded_out() == "a4 a3 ");
    CHECK_FALSE(groups.join(1, 'b')); // now they have as many as the others
    CHECK(groups.shared().waiting() == 4);
    CHECK(groups.serve(5) == "a1 b1 a2 b2-");
}

TEST_CASE("pool/queue: who gives way is found by weight")
{
    Options options;
    options.max_waiting = 4;
    Groups groups{options};
    CHECK(groups.join(3, 'a', 3));
    CHECK(groups.join(1, 'b'));
    CHECK_FALSE(groups.join(1, 'b'));
    CHECK(groups.crowded_out().empty());
}

TEST_CASE("pool/queue: who gives way for another is told, like one who is not let in")
{
    Rig rig{{.size = 1, .max_waiting = 1, .quick_reserve = 0}};
    rig.c2.join_group({GroupId{2}, 1});
    rig.c3.join_group({GroupId{2}, 5});
    CHECK(rig.acquire(rig.first, rig.c1, t0) == "wait");
    CHECK(commands(rig.first) == lines("open"));
    CHECK(rig.acquire(rig.first, rig.c2, t0) == "too many clients are waiting already");
    CHECK(rig.acquire(rig.second, rig.c3, t0) == "wait");
    CHECK(commands(rig.second) == lines("refuse c1 on w0: too many clients are waiting already"));
}

TEST_CASE("pool/queue: groups that are gone are forgotten in the end")
{
    Queue queue;
    Waiter steady{ClientId{1}, w0};
    steady.start(t0);
    queue.join(steady, queue.line_of(Lane::brief));
    std::size_t most = 0;
    for (std::uint32_t i = 1; i < 20'000; ++i) {
        Waiter waiter{ClientId{i + 1}, w0};
        waiter.start(t0);
        waiter.join_group({GroupId{i}, 1});
        queue.join(waiter, queue.line_of(Lane::brief));
        queue.charge(waiter, t0, [] { return 1h; });
        queue.leave(waiter);
        most = std::max(most, queue.known_groups());
    }
    CHECK(most <= 2 * Queue::idle_groups_max);
    queue.leave(steady);
}

TEST_CASE("pool/queue: each group has a standing queue of its own")
{
    Options options;
    options.queue_target = 100ms;
    options.queue_interval = 50ms;
    options.max_waiting = 30;
    Groups groups{options};
    groups.join(2, 'a');
    groups.join(20, 'b');
    CHECK(groups.serve(2) == "a1 b1");
    groups.pass(200ms);
    CHECK(groups.serve() == "a2");
    CHECK_FALSE(groups.join(20, 'b')); // some are turned away
    for (int i = 0; i < 3; ++i) {
        groups.join(2, 'a');
        CHECK(groups.serve(2).find('b') != std::string::npos);
        groups.pass(40ms);
    }
    CHECK(groups.shared().is_overloaded(Lane::brief));
    CHECK(groups.serve(4) == "b29 a6 b28 a7");
}
