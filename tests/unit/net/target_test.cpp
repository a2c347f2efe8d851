#include <pgweir/net/target.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace pgweir;
using namespace pgweir::net;

namespace {

Upstream three_hosts()
{
    Upstream upstream;
    upstream.hosts = {{"a", 1}, {"b", 2}, {"c", 3}};
    return upstream;
}

std::string names(const std::vector<HostPort>& hosts)
{
    std::string all;
    for (const HostPort& host : hosts) all += host.host;
    return all;
}

ServerRole role(bool is_standby, bool is_read_only)
{
    return read_role(
        {{"in_hot_standby", is_standby ? "on" : "off"},
         {"default_transaction_read_only", is_read_only ? "on" : "off"}}
    );
}

} // namespace

TEST_CASE("net/target: PostgreSQL 14 says at login what it is, an older one is asked")
{
    constexpr const char* show = "SHOW transaction_read_only";
    constexpr const char* recovery = "SELECT pg_catalog.pg_is_in_recovery()";
    const ServerRole unknown = read_role({{"server_version", "13.1"}});
    CHECK(role_question(SessionAttrs::any, unknown).empty());
    CHECK(role_question(SessionAttrs::read_write, unknown) == show);
    CHECK(role_question(SessionAttrs::read_only, unknown) == show);
    CHECK(role_question(SessionAttrs::primary, unknown) == recovery);
    CHECK(role_question(SessionAttrs::standby, unknown) == recovery);
    CHECK(role_question(SessionAttrs::prefer_standby, unknown) == recovery);
    for (const SessionAttrs wanted : {SessionAttrs::read_write, SessionAttrs::standby}) {
        CHECK(role_question(wanted, role(true, false)).empty());
    }

    ServerRole asked;
    take_role(asked, SessionAttrs::read_only, "on");
    CHECK(objection(SessionAttrs::read_only, asked).empty());
    CHECK(objection(SessionAttrs::read_write, asked) == "session is read-only");
    take_role(asked, SessionAttrs::primary, "t");
    CHECK(objection(SessionAttrs::primary, asked) == "server is in hot standby mode");
}

TEST_CASE("net/target: what is wanted of a server")
{
    const ServerRole primary = role(false, false);
    const ServerRole closed = role(false, true); // a primary that writes only when told to
    const ServerRole standby = role(true, false);
    const auto wants = [&](SessionAttrs wanted) {
        std::string good;
        if (objection(wanted, primary).empty()) good += "primary ";
        if (objection(wanted, closed).empty()) good += "closed ";
        if (objection(wanted, standby).empty()) good += "standby ";
        return good;
    };
    CHECK(wants(SessionAttrs::any) == "primary closed standby ");
    CHECK(wants(SessionAttrs::read_write) == "primary ");
    CHECK(wants(SessionAttrs::read_only) == "closed standby ");
    CHECK(wants(SessionAttrs::primary) == "primary closed ");
    CHECK(wants(SessionAttrs::standby) == "standby ");
    CHECK(wants(SessionAttrs::prefer_standby) == "standby ");
}

TEST_CASE("net/target: hosts are tried as written, the last one that was right first")
{
    Upstream upstream = three_hosts();
    CHECK(names(host_order(upstream, std::nullopt, 1)) == "abc");
    CHECK(names(host_order(upstream, HostPort{"c", 3}, 1)) == "cab");
    CHECK(names(host_order(upstream, HostPort{"c", 4}, 1)) == "abc"); // it is not there any more
}

TEST_CASE("net/target: … or in any order")
{
    Upstream upstream = three_hosts();
    upstream.balances_hosts = true;
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        orders.insert(names(host_order(upstream, HostPort{"c", 3}, seed)));
    }
    CHECK(orders.size() == 6);
}

TEST_CASE("net/target: a host has its share of the time that is left")
{
    using namespace std::chrono_literals;
    const TimePoint now = TimePoint{} + 1h;
    CHECK(share_of(now, now + 15s, 3) == now + 5s);
    CHECK(share_of(now + 1s, now + 15s, 2) == now + 8s); // the first was quick to refuse
    CHECK(share_of(now, now + 15s, 1) == now + 15s);
    CHECK(share_of(now, now + 15s, 1, 3s) == now + 3s);
    CHECK(share_of(now, now + 15s, 5, 10s) == now + 3s);
    CHECK(share_of(now + 20s, now + 15s, 2) == now + 20s);
}

TEST_CASE("net/target: pools of the same hosts remember together which of them was right")
{
    HostMemory memory;
    Upstream upstream = three_hosts();
    CHECK_FALSE(memory.last(upstream));
    CHECK_FALSE(memory.note(upstream, {"b", 2}));
    CHECK(memory.last(upstream) == HostPort{"b", 2});
    CHECK(memory.note(upstream, {"a", 1}));
    CHECK_FALSE(memory.note(upstream, {"a", 1}));
    upstream.user = "other";
    CHECK(memory.last(upstream) == HostPort{"a", 1});
    upstream.target_session_attrs = SessionAttrs::standby;
    CHECK_FALSE(memory.last(upstream));
}
