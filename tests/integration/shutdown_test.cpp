#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

using namespace pgweir::test;

namespace {

bool answers_ready(const Pgweir& pgweir)
{
    try {
        return http_get(pgweir.http(), "/readyz").status == 200;
    } catch (const std::exception&) {
        return false; // not even listening
    }
}

void wait_until_not_ready(const Pgweir& pgweir)
{
    wait_until([&] { return !answers_ready(pgweir); }, "/readyz fails");
}

} // namespace

TEST_CASE(
    "integration/shutdown: SIGTERM lets a transaction finish, and refuses new clients"
    * pooler_only()
)
{
    for (const int number : {SIGTERM, SIGINT}) {
        CAPTURE(number);
        Pgweir pgweir{{.flags = {"--pool-size", "2"}}};
        Connection client = pgweir.connect();
        client.query("BEGIN");
        client.query("CREATE TEMP TABLE t (i int) ON COMMIT DROP");
        pgweir.signal(number);
        wait_until_not_ready(pgweir);

        CHECK(client.query("INSERT INTO t VALUES (1)").text() == "INSERT 0 1");
        CHECK(client.query("SELECT count(*) FROM t").text() == "1");
        CHECK_FALSE(login_error(pgweir.conninfo()).empty());
        CHECK(client.query("COMMIT").text() == "COMMIT");
        CHECK(client.last_words().starts_with("57P01 "));
        pgweir.expect_exit(0);
        CHECK(postgres().server_count("app_scram") == 0);
    }
}

TEST_CASE("integration/shutdown: idle clients are told 57P01" * pooler_only())
{
    Pgweir pgweir{{.flags = {"--pool-size", "2"}}};
    Connection fresh = pgweir.connect();
    Connection used = pgweir.connect();
    CHECK(used.query("SELECT 1").text() == "1");
    pgweir.signal(SIGTERM);
    CHECK(fresh.last_words().starts_with("57P01 "));
    CHECK(used.last_words().starts_with("57P01 "));
    pgweir.expect_exit(0);
}

TEST_CASE("integration/shutdown: a query that runs is answered before the good-bye" * pooler_only())
{
    Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection running = pgweir.connect();
    Connection waiting = pgweir.connect();
    running.send("SELECT 'answered' FROM pg_sleep(1)");
    running.flush();
    wait_until([&] { return pgweir.pool_number("sv_active") == 1; }, "the query runs");
    waiting.send("SELECT 'perhaps'");
    waiting.flush();
    pgweir.wait_for_waiting(1);
    pgweir.signal(SIGTERM);

    CHECK(running.next_result().value().text() == "answered");
    CHECK(running.last_words().starts_with("57P01 "));
    // Who waits is served or sent away, but told.
    const std::string outcome = waiting.next_result().value().text();
    CAPTURE(outcome);
    CHECK((outcome == "perhaps" || outcome == "ERROR 57P01"));
    pgweir.expect_exit(0);
}

TEST_CASE(
    "integration/shutdown: a transaction that never ends is cut off after shutdown_timeout"
    * pooler_only()
)
{
    Pgweir pgweir{{.flags = {"--pool-size", "1", "--set", "shutdown_timeout=500ms"}}};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    client.query("SELECT 1");
    pgweir.signal(SIGTERM);
    pgweir.expect_exit(0);
    CHECK(client.last_words().starts_with("57P01 "));
}

TEST_CASE("integration/shutdown: a second signal ends it at once" * pooler_only())
{
    // shutdown_timeout is longer than the test waits.
    Pgweir pgweir{{.flags = {"--pool-size", "1", "--set", "shutdown_timeout=10min"}}};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    client.send("SELECT pg_sleep(600)");
    client.flush();
    wait_until([&] { return pgweir.pool_number("sv_active") == 1; }, "the query runs");
    pgweir.signal(SIGTERM);
    wait_until_not_ready(pgweir);
    CHECK(pgweir.process().is_running());
    pgweir.signal(SIGTERM);
    pgweir.expect_exit(0);
    postgres().wait_for_server_count("app_scram", 0); // also the one with the long query
}

TEST_CASE(
    "integration/shutdown: the query of a client that has said good-bye is stopped, too"
    * pooler_only()
)
{
    Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    {
        Connection client = pgweir.connect();
        client.send("SELECT pg_sleep(600)");
        client.flush();
        wait_until([&] { return pgweir.pool_number("sv_active") == 1; }, "the query runs");
    }
    wait_until([&] { return pgweir.pool_number("cl_active") == 0; }, "the client has left");
    pgweir.signal(SIGTERM);
    pgweir.expect_exit(0);
    postgres().wait_for_server_count("app_scram", 0);
}

TEST_CASE(
    "integration/shutdown: even killed, it leaves no server connection behind" * pooler_only()
)
{
    Pgweir pgweir{{.flags = {"--pool-size", "2", "--set", "pool.min_size=2"}}};
    postgres().wait_for_server_count("app_scram", 2);
    pgweir.signal(SIGKILL);
    pgweir.expect_exit(128 + SIGKILL);
    postgres().wait_for_server_count("app_scram", 0);
}

TEST_CASE("integration/shutdown: it ends while PostgreSQL does not answer" * pooler_only())
{
    Pgweir pgweir{{.flags = {"--pool-size", "1", "--set", "shutdown_timeout=500ms"}}};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    const Freeze freeze;
    client.send("SELECT 2");
    client.flush();
    pgweir.signal(SIGTERM);
    pgweir.expect_exit(0);
}

TEST_CASE("integration/shutdown: half-finished logins do not hold it up" * pooler_only())
{
    Pgweir pgweir;
    WireClient silent{pgweir.target()};
    WireClient half{pgweir.target()};
    half.send(message::startup({{"user", "app_scram"}, {"database", "app"}}));
    CHECK(half.receive().text() == "R(10)");
    pgweir.signal(SIGTERM);
    pgweir.expect_exit(0);
}
