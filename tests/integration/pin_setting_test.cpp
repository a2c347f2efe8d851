// pool.pin and pool.pin_functions: what an operator may want instead of pinned clients.
#include "support/daemon.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

// Two clients, one server: who is pinned keeps it from the other.
struct OneServer {
    explicit OneServer(const std::string& setting)
        : pgweir{{.flags = {"--pool-size", "1", "--workers", "1", "--set", setting}}}
    {
    }

    Pgweir pgweir;
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
};

} // namespace

TEST_CASE("integration/pin_setting: never: the state ends with the transaction" * pooler_only())
{
    OneServer one{"pool.pin=never"};
    CHECK(one.client.query("CREATE TEMP TABLE mine (i int)").text() == "CREATE TABLE");
    CHECK(one.other.query("SELECT count(*) FROM pg_class WHERE relname = 'mine'").text() == "0");
    CHECK(one.client.query("SELECT * FROM mine").text() == "ERROR 42P01");
    CHECK(one.client.query("SELECT pg_advisory_lock(4711)").text().empty());
    CHECK(
        one.other.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").text() == "0"
    );
    CHECK(one.pgweir.log().find("event=state_dropped") != std::string::npos);
    CHECK(one.pgweir.log().find("CREATE TEMP TABLE mine") != std::string::npos);

    one.client.query("BEGIN"); // inside a transaction it lives
    one.client.query("CREATE TEMP TABLE mine (i int)");
    CHECK(one.client.query("SELECT count(*) FROM mine").text() == "0");
    CHECK(one.client.query("COMMIT").text() == "COMMIT");
    CHECK(one.other.query("SELECT 'served'").text() == "served");
}

TEST_CASE("integration/pin_setting: error: who would be pinned is told why not" * pooler_only())
{
    OneServer one{"pool.pin=error"};
    CHECK(one.client.query("LOAD 'auto_explain'").text() == "ERROR 0A000");
    CHECK(one.client.query("CREATE TEMP TABLE mine (i int)").text() == "ERROR 0A000");
    CHECK(one.client.query_params("SELECT pg_advisory_lock($1)", {"1"}).text() == "ERROR 0A000");
    CHECK(one.client.query("SET work_mem = '7MB'").text() == "SET");
    CHECK(one.other.query("SHOW work_mem").text() == "4MB");

    one.client.query("BEGIN");
    CHECK(one.client.query("DECLARE c CURSOR WITH HOLD FOR SELECT 1").text() == "ERROR 0A000");
    CHECK(one.client.query("SELECT 1").text() == "ERROR 25P02");
    CHECK(one.client.query("COMMIT").text() == "ROLLBACK");
    CHECK(one.client.query("SHOW work_mem").text() == "7MB");
}

TEST_CASE(
    "integration/pin_setting: functions that the operator names pin their client" * pooler_only()
)
{
    postgres().sql(
        "CREATE OR REPLACE FUNCTION leaves_something() RETURNS int LANGUAGE sql AS 'SELECT 7'"
    );
    OneServer one{"pool.pin_functions=leaves_something"};
    CHECK(one.client.query("SELECT leaves_something()").text() == "7");
    one.other.send("SELECT 'served'");
    one.other.flush();
    one.pgweir.wait_for_waiting(1);
    CHECK(one.client.query("DISCARD ALL").text() == "DISCARD ALL");
    CHECK(one.other.next_result().value().text() == "served");
    CHECK(one.pgweir.log().find("reason=functions") != std::string::npos);
    CHECK(one.pgweir.log().find("event=client_unpinned") != std::string::npos);
}
