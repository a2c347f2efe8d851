#include <pgweir/auth/role_desk.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace std::chrono_literals;
using auth::Role;
using auth::RoleAnswer;
using auth::RoleDesk;

namespace {

const TimePoint start = TimePoint{} + 1h;
const Role anna{.password = "md5...", .identity = "16384"};
const RoleAnswer nobody{};
const RoleAnswer refused{.is_refused = true, .role = {}};
const RoleAnswer unavailable{.is_available = false, .role = {}};

// Asks, and has it answered.
void learn(RoleDesk& desk, TimePoint now, const std::string& user, const Role& role)
{
    const auto question = desk.ask(now, user);
    REQUIRE(desk.next() == question);
    desk.answer(now, *question, role);
}

RoleAnswer answer_of(const RoleDesk::QuestionRef& question)
{
    REQUIRE(question->answer.has_value());
    return *question->answer;
}

} // namespace

TEST_CASE("auth/role_desk: who asks for the same name before it is sent shares the answer")
{
    RoleDesk desk;
    const auto first = desk.ask(start, "anna");
    CHECK(desk.ask(start, "anna") == first);
    const auto other = desk.ask(start, "bert");
    CHECK(other != first);

    CHECK(desk.next() == first);
    CHECK(desk.next() == other);
    CHECK(desk.next() == nullptr);
    CHECK_FALSE(first->answer.has_value());
    desk.answer(start, *first, anna);
    desk.answer(start, *other, {});
    CHECK(answer_of(first) == RoleAnswer{.role = anna});
    CHECK(answer_of(other) == nobody);
}

TEST_CASE("auth/role_desk: what was sent may know nothing of what has changed since")
{
    RoleDesk desk;
    const auto sent = desk.ask(start, "anna");
    CHECK(desk.next() == sent);
    const auto later = desk.ask(start, "anna");
    CHECK(later != sent);
    CHECK(desk.ask(start, "anna") == later);
    desk.answer(start, *sent, {});
    CHECK(desk.next() == later);
    desk.answer(start, *later, anna);
    CHECK(answer_of(sent) == nobody);
    CHECK(answer_of(later) == RoleAnswer{.role = anna});
    CHECK(desk.is_empty());

    // An answer is for those who have asked, and for nobody after them.
    CHECK_FALSE(desk.ask(start, "anna")->answer.has_value());
}

TEST_CASE("auth/role_desk: when nobody can be asked, what was known is still believed for a while")
{
    RoleDesk desk;
    learn(desk, start, "anna", anna);
    const TimePoint now = start + 1min;
    const auto known = desk.ask(now, "anna");
    const auto strange = desk.ask(now, "bert");
    CHECK(desk.next() == known);
    CHECK(desk.fail(now, *known));
    CHECK(desk.is_empty());
    CHECK(answer_of(known) == RoleAnswer{.role = anna});
    CHECK(answer_of(strange) == unavailable);

    // Nobody tries again during the pause.
    const TimePoint soon = now + RoleDesk::pause - 1ms;
    CHECK(answer_of(desk.ask(soon, "anna")) == RoleAnswer{.role = anna});
    CHECK(answer_of(desk.ask(soon, "carl")) == unavailable);
    CHECK(desk.is_empty());

    const TimePoint late = start + RoleDesk::remembered_for;
    const auto forgotten = desk.ask(late, "anna");
    CHECK(desk.next() == forgotten);
    CHECK_FALSE(desk.fail(late, *forgotten)); // as before
    CHECK(answer_of(forgotten) == unavailable);
}

TEST_CASE("auth/role_desk: who is gone is not remembered")
{
    RoleDesk desk;
    learn(desk, start, "anna", anna);
    const auto question = desk.ask(start, "anna");
    CHECK(desk.next() == question);
    desk.answer(start, *question, {});
    const auto again = desk.ask(start, "anna");
    CHECK(desk.next() == again);
    desk.fail(start, *again);
    CHECK(answer_of(again) == unavailable);
}

TEST_CASE("auth/role_desk: a question that is not permitted is not asked again for a minute")
{
    RoleDesk desk;
    learn(desk, start, "anna", anna);
    const auto question = desk.ask(start, "anna");
    const auto other = desk.ask(start, "bert");
    CHECK(desk.next() == question);
    CHECK(desk.refuse(start, *question, RoleDesk::long_pause));
    CHECK(answer_of(question) == refused);
    CHECK(answer_of(other) == refused);
    CHECK(answer_of(desk.ask(start + RoleDesk::long_pause - 1ms, "anna")) == refused);

    const auto later = desk.ask(start + RoleDesk::long_pause, "anna");
    CHECK(desk.next() == later);
    CHECK_FALSE(desk.refuse(start + RoleDesk::long_pause, *later, RoleDesk::pause));
}

TEST_CASE("auth/role_desk: an answer ends the trouble, so that the next one is news")
{
    RoleDesk desk;
    const auto question = desk.ask(start, "anna");
    CHECK(desk.next() == question);
    CHECK(desk.fail(start, *question));
    const TimePoint later = start + RoleDesk::pause;
    learn(desk, later, "anna", anna);
    const auto again = desk.ask(later, "anna");
    CHECK(desk.next() == again);
    CHECK(desk.fail(later, *again));
}

TEST_CASE("auth/role_desk: it remembers so many, and forgets who was not asked for the longest")
{
    RoleDesk desk;
    for (std::size_t i = 0; i <= RoleDesk::remembered_max; ++i) {
        learn(desk, start, "user" + std::to_string(i), anna);
    }
    const auto question = desk.ask(start, "other");
    CHECK(desk.next() == question);
    desk.fail(start, *question);
    CHECK(answer_of(desk.ask(start, "user0")) == unavailable);
    CHECK(answer_of(desk.ask(start, "user1")) == RoleAnswer{.role = anna});
}
