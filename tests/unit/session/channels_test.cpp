#include <pgweir/session/channels.hpp>

#include <doctest/doctest.h>

using namespace pgweir::session;

TEST_CASE("session/channels: names are sorted, each once, and none are null")
{
    CHECK(make_channels({}) == nullptr);
    const ChannelsRef channels = make_channels({"b", "a", "b"});
    CHECK(*channels == Channels{"a", "b"});
    CHECK(same_channels(channels, make_channels({"a", "b"})));
    CHECK(same_channels(nullptr, nullptr));
    CHECK_FALSE(same_channels(channels, nullptr));
    CHECK_FALSE(same_channels(nullptr, channels));
    CHECK_FALSE(same_channels(channels, make_channels({"a"})));
    CHECK(all_of(nullptr).empty());
}

TEST_CASE("session/channels: sets of them are joined and taken apart")
{
    const Channels ab{"a", "b"};
    const Channels bc{"b", "c"};
    CHECK(contains(ab, "b"));
    CHECK_FALSE(contains(ab, "c"));
    CHECK(without(ab, bc) == Channels{"a"});
    CHECK(common(ab, bc) == Channels{"b"});
    CHECK(together(ab, bc) == Channels{"a", "b", "c"});
    CHECK(contains_all(ab, {}));
    CHECK(contains_all(ab, {"b"}));
    CHECK_FALSE(contains_all(ab, bc));
}

TEST_CASE("session/channels: a session is told the difference, and no name can end its statement")
{
    CHECK(listen_sql({}, {}) == "");
    CHECK(listen_sql({"a"}, {"a"}) == "");
    CHECK(listen_sql({}, {"a", "b\"; DROP"}) == R"(LISTEN "a"; LISTEN "b""; DROP")");
    CHECK(listen_sql({"a", "b"}, {"b"}) == R"(UNLISTEN "a")");
    CHECK(listen_sql({"a", "b"}, {"b", "c"}) == R"(UNLISTEN "a"; LISTEN "c")");
    CHECK(listen_sql({"a", "b"}, {}) == "UNLISTEN *");
    CHECK(listen_sql({"a", "b"}, {"c"}) == R"(UNLISTEN *; LISTEN "c")");
}
