#include <pgweir/session/audience.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;

namespace {

// The listener: numbers what it says.
struct Source {
    std::uint64_t count = 0;

    EventsRef say(std::initializer_list<std::pair<const char*, const char*>> notifications)
    {
        Events events;
        for (const auto& [channel, payload] : notifications) {
            events.push_back({Event::Kind::notification, ++count, {7, channel, payload}});
        }
        return std::make_shared<const Events>(std::move(events));
    }
    EventsRef say(Event::Kind kind, std::string name = {})
    {
        return std::make_shared<const Events>(Events{Event{kind, ++count, {0, {}, std::move(name)}}}
        );
    }
};

struct Listener {
    Listening listening;

    explicit Listener(std::uint64_t id) : listening{ClientId{id}, "cut"} {}

    void hear(Audience& audience, const Channels& channels)
    {
        static_cast<void>(listening.want(channels));
        listening.cut_came(listening.cut_here());
        audience.update(listening);
    }
    std::string inbox()
    {
        Buffer out;
        listening.inbox.drain(out, 0);
        std::string text;
        for (const char c : as_text(out)) {
            if (c >= 'a' && c <= 'z') text += c;
        }
        return text;
    }
};

std::vector<std::uint64_t> ids(const Audience::Result& result)
{
    std::vector<std::uint64_t> ids;
    for (const ClientId client : result.clients) ids.push_back(static_cast<std::uint64_t>(client));
    return ids;
}
using Ids = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("session/audience: everybody hears his channels, and is named once")
{
    Audience audience;
    Source source;
    Listener one{1};
    Listener two{2};
    audience.join(one.listening);
    audience.join(two.listening);
    one.hear(audience, {"x", "y"});
    two.hear(audience, {"y"});
    CHECK(
        ids(audience.take(source.say({{"y", "a"}, {"x", "b"}, {"z", "c"}, {"y", "d"}})))
        == Ids{1, 2}
    );
    CHECK(one.inbox() == "yaxbyd");
    CHECK(two.inbox() == "yayd");
    CHECK(ids(audience.take(source.say({{"x", "a"}}))) == Ids{1});
    one.hear(audience, {"y"});
    CHECK(ids(audience.take(source.say({{"x", "a"}}))) == Ids{});
    audience.leave(one.listening);
    CHECK(ids(audience.take(source.say({{"y", "a"}}))) == Ids{2});
    CHECK(audience.client_count() == 1);
}

TEST_CASE("session/audience: a cut begins the hearing of the client that it is for")
{
    Audience audience;
    Source source;
    Listener one{1};
    audience.join(one.listening);
    static_cast<void>(one.listening.want({"x"}));
    const std::string name = one.listening.cut_here();
    CHECK(ids(audience.take(source.say({{"x", "before"}}))) == Ids{});
    CHECK(ids(audience.take(source.say(Event::Kind::cut, "2.1"))) == Ids{});
    CHECK(ids(audience.take(source.say(Event::Kind::cut, name))) == Ids{});
    CHECK(ids(audience.take(source.say({{"x", "behind"}}))) == Ids{1});
    CHECK(one.inbox() == "xbehind");
}

TEST_CASE("session/audience: who was told may have missed something, when the listener is back")
{
    Audience audience;
    Source source;
    Listener one{1};
    Listener two{2};
    audience.join(one.listening);
    audience.join(two.listening);
    one.hear(audience, {"x"});
    CHECK(audience.reopenings() == 0);
    static_cast<void>(audience.take(source.say(Event::Kind::reopened)));
    CHECK(audience.reopenings() == 1);
    CHECK(one.inbox().find("mayhavebeenmissed") != std::string::npos);
    CHECK(two.inbox() == "");
}

TEST_CASE("session/audience: who goes to another worker misses nothing and hears nothing twice")
{
    for (std::size_t told_first = 0; told_first <= 4; ++told_first) {
        for (std::size_t told_second = 0; told_second <= 4; ++told_second) {
            CAPTURE(told_first);
            CAPTURE(told_second);
            Source source;
            std::vector<EventsRef> said;
            for (const char* payload : {"a", "b", "c", "d"})
                said.push_back(source.say({{"x", payload}}));
            Audience first;
            Audience second;
            Listener one{1};
            first.join(one.listening);
            one.hear(first, {"x"});
            for (std::size_t i = 0; i < told_first; ++i) static_cast<void>(first.take(said[i]));
            for (std::size_t i = 0; i < told_second; ++i) static_cast<void>(second.take(said[i]));
            first.leave(one.listening);
            second.join(one.listening);
            for (std::size_t i = told_second; i < 4; ++i) static_cast<void>(second.take(said[i]));
            CHECK(one.inbox() == "xaxbxcxd");
        }
    }
}

TEST_CASE("session/audience: who comes too late for what was kept is told so")
{
    Source source;
    Audience first;
    Audience second;
    Listener one{1};
    first.join(one.listening);
    one.hear(first, {"x"});
    static_cast<void>(first.take(source.say({{"x", "a"}})));
    first.leave(one.listening);
    CHECK(one.inbox() == "xa");
    for (std::size_t i = 0; i < Audience::kept_max + 10; ++i) {
        static_cast<void>(second.take(source.say({{"y", "z"}})));
    }
    second.join(one.listening);
    CHECK(one.inbox().find("missed") != std::string::npos);
}
