#include <pgweir/session/listening.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace pgweir::session;
using Hearing = Listening::Hearing;

namespace {

struct One {
    Listening listening{ClientId{5}, "cut"};

    // The name in what the server is to run.
    std::string begin_cut()
    {
        const std::string sql = listening.cut_sql();
        const std::size_t end = sql.rfind('\'');
        const std::size_t start = sql.rfind('\'', end - 1) + 1;
        return sql.substr(start, end - start);
    }

    void hand_over(const Channels& channels)
    {
        static_cast<void>(listening.want(channels));
        listening.granted(listening.request());
        const std::string name = begin_cut();
        CHECK(listening.hear_server("cut", name) == Hearing::dropped);
        listening.cut_came(name);
    }
};

} // namespace

TEST_CASE_FIXTURE(One, "session/listening: the listener is told what is more, and what is less")
{
    const auto first = listening.want({"a", "b"});
    CHECK(first.more == Channels{"a", "b"});
    CHECK(first.less.empty());
    const auto second = listening.want({"b", "c"});
    CHECK(second.more == Channels{"c"});
    CHECK(second.less == Channels{"a"});
    CHECK(listening.request() == 2);
}

TEST_CASE_FIXTURE(One, "session/listening: only the answer to the last request counts")
{
    static_cast<void>(listening.want({"a"}));
    const std::uint64_t first = listening.request();
    static_cast<void>(listening.want({"a", "b"}));
    listening.granted(first);
    CHECK_FALSE(listening.is_granted());
    listening.granted(listening.request());
    CHECK(listening.is_granted());
    static_cast<void>(listening.want({"a"})); // less is never waited for
    CHECK(listening.is_granted());
}

TEST_CASE_FIXTURE(
    One, "session/listening: the cut divides what the server tells from the listener's"
)
{
    static_cast<void>(listening.want({"a"}));
    CHECK_FALSE(listening.is_handed_over());
    CHECK(listening.hear_server("a", "1") == Hearing::passed);
    const std::string name = begin_cut();
    CHECK(listening.cut_sql().starts_with("SET LOCAL synchronous_commit TO off; LISTEN \"cut\"; "));
    CHECK(listening.end_of_cut_sql() == "UNLISTEN \"cut\"");
    const std::string again = begin_cut();
    CHECK(listening.hear_server("a", "2") == Hearing::passed);
    CHECK(listening.hear_server("cut", name) == Hearing::dropped); // an old one
    CHECK(listening.hear_server("a", "2") == Hearing::passed);
    CHECK(listening.hear_server("cut", again) == Hearing::dropped);
    CHECK(listening.hear_server("a", "3") == Hearing::dropped);
    CHECK(listening.hear_server("b", "3") == Hearing::passed);
    CHECK(listening.is_handed_over());

    CHECK(listening.heard().empty()); // what it says now is older
    CHECK_FALSE(listening.is_settled());
    listening.cut_came("5.99");
    CHECK(listening.heard().empty());
    listening.cut_came(again);
    CHECK(listening.heard() == Channels{"a"});
    CHECK(listening.is_settled());
    CHECK(client_of_cut(again) == ClientId{5});
    CHECK(client_of_cut("x") == ClientId{});
}

TEST_CASE_FIXTURE(One, "session/listening: the listener may come to the cut before the server")
{
    static_cast<void>(listening.want({"a"}));
    const std::string name = begin_cut();
    listening.cut_came(name);
    CHECK(listening.heard() == Channels{"a"}); // for the inbox
    CHECK(listening.hear_server("a", "older") == Hearing::passed);
    CHECK_FALSE(listening.is_handed_over());
    CHECK(listening.hear_server("cut", name) == Hearing::dropped);
    CHECK(listening.hear_server("a", "newer") == Hearing::dropped);
    CHECK(listening.is_settled());
    CHECK(listening.heard() == Channels{"a"});
}

TEST_CASE_FIXTURE(One, "session/listening: channels that come later have a cut of their own")
{
    hand_over({"a"});
    static_cast<void>(listening.want({"a", "b"}));
    CHECK_FALSE(listening.is_handed_over());
    CHECK(listening.hear_server("a", "") == Hearing::dropped);
    CHECK(listening.hear_server("b", "") == Hearing::passed);
    CHECK(listening.heard() == Channels{"a"});
    hand_over({"a", "b"});
    CHECK(listening.heard() == Channels{"a", "b"});
}

TEST_CASE_FIXTURE(One, "session/listening: UNLISTEN counts at once, also with a cut under way")
{
    hand_over({"a", "b"});
    static_cast<void>(listening.want({"b"}));
    CHECK(listening.heard() == Channels{"b"});
    CHECK(listening.is_handed_over());
    static_cast<void>(listening.want({"b", "c"}));
    const std::string name = begin_cut();
    CHECK(listening.hear_server("cut", name) == Hearing::dropped);
    static_cast<void>(listening.want({"b"}));
    static_cast<void>(listening.want({"b", "c"})); // the cut was not for this one
    listening.cut_came(name);
    CHECK(listening.heard() == Channels{"b"});
    CHECK_FALSE(listening.is_handed_over());
}

TEST_CASE_FIXTURE(One, "session/listening: a server that becomes the listener is its own cut")
{
    static_cast<void>(listening.want({"a"}));
    const std::string name = listening.cut_here();
    CHECK(listening.is_handed_over());
    CHECK(listening.heard().empty());
    listening.cut_came(name);
    CHECK(listening.heard() == Channels{"a"});
}

TEST_CASE_FIXTURE(One, "session/listening: after a gap there is no order to be kept, but a warning")
{
    static_cast<void>(listening.want({"a"}));
    listening.reopened(); // its server tells it all
    CHECK(listening.inbox.empty());
    CHECK(listening.heard().empty());
    static_cast<void>(listening.cut_here());
    listening.reopened(); // the cut is lost
    CHECK(listening.heard() == Channels{"a"});
    CHECK(listening.is_settled());
    CHECK_FALSE(listening.inbox.empty());

    One other;
    static_cast<void>(other.listening.want({"a"}));
    other.listening.take_all();
    CHECK(other.listening.heard() == Channels{"a"});
    CHECK(other.listening.is_settled());
    CHECK_FALSE(other.listening.inbox.empty());
}
