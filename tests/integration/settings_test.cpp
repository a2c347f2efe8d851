#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

// One server, so that whatever a client leaves on it meets the next one.
Start one_server() { return {.flags = {"--pool-size", "1"}}; }

std::string show(Connection& client, const std::string& name)
{
    return client.query("SHOW " + name).text();
}

} // namespace

TEST_CASE("integration/settings: what a client says at startup holds wherever it is served")
{
    const Pgweir pgweir{one_server()};
    Connection first = pgweir.connect(
        "application_name=first client_encoding=LATIN1 options='-c DateStyle=German,DMY "
        R"(-c TimeZone=Asia/Tokyo -c search_path="first\\ schema" -c work_mem=7MB')"
    );
    Connection second = pgweir.connect("application_name=second");
    for (int i = 0; i < 3; ++i) {
        CHECK(show(first, "application_name") == "first");
        CHECK(show(second, "application_name") == "second");
        CHECK(show(first, "client_encoding") == "LATIN1");
        CHECK(show(second, "client_encoding") == "UTF8");
        CHECK(show(first, "DateStyle") == "German, DMY");
        CHECK(show(second, "DateStyle") == "ISO, MDY");
        CHECK(show(first, "TimeZone") == "Asia/Tokyo");
        CHECK(show(second, "TimeZone") == "UTC");
        CHECK(show(first, "search_path") == "\"first schema\"");
        CHECK(show(second, "search_path") == "\"$user\", public");
        CHECK(show(first, "work_mem") == "7MB");
        CHECK(show(second, "work_mem") == "4MB");
    }
}

TEST_CASE("integration/settings: a client is told its own parameters at login")
{
    const Pgweir pgweir{one_server()};
    const Connection first = pgweir.connect(
        "application_name=first options='-c TimeZone=Asia/Tokyo'"
    );
    const Connection second = pgweir.connect("client_encoding=LATIN1");
    CHECK(first.parameter("application_name") == "first");
    CHECK(first.parameter("TimeZone") == "Asia/Tokyo");
    CHECK(first.parameter("client_encoding") == "UTF8");
    CHECK(second.parameter("application_name").empty());
    CHECK(second.parameter("TimeZone") == "UTC");
    CHECK(second.parameter("client_encoding") == "LATIN1");
}

TEST_CASE("integration/settings: SET of a parameter that PostgreSQL reports follows the client")
{
    const Pgweir pgweir{one_server()};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.query("SET TimeZone = 'Asia/Tokyo'").text() == "SET");
    CHECK(first.query("SET DateStyle = 'SQL, DMY'").text() == "SET");
    CHECK(first.query("SET application_name = 'it''s me'").text() == "SET");
    CHECK(first.parameter("TimeZone") == "Asia/Tokyo");
    for (int i = 0; i < 3; ++i) {
        CHECK(show(second, "TimeZone") == "UTC");
        CHECK(second.parameter("TimeZone") == "UTC");
        CHECK(show(first, "TimeZone") == "Asia/Tokyo");
        CHECK(show(first, "DateStyle") == "SQL, DMY");
        CHECK(show(first, "application_name") == "it's me");
        CHECK(show(second, "application_name").empty());
    }
}

TEST_CASE("integration/settings: a client hears of its parameters only when they change")
{
    // The pooler's own SETs, on a server that changes hands, are not news for the client.
    const Pgweir pgweir{
        {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"}
    };
    WireClient first{pgweir.target()};
    WireClient second{pgweir.target()};
    first.log_in("app_trust", {{"TimeZone", "Asia/Tokyo"}, {"application_name", "first"}});
    second.log_in("app_trust");
    for (int i = 0; i < 3; ++i) {
        CHECK(first.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
        CHECK(second.ask(message::query("SELECT 2")) == "T(1) D(2) C(SELECT 1) Z(I)");
    }
    CHECK(
        second.ask(message::query("SET TimeZone = 'Asia/Tokyo'"))
        == "C(SET) S(TimeZone=Asia/Tokyo) Z(I)"
    );
}

TEST_CASE("integration/settings: a SET that is rolled back never happened")
{
    const Pgweir pgweir{one_server()};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    first.query("SET TimeZone = 'Asia/Tokyo'");
    first.query("BEGIN");
    first.query("SET TimeZone = 'Europe/Berlin'");
    CHECK(show(first, "TimeZone") == "Europe/Berlin");
    first.query("ROLLBACK");
    CHECK(show(second, "TimeZone") == "UTC");
    CHECK(show(first, "TimeZone") == "Asia/Tokyo");

    first.query("BEGIN");
    first.query("SET TimeZone = 'Europe/Berlin'");
    first.query("COMMIT");
    CHECK(show(second, "TimeZone") == "UTC");
    CHECK(show(first, "TimeZone") == "Europe/Berlin");
}

TEST_CASE("integration/settings: SET LOCAL ends with its transaction")
{
    const Pgweir pgweir{one_server()};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    first.query("BEGIN");
    first.query("SET LOCAL TimeZone = 'Asia/Tokyo'");
    CHECK(show(first, "TimeZone") == "Asia/Tokyo");
    first.query("COMMIT");
    CHECK(show(first, "TimeZone") == "UTC");
    CHECK(show(second, "TimeZone") == "UTC");
    CHECK(first.parameter("TimeZone") == "UTC");
}

TEST_CASE("integration/settings: RESET goes back to what the client said at startup")
{
    const Pgweir pgweir{one_server()};
    Connection first = pgweir.connect("options='-c TimeZone=Asia/Tokyo'");
    Connection second = pgweir.connect();
    first.query("SET TimeZone = 'Europe/Berlin'");
    CHECK(show(second, "TimeZone") == "UTC");
    CHECK(first.query("RESET TimeZone").text() == "RESET");
    CHECK(show(second, "TimeZone") == "UTC");
    CHECK(show(first, "TimeZone") == "Asia/Tokyo");
}

TEST_CASE("integration/settings: the encoding of one client is not that of the next")
{
    const Pgweir pgweir{one_server()};
    Connection latin = pgweir.connect("client_encoding=LATIN1");
    Connection utf8 = pgweir.connect("client_encoding=UTF8");
    const std::string statement = "SELECT U&'\\00e9'"; // e with an acute accent
    for (int i = 0; i < 2; ++i) {
        CHECK(latin.query(statement).text() == "\xe9");
        CHECK(utf8.query(statement).text() == "\xc3\xa9");
    }
    CHECK(utf8.query("SET client_encoding = 'LATIN1'").text() == "SET");
    CHECK(utf8.query(statement).text() == "\xe9");
    CHECK(latin.query(statement).text() == "\xe9");
    CHECK(utf8.query("SET client_encoding = 'UTF8'").text() == "SET");
    CHECK(utf8.query(statement).text() == "\xc3\xa9");
    CHECK(latin.query(statement).text() == "\xe9");
}

TEST_CASE("integration/settings: PostgreSQL sees the application_name of who is served")
{
    const Pgweir pgweir{one_server()};
    Connection first = pgweir.connect("application_name=first");
    Connection second = pgweir.connect("application_name=second");
    const auto seen = [] {
        return postgres().sql(
            "SELECT application_name FROM pg_stat_activity WHERE usename = 'app_scram' "
            "AND state = 'idle in transaction'"
        );
    };
    for (Connection* client : {&first, &second}) {
        client->query("BEGIN");
        client->query("SELECT 1");
        CHECK(seen() == client->parameter("application_name"));
        client->query("COMMIT");
    }
}

TEST_CASE("integration/settings: a value that PostgreSQL refuses is told, and to nobody else")
{
    const Pgweir pgweir{one_server()};
    for (int i = 0; i < 2; ++i) {
        const std::string error = login_error(pgweir.conninfo("options='-c TimeZone=Nowhere/Land'")
        );
        CAPTURE(error);
        CHECK(error.starts_with("22023 "));
        CHECK(error.find("Nowhere/Land") != std::string::npos);
    }
    const std::string unknown = login_error(pgweir.conninfo("options='-c no_such_parameter=1'"));
    CHECK(unknown.starts_with("42704 "));
    CHECK(pgweir.connect().query("SHOW TimeZone").text() == "UTC");
}

TEST_CASE(
    "integration/settings: a login whose settings are new waits no longer than a query"
    * pooler_only()
)
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1", "--set", "pool.query_wait_timeout=300ms"}}};
    Connection busy = pgweir.connect();
    busy.query("BEGIN; SELECT 1");
    const std::string error = login_error(pgweir.conninfo("options='-c TimeZone=Asia/Tokyo'"));
    CHECK(error.starts_with("53300 "));
    Connection named = pgweir.connect("application_name=named"); // nothing that could be refused
    busy.query("COMMIT");
    CHECK(show(named, "application_name") == "named");
    CHECK(show(busy, "TimeZone") == "UTC");
}

TEST_CASE("integration/settings: a value cannot smuggle a statement in")
{
    postgres().sql("DROP TABLE IF EXISTS smuggled");
    const Pgweir pgweir{one_server()};
    Connection client = pgweir.connect(
        R"(application_name='x\'; CREATE TABLE smuggled (); --' )"
        R"(options='-c test.value=a\';CREATE\\ TABLE\\ smuggled();--')"
    );
    CHECK(client.query("SELECT 1").text() == "1");
    CHECK(show(client, "application_name") == "x'; CREATE TABLE smuggled (); --");
    CHECK(show(client, "test.value") == "a';CREATE TABLE smuggled();--");
    CHECK(postgres().sql("SELECT to_regclass('smuggled')") == "NULL");
}

TEST_CASE("integration/settings: ALTER ROLE … SET holds for who logs in afterwards")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "3"}}};
    Connection owner = pgweir.connect();
    Connection busy = pgweir.connect();
    Connection idle = pgweir.connect();
    busy.query("BEGIN; SELECT 1");
    CHECK(show(idle, "work_mem") == "4MB");

    CHECK(owner.query("ALTER ROLE current_user SET work_mem = '3MB'").text() == "ALTER ROLE");
    for (int i = 0; i < 3; ++i) {
        Connection later = pgweir.connect();
        CHECK(show(later, "work_mem") == "3MB");
    }
    CHECK(show(busy, "work_mem") == "4MB");
    CHECK(busy.query("COMMIT").text() == "COMMIT");

    owner.query("BEGIN");
    owner.query("ALTER ROLE current_user SET DateStyle = 'German'");
    CHECK(owner.query("ALTER ROLE current_user RESET work_mem").text() == "ALTER ROLE");
    CHECK(owner.query("COMMIT").text() == "COMMIT");
    for (int i = 0; i < 3; ++i) {
        Connection later = pgweir.connect();
        CHECK(show(later, "work_mem") == "4MB");
        CHECK(show(later, "DateStyle") == "German, DMY");
        CHECK(later.parameter("DateStyle") == "German, DMY");
    }
    CHECK(owner.query("ALTER ROLE current_user RESET ALL").text() == "ALTER ROLE");
}
