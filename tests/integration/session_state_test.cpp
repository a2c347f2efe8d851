// What a client does to its session in one transaction holds in the next one, on whatever server,
// and for nobody else.
#include "support/two_servers.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

constexpr const char* work_mem = "SHOW work_mem";

// Of a custom parameter. PostgreSQL never forgets one: elsewhere it may be empty.
const std::string tenant =
    "SELECT coalesce(nullif(current_setting('state.tenant', true), ''), 'none')";

void create(const std::string& sql) { postgres().sql(sql); }

void create_function(const std::string& name, const std::string& body)
{
    create(
        "CREATE OR REPLACE FUNCTION " + name + " RETURNS void LANGUAGE plpgsql AS $$ BEGIN " + body
        + "; END $$"
    );
}

struct TwoClients : TwoServers {
    Connection client = connect();
    Connection other = connect();

    // … has 7 MB on both servers, and nobody else has.
    void check_set()
    {
        CHECK(everywhere(client, work_mem) == "7MB");
        CHECK(everywhere(other, work_mem) == "4MB");
    }

    void check_not_set()
    {
        CHECK(everywhere(client, work_mem) == "4MB");
        CHECK(everywhere(other, work_mem) == "4MB");
    }
};

} // namespace

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: SET goes with the client that said it")
{
    CHECK(client.query("SET work_mem = '7MB'").text() == "SET");
    check_set();
    CHECK(client.query("SET work_mem = '9MB'").text() == "SET");
    CHECK(everywhere(client, work_mem) == "9MB");
    CHECK(client.query("RESET work_mem").text() == "RESET");
    check_not_set();
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_state: a SET that is rolled back has never happened"
)
{
    client.query("BEGIN");
    client.query("SET work_mem = '7MB'");
    CHECK(client.query(work_mem).text() == "7MB");
    client.query("ROLLBACK");
    check_not_set();
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_state: a transaction that failed takes its SET along"
)
{
    client.query("BEGIN");
    client.query("SET work_mem = '7MB'");
    CHECK(client.query("SELECT 1/0").text() == "ERROR 22012");
    CHECK(client.query("COMMIT").text() == "ROLLBACK");
    check_not_set();
    CHECK(client.query("SET work_mem = '7MB'; SELECT 1/0").text() == "ERROR 22012");
    check_not_set();
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: a SET that is committed holds")
{
    client.query("BEGIN");
    client.query("SET work_mem = '7MB'");
    client.query("COMMIT");
    check_set();
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: ROLLBACK TO takes back what came after")
{
    client.query("BEGIN");
    client.query("SET work_mem = '7MB'");
    client.query("SAVEPOINT s");
    client.query("SET work_mem = '9MB'");
    client.query("SET enable_sort = off");
    client.query("ROLLBACK TO s");
    client.query("COMMIT");
    check_set();
    CHECK(everywhere(client, "SHOW enable_sort") == "on");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: SET LOCAL ends with its transaction")
{
    client.query("BEGIN");
    client.query("SET LOCAL work_mem = '7MB'");
    CHECK(client.query(work_mem).text() == "7MB");
    client.query("COMMIT");
    check_not_set();
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: the extended protocol sets as well")
{
    CHECK(client.query_params("SET work_mem = '7MB'", {}).text() == "SET");
    check_set();
    client.prepare("set", "SELECT set_config('work_mem', $1, false)");
    CHECK(client.execute("set", {"9MB"}).text() == "9MB");
    CHECK(everywhere(client, work_mem) == "9MB");
    CHECK(client.execute("set", {"7MB"}).text() == "7MB");
    check_set();
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: set_config by itself is a SET")
{
    CHECK(client.query("SELECT set_config('work_mem', '7MB', false)").text() == "7MB");
    check_set();
    CHECK(client.query("SELECT set_config('work_mem', '9MB', true)").text() == "9MB");
    check_set();
}

TEST_CASE("integration/session_state: a function may set, and so may one that calls it")
{
    create_function("state_sets()", "PERFORM set_config('work_mem', '7MB', false)");
    create_function("state_calls()", "PERFORM state_sets()");
    create_function("state_idles()", "PERFORM 1");
    for (const std::string call :
         {"SELECT state_sets()", "SELECT STATE_CALLS()", "SELECT public.\"state_sets\"() FROM t"}) {
        CAPTURE(call);
        TwoClients clients;
        clients.client.query("SELECT state_idles()"); // the first call asks for what functions do
        clients.check_not_set();
        CHECK(
            clients.client.query("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1; " + call).text()
            == ""
        );
        clients.check_set();
    }
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: a function that is new counts at once")
{
    create("DROP FUNCTION IF EXISTS state_new()");
    client.query("SELECT pg_backend_pid()");
    client.query("CREATE FUNCTION state_new() RETURNS text LANGUAGE sql AS "
                 "$$ SELECT set_config('work_mem', '7MB', false) $$");
    CHECK(client.query("SELECT state_new()").text() == "7MB");
    check_set();
    create("DROP FUNCTION state_new()");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: a trigger and a DO block may set, too")
{
    create("DROP TABLE IF EXISTS state_rows; CREATE TABLE state_rows (i int)");
    create("GRANT ALL ON state_rows TO PUBLIC");
    create(
        "CREATE OR REPLACE FUNCTION state_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "SET work_mem = '7MB'; RETURN NEW; END $$"
    );
    create(
        "CREATE TRIGGER t BEFORE INSERT ON state_rows FOR EACH ROW EXECUTE FUNCTION state_trigger()"
    );
    client.query("SELECT pg_backend_pid()");
    CHECK(client.query("INSERT INTO state_rows VALUES (1)").text() == "INSERT 0 1");
    check_set();
    create("DROP TABLE state_rows");

    CHECK(client.query("DO $$ BEGIN SET work_mem = '9MB'; END $$").text() == "DO");
    CHECK(everywhere(client, work_mem) == "9MB");
    CHECK(everywhere(other, work_mem) == "4MB");
}

TEST_CASE("integration/session_state: SET ROLE goes with the client that said it")
{
    create("DROP ROLE IF EXISTS state_role");
    create("CREATE ROLE state_role; GRANT state_role TO app_scram");
    {
        TwoClients clients;
        const std::string user = "SELECT current_user";
        CHECK(clients.client.query("SET ROLE state_role").text() == "SET");
        CHECK(clients.everywhere(clients.client, user) == "state_role");
        CHECK(clients.everywhere(clients.other, user) == "app_scram");
        CHECK(clients.client.query("SET work_mem = '7MB'").text() == "SET"); // as that role
        clients.check_set();
        CHECK(clients.everywhere(clients.client, user) == "state_role");

        clients.client.query("BEGIN");
        clients.client.query("RESET ROLE");
        clients.client.query("ROLLBACK");
        CHECK(clients.everywhere(clients.client, user) == "state_role");
        CHECK(clients.client.query("SET ROLE NONE").text() == "SET");
        CHECK(clients.everywhere(clients.client, user) == "app_scram");
        clients.check_set();
    }
    create("DROP ROLE state_role");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: parameters of the application's own")
{
    CHECK(client.query("SET State.Tenant = 'it''s x'").text() == "SET");
    CHECK(everywhere(client, tenant) == "it's x");
    CHECK(everywhere(other, tenant) == "none");
    CHECK(other.query("SELECT set_config('state.tenant', 'y', false)").text() == "y");
    CHECK(everywhere(client, tenant) == "it's x");
    CHECK(everywhere(other, tenant) == "y");
    client.query("RESET state.tenant");
    CHECK(everywhere(client, tenant) == "none");
    CHECK(everywhere(other, tenant) == "y");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: … which a function takes as an argument")
{
    create_function(
        "state_set_any(name text, value text)", "PERFORM set_config(name, value, false)"
    );
    CHECK(client.query("SELECT state_set_any('state.tenant', 'x')").text().empty());
    CHECK(everywhere(client, tenant) == "x");
    CHECK(everywhere(other, tenant) == "none");
    client.query("SELECT state_set_any('work_mem', '7MB')");
    check_set();
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: … or that only a function knows by name")
{
    create_function(
        "state_set_tenant(value text)", "PERFORM set_config('state.tenant', value, false)"
    );
    CHECK(client.query("SELECT state_set_tenant('x')").text().empty());
    CHECK(everywhere(client, tenant) == "x");
    CHECK(everywhere(other, tenant) == "none");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: strings may have backslashes, or not")
{
    // The first to call anything makes pgweir ask what functions do.
    create_function("state_sets()", "PERFORM set_config('work_mem', '7MB', false)");
    client.query("SET standard_conforming_strings = off");
    CHECK(client.query("SET state.\"x\\\" = 'no name'").is_error());
    CHECK(client.query("SELECT state_sets(), 'a\\'b'").text() == "|a'b");
    check_set();
    CHECK(everywhere(client, "SHOW standard_conforming_strings") == "off");
    CHECK(everywhere(other, "SHOW standard_conforming_strings") == "on");
}

TEST_CASE("integration/session_state: a default of the database is nobody's setting")
{
    create("ALTER DATABASE app SET state.tenant = 'default'");
    {
        TwoClients clients;
        CHECK(clients.everywhere(clients.client, tenant) == "default");
        clients.client.query("SET state.tenant = 'own'");
        CHECK(clients.everywhere(clients.client, tenant) == "own");
        CHECK(clients.everywhere(clients.other, tenant) == "default");
        clients.client.query("RESET state.tenant");
        CHECK(clients.everywhere(clients.client, tenant) == "default");
    }
    create("ALTER DATABASE app RESET state.tenant");
}

TEST_CASE("integration/session_state: RESET goes back to what the client said at its start")
{
    for (const std::string reset :
         {"RESET work_mem", "RESET ALL", "DISCARD ALL", "SET work_mem TO DEFAULT"}) {
        CAPTURE(reset);
        TwoServers servers;
        Connection client = servers.connect("options='-c work_mem=7MB -c state.tenant=start'");
        Connection other = servers.connect();
        CHECK(servers.everywhere(client, work_mem) == "7MB");
        client.query("SET work_mem = '9MB'");
        CHECK(servers.everywhere(client, work_mem) == "9MB");
        CHECK_FALSE(client.query(reset).is_error());
        CHECK(servers.everywhere(client, work_mem) == "7MB");
        CHECK(servers.everywhere(client, tenant) == "start");
        CHECK(servers.everywhere(other, work_mem) == "4MB");
    }
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: DISCARD ALL leaves nothing of a session")
{
    client.query("SET work_mem = '9MB'");
    client.query("SET TimeZone = 'Asia/Tokyo'");
    client.query("SET state.tenant = 'x'");
    client.query("PREPARE p AS SELECT 1");
    CHECK(client.query("DISCARD ALL").text() == "DISCARD ALL");
    check_not_set();
    CHECK(everywhere(client, "SHOW TimeZone") == "UTC");
    CHECK(everywhere(client, tenant) == "none");
    CHECK(everywhere(client, "EXECUTE p") == "ERROR 26000");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_state: an operator of the client's is not used")
{
    // Its search_path comes before pg_catalog, and it has made an = that lies.
    create("DROP SCHEMA IF EXISTS state_traps CASCADE; CREATE SCHEMA state_traps");
    create("GRANT ALL ON SCHEMA state_traps TO PUBLIC");
    create("CREATE FUNCTION state_traps.lie(text, text) RETURNS boolean LANGUAGE plpgsql AS "
           "$$ BEGIN RAISE EXCEPTION 'used'; END $$");
    create("CREATE OPERATOR state_traps.= (FUNCTION = state_traps.lie, LEFTARG = text, "
           "RIGHTARG = text)");
    create("CREATE FUNCTION state_traps.current_setting(text) RETURNS text LANGUAGE sql AS "
           "$$ SELECT 'used' $$");
    CHECK(client.query("SET search_path = state_traps, pg_catalog").text() == "SET");
    CHECK(client.query("SELECT 'a'::text = 'a'::text").text() == "ERROR P0001");
    CHECK(client.query("SET work_mem = '7MB'").text() == "SET");
    check_set();
    CHECK(everywhere(client, "SHOW search_path") == "state_traps, pg_catalog");
    create("DROP SCHEMA state_traps CASCADE");
}
