#include <pgweir/admin/show.hpp>

#include "support/snapshots.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace pgweir;
using namespace pgweir::admin;
using namespace pgweir::test;
using net::ClientUse;
using net::ServerUse;

namespace {

std::string joined(const std::vector<std::string>& words)
{
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

// "column=value" of the columns that are asked for.
std::string picked(const Table& table, std::size_t row, const std::vector<std::string>& columns)
{
    std::string all;
    for (const std::string& column : columns) {
        const auto found = std::ranges::find(table.columns, column);
        REQUIRE(found != table.columns.end());
        const auto& value = table.rows.at(row).at(std::size_t(found - table.columns.begin()));
        all += (all.empty() ? "" : " ") + column + '=' + value.value_or("null");
    }
    return all;
}

View view_of(std::shared_ptr<net::Pool> pool, const net::PoolCounts& counts = {})
{
    View view;
    view.inspection = make_inspection();
    view.inspection.pools.push_back({std::move(pool), counts});
    view.config.version = "1.2.3";
    return view;
}

Table shown(Show what, const View& view) { return show(what, view, StatsHistory{}); }

constexpr std::array every_table{
    Show::classes,
    Show::clients,
    Show::config,
    Show::databases,
    Show::help,
    Show::lists,
    Show::pools,
    Show::servers,
    Show::state,
    Show::stats,
    Show::stats_averages,
    Show::stats_totals,
    Show::totals,
    Show::users,
    Show::version,
};

} // namespace

TEST_CASE("admin/show: the columns are PgBouncer's, in its order")
{
    const char* const connections =
        "type user database replication state addr port local_addr local_port connect_time "
        "request_time wait wait_us close_needed ptr link remote_pid tls application_name "
        "prepared_statements id";
    CHECK(joined(columns_of(Show::clients)) == connections);
    CHECK(joined(columns_of(Show::servers)) == connections);
    CHECK(
        joined(columns_of(Show::pools))
        == "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req "
           "sv_active sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login "
           "maxwait maxwait_us pool_mode load_balance_hosts"
    );
    CHECK(
        joined(columns_of(Show::databases))
        == "name host port database force_user pool_size min_pool_size reserve_pool_size "
           "server_lifetime pool_mode load_balance_hosts max_connections current_connections "
           "max_client_connections current_client_connections paused disabled"
    );
    CHECK(
        joined(columns_of(Show::users))
        == "name pool_size reserve_pool_size pool_mode max_user_connections "
           "current_connections max_user_client_connections current_client_connections"
    );
    CHECK(joined(columns_of(Show::config)) == "key value default changeable");
}

TEST_CASE("admin/show: the columns of statistics are PgBouncer's, spelt as in each table")
{
    CHECK(
        joined(columns_of(Show::stats))
        == "database total_server_assignment_count total_xact_count total_query_count "
           "total_received total_sent total_xact_time total_query_time total_wait_time "
           "total_client_parse_count total_server_parse_count total_bind_count "
           "total_client_login_count avg_server_assignment_count avg_xact_count "
           "avg_query_count avg_recv avg_sent avg_xact_time avg_query_time avg_wait_time "
           "avg_client_parse_count avg_server_parse_count avg_bind_count "
           "avg_client_login_count"
    );
    CHECK(
        joined(columns_of(Show::stats_totals))
        == "database server_assignment_count xact_count query_count bytes_received bytes_sent "
           "xact_time query_time wait_time client_parse_count server_parse_count bind_count "
           "client_login_count"
    );
    CHECK(
        joined(columns_of(Show::stats_averages))
        == "database server_assignment_count xact_count query_count bytes_received bytes_sent "
           "xact_time query_time wait_time avg_client_parse_count avg_server_parse_count "
           "avg_bind_count avg_client_login_count"
    );
}

TEST_CASE("admin/show: each table has the heading that it was described with, and full rows")
{
    const auto pool = make_pool("orders", "app");
    pool->class_notes().add({pool::ClassId{1}, "web", "SELECT ?"});
    View view = view_of(pool);
    view.inspection.clients.emplace_back();
    view.inspection.servers.emplace_back();
    view.config.rows.push_back({"pool.size", "7", "20", true});
    for (const Show what : every_table) {
        CAPTURE(joined(columns_of(what)));
        const Table table = shown(what, view);
        CHECK(table.columns == columns_of(what));
        CHECK_FALSE(table.rows.empty());
        for (const Table::Row& row : table.rows) CHECK(row.size() == table.columns.size());
    }
}

TEST_CASE("admin/show: POOLS counts a client that needs no server as an active one")
{
    net::PoolCounts counts;
    counts.of(ClientUse::active) = 2;
    counts.of(ClientUse::idle) = 5;
    counts.of(ClientUse::waiting) = 3;
    counts.of(ClientUse::closing) = 1;
    counts.of(ServerUse::lent) = 2;
    counts.of(ServerUse::idle) = 4;
    counts.of(ServerUse::recovering) = 1;
    counts.of(ServerUse::held) = 1;
    counts.of(ServerUse::resetting) = 6;
    counts.of(ServerUse::checking) = 7;
    const Table table = shown(Show::pools, view_of(make_pool("orders", "app"), counts));
    CHECK(
        picked(table, 0, {"database", "user", "cl_active", "cl_waiting"})
        == "database=orders user=app cl_active=7 cl_waiting=3"
    );
    CHECK(
        picked(table, 0, {"sv_active", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested"})
        == "sv_active=2 sv_being_canceled=2 sv_idle=4 sv_used=6 sv_tested=7"
    );
    CHECK(
        picked(table, 0, {"pool_mode", "load_balance_hosts"})
        == "pool_mode=transaction load_balance_hosts=null"
    );
}

TEST_CASE("admin/show: CLASSES has the slowest first, and says in which lane each is")
{
    using std::chrono::milliseconds;
    const auto pool = make_pool("orders", "app");
    const View view = view_of(pool);
    const std::array ids{pool::ClassId{1}, pool::ClassId{2}, pool::ClassId{3}};
    for (const pool::ClassId id : ids) pool->class_notes().add({id, "web", "SELECT ?"});
    pool::Classes& classes = pool->shared().classes();
    classes.learn(ids[0], milliseconds{2}, view.inspection.now);
    classes.learn(ids[1], milliseconds{300}, view.inspection.now);
    const Table table = shown(Show::classes, view);
    CHECK(joined(table.columns) == "database user application_name lane avg_xact_time statement");
    REQUIRE(table.rows.size() == 3);
    CHECK(picked(table, 0, {"lane", "avg_xact_time"}) == "lane=slow avg_xact_time=300000");
    CHECK(picked(table, 1, {"lane", "avg_xact_time"}) == "lane=brief avg_xact_time=2000");
    CHECK(picked(table, 2, {"lane", "avg_xact_time"}) == "lane=unproven avg_xact_time=0");
    CHECK(
        picked(table, 2, {"database", "user", "application_name", "statement"})
        == "database=orders user=app application_name=web statement=SELECT ?"
    );
}

TEST_CASE("admin/show: maxwait is in two parts, as PgBouncer has it")
{
    const auto pool = make_pool("orders", "app");
    const View view = view_of(pool);
    pool::Waiter waiter{ClientId{1}, WorkerId{0}};
    waiter.start(view.inspection.now - std::chrono::microseconds{3'000'250});
    REQUIRE(pool->shared().enqueue(waiter) == pgweir::pool::Shared::Queued::first);
    CHECK(
        picked(shown(Show::pools, view), 0, {"maxwait", "maxwait_us"}) == "maxwait=3 maxwait_us=250"
    );
    pool->shared().withdraw(waiter);
}

TEST_CASE("admin/show: CLIENTS says who, from where, since when")
{
    View view = view_of(make_pool("orders", "app"));
    net::ConnectionRow& row = view.inspection.clients.emplace_back();
    row.user = "app";
    row.database = "orders";
    row.state = "waiting";
    row.remote = {"10.0.0.7", 40'000};
    row.connected_at = view.inspection.now - std::chrono::minutes{90};
    row.active_at = view.inspection.now - std::chrono::seconds{1};
    row.waiting = std::chrono::milliseconds{1'500};
    row.id = 42;
    row.linked_id = 7;
    row.application_name = "billing";
    const Table table = shown(Show::clients, view);
    CHECK(
        picked(table, 0, {"type", "user", "database", "state", "addr", "port"})
        == "type=C user=app database=orders state=waiting addr=10.0.0.7 port=40000"
    );
    CHECK(
        picked(table, 0, {"connect_time", "request_time"})
        == "connect_time=1970-01-01 22:30:00 UTC request_time=1970-01-01 23:59:59 UTC"
    );
    CHECK(
        picked(table, 0, {"wait", "wait_us", "ptr", "link", "id", "application_name"})
        == "wait=1 wait_us=500000 ptr=C42 link=S7 id=42 application_name=billing"
    );
}

TEST_CASE("admin/show: a server is linked to its client by the client's name")
{
    View view = view_of(make_pool("orders", "app"));
    net::ConnectionRow& row = view.inspection.servers.emplace_back();
    row.id = 7;
    row.linked_id = 42;
    row.is_replication = true;
    CHECK(
        picked(shown(Show::servers, view), 0, {"type", "ptr", "link", "replication"})
        == "type=S ptr=S7 link=C42 replication=yes"
    );
}

TEST_CASE("admin/show: DATABASES are those of the configuration and those in use")
{
    View view = view_of(make_pool("orders", "app"));
    view.inspection.pools.push_back({make_pool("orders", "report"), {}});
    DatabaseRow configured;
    configured.name = "archive";
    configured.upstream.hosts = {{"/run/postgresql", 5432}};
    configured.options.size = 3;
    view.config.databases.push_back(configured);
    const Table table = shown(Show::databases, view);
    REQUIRE(table.rows.size() == 2);
    CHECK(
        picked(table, 0, {"name", "host", "port", "database", "pool_size"})
        == "name=archive host=/run/postgresql port=5432 database=archive pool_size=3"
    );
    CHECK(
        picked(table, 1, {"name", "host", "port", "database", "pool_size", "paused"})
        == "name=orders host=db.internal port=5433 database=orders_on_disk pool_size=20 "
           "paused=0"
    );
}

TEST_CASE("admin/show: a pause shows in DATABASES and in STATE")
{
    const auto pool = make_pool("orders", "app");
    const View view = view_of(pool);
    CHECK(picked(shown(Show::state, view), 0, {"key", "value"}) == "key=active value=yes");
    pool->shared().pause(true);
    CHECK(picked(shown(Show::databases, view), 0, {"paused"}) == "paused=1");
    CHECK(picked(shown(Show::state, view), 0, {"key", "value"}) == "key=active value=no");
    CHECK(picked(shown(Show::state, view), 1, {"key", "value"}) == "key=paused value=yes");
}

TEST_CASE("admin/show: STATS has totals and averages of a database")
{
    const auto pool = make_pool("orders", "app");
    pool->counters(WorkerId{0}).transactions.add(110);
    pool->counters(WorkerId{1}).bytes_from_clients.add(500);
    const View view = view_of(pool);
    StatsHistory history;
    metrics::Totals before;
    before.transactions = 10;
    history.sample(view.inspection.now - std::chrono::seconds{10}, {{"orders", before}});
    CHECK(
        picked(
            show(Show::stats, view, history),
            0,
            {"database", "total_xact_count", "total_received", "avg_xact_count", "avg_recv"}
        )
        == "database=orders total_xact_count=110 total_received=500 avg_xact_count=10 "
           "avg_recv=50"
    );
    const Table totals = show(Show::totals, view, history);
    CHECK(picked(totals, 1, {"name", "value"}) == "name=total_xact_count value=110");
    CHECK(picked(totals, 13, {"name", "value"}) == "name=avg_xact_count value=10");
}

TEST_CASE("admin/show: LISTS counts everything once")
{
    net::PoolCounts counts;
    counts.of(ClientUse::idle) = 5;
    counts.of(ServerUse::lent) = 2;
    View view = view_of(make_pool("orders", "app"), counts);
    view.config.users = {{"app"}, {"unused"}};
    view.config.logins = 3;
    std::string all;
    for (const Table::Row& row : shown(Show::lists, view).rows)
        all += *row[0] + '=' + *row[1] + ' ';
    CHECK(
        all
        == "databases=1 users=2 peers=0 pools=1 peer_pools=0 free_clients=0 used_clients=5 "
           "login_clients=3 free_servers=0 used_servers=2 dns_names=0 dns_zones=0 "
           "dns_queries=0 dns_pending=0 "
    );
}

TEST_CASE("admin/show: VERSION names the program")
{
    CHECK(shown(Show::version, view_of(make_pool("orders", "app"))).rows[0][0] == "pgweir 1.2.3");
}
