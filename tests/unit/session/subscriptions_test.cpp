#include <pgweir/session/subscriptions.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;

namespace {

Subscriber subscriber(std::uint64_t client, std::uint64_t request = 1)
{
    return {WorkerId{0}, ClientId{client}, request};
}

std::string clients(const std::vector<Subscriber>& subscribers)
{
    std::string text;
    for (const Subscriber& each : subscribers) {
        text += std::to_string(static_cast<std::uint64_t>(each.client)) + ' ';
    }
    return text;
}

} // namespace

TEST_CASE("session/subscriptions: a channel stays as long as anybody wants it")
{
    Subscriptions all;
    CHECK(all.empty());
    all.add({"a", "b"});
    all.add({"b"});
    CHECK(all.names() == Channels{"a", "b"});
    all.remove({"a", "b"});
    CHECK(all.names() == Channels{"b"});
    all.remove({"b", "never"});
    CHECK(all.empty());
    CHECK(all.size() == 0);
}

TEST_CASE("session/subscriptions: who comes during a round waits for the next one")
{
    Subscriptions all;
    all.wait(subscriber(1));
    CHECK(all.has_waiting());
    all.begin_round();
    CHECK_FALSE(all.has_waiting());
    all.wait(subscriber(2));
    CHECK(clients(all.end_round()) == "1 ");
    CHECK(all.has_waiting());
    all.begin_round();
    CHECK(clients(all.end_round()) == "2 ");
    CHECK(clients(all.end_round()) == "");
}

TEST_CASE("session/subscriptions: after a broken round only who wants channels waits on")
{
    Subscriptions all;
    all.wait(subscriber(1));
    all.wait(subscriber(2, 0));
    all.begin_round();
    all.wait(subscriber(3));
    all.wait(subscriber(4, 0));
    CHECK(clients(all.break_round()) == "2 4 ");
    all.begin_round();
    CHECK(clients(all.end_round()) == "1 3 ");
}
