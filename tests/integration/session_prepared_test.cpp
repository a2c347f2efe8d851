// Statements of SQL's PREPARE belong to the client that made them, on whatever server.
#include "support/two_servers.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

struct TwoClients : TwoServers {
    Connection client = connect();
    Connection other = connect();
};

const std::string own_names =
    "SELECT name FROM pg_prepared_statements WHERE from_sql ORDER BY name";

} // namespace

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: EXECUTE finds its statement")
{
    CHECK(client.query("PREPARE p (int) AS SELECT $1 + 1").text() == "PREPARE");
    CHECK(everywhere(client, "EXECUTE p(41)") == "42");
    CHECK(everywhere(client, own_names) == "p");
    CHECK(everywhere(other, "EXECUTE p(41)") == "ERROR 26000");
    CHECK(everywhere(other, own_names) == "");
    CHECK(everywhere(client, "EXECUTE p(1)") == "2");
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: one name is two statements for two clients"
)
{
    client.query("PREPARE p AS SELECT 'mine'");
    CHECK(other.query("PREPARE p AS SELECT 'yours'").text() == "PREPARE");
    for (int i = 0; i < 2; ++i) {
        CHECK(everywhere(client, "EXECUTE p") == "mine");
        CHECK(everywhere(other, "EXECUTE p") == "yours");
    }
    CHECK(client.query("PREPARE p AS SELECT 'again'").text() == "ERROR 42P05");
    CHECK(everywhere(client, "EXECUTE p") == "mine");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: DEALLOCATE is for good")
{
    client.query("PREPARE p AS SELECT 'p'");
    client.query("PREPARE q AS SELECT 'q'");
    CHECK(client.query("DEALLOCATE p").text() == "DEALLOCATE");
    CHECK(everywhere(client, "EXECUTE p") == "ERROR 26000");
    CHECK(everywhere(client, "EXECUTE q") == "q");
    CHECK(client.query("PREPARE p AS SELECT 'new'").text() == "PREPARE");
    CHECK(everywhere(client, "EXECUTE p") == "new");
    CHECK(client.query("DEALLOCATE ALL").text() == "DEALLOCATE ALL");
    CHECK(everywhere(client, own_names) == "");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: a ROLLBACK does not take it back")
{
    client.query("BEGIN");
    client.query("PREPARE p AS SELECT 'p'");
    client.query("ROLLBACK");
    CHECK(everywhere(client, "EXECUTE p") == "p");
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: one of many statements is prepared alone"
)
{
    CHECK(
        texts(client.query_all("SELECT 1; PREPARE \"P q\" AS SELECT ';'; SET work_mem = '7MB'"))
        == "1 / PREPARE / SET"
    );
    client.query("SET work_mem = '9MB'");
    CHECK(everywhere(client, "EXECUTE \"P q\"") == ";");
    CHECK(everywhere(client, "SHOW work_mem") == "9MB"); // nothing was said twice
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: a statement may set when it is run")
{
    client.query("PREPARE p AS SELECT set_config('work_mem', $1, false)");
    CHECK(everywhere(client, "SHOW work_mem") == "4MB");
    CHECK(client.query("EXECUTE p('7MB')").text() == "7MB");
    CHECK(everywhere(client, "SHOW work_mem") == "7MB");
    CHECK(everywhere(other, "SHOW work_mem") == "4MB");
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: one whose table is gone does not stop the others"
)
{
    client.query("CREATE TABLE state_gone (i int)");
    client.query("PREPARE a AS SELECT i FROM state_gone");
    client.query("PREPARE b AS SELECT 'b'");
    CHECK(everywhere(client, "EXECUTE b") == "b");
    client.query("DROP TABLE state_gone");
    CHECK(everywhere(client, "EXECUTE b") == "b");
    CHECK(everywhere(client, "SELECT 1") == "1");
    CHECK(client.query("EXECUTE a").is_error());
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: one made out of sight is found")
{
    client.query("DO $$ BEGIN EXECUTE 'PREPARE hidden AS SELECT 42'; END $$");
    CHECK(everywhere(client, "EXECUTE hidden") == "42");
    CHECK(everywhere(other, "EXECUTE hidden") == "ERROR 26000");
}

TEST_CASE(
    "integration/session_prepared: one that is not understood keeps its server" * pooler_only()
)
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    CHECK(client.query("PREPARE U&\"\\0068idden\" AS SELECT 42").text() == "PREPARE");
    other.send("SELECT 'served'");
    other.flush();
    pgweir.wait_for_waiting(1);
    CHECK(client.query("EXECUTE hidden").text() == "42");
    CHECK_FALSE(other.has_result());
    CHECK(client.query("DEALLOCATE hidden").text() == "DEALLOCATE");
    CHECK(other.next_result().value().text() == "served");
}

TEST_CASE(
    "integration/session_prepared: one too long to be carried keeps its server" * pooler_only()
)
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    const std::string long_text(2'000'000, 'x');
    CHECK(client.query("PREPARE p AS SELECT length('" + long_text + "')").text() == "PREPARE");
    other.send("SELECT 'served'");
    other.flush();
    pgweir.wait_for_waiting(1);
    CHECK(client.query("EXECUTE p").text() == "2000000");
    CHECK_FALSE(other.has_result());
    CHECK(client.query("DEALLOCATE p").text() == "DEALLOCATE");
    CHECK(other.next_result().value().text() == "served");
}
