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

// By both protocols; and what came in between is not changed by it.
const std::string view = "SELECT coalesce(string_agg(concat_ws(' ', name, parameter_types, "
                         "from_sql), ', ' ORDER BY prepare_time), 'none') "
                         "FROM pg_prepared_statements";

std::string seen(Connection& client)
{
    const std::string simple = client.query(view).text();
    const std::string extended = client.query_params(view, {}).text();
    return simple == extended ? simple : simple + " / " + extended;
}

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

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: a client is shown its own, by its own names"
)
{
    CHECK(client.prepare("z", "SELECT $1::int").text().empty());
    CHECK(client.prepare("a b", "SELECT 'a b'").text().empty());
    CHECK(client.query("PREPARE m (text) AS SELECT $1").text() == "PREPARE");
    CHECK(other.prepare("z", "SELECT $1::date").text().empty());
    for (int i = 0; i < 2; ++i) {
        CHECK(everywhere(client, own_names) == "m");
        CHECK(everywhere(other, own_names) == "");
        CHECK(seen(other) == "z {date} f");
        CHECK(other.execute("z", {"2000-01-01"}).text() == "2000-01-01");
        CHECK(client.execute("z", {"7"}).text() == "7");
        CHECK(client.execute("a b").text() == "a b");
    }
    const std::string sorted = "SELECT string_agg(name, ', ' ORDER BY name) "
                               "FROM PG_Prepared_Statements";
    CHECK(everywhere(client, sorted) == "a b, m, z");
    CHECK(client.query("DEALLOCATE \"a b\"").text() == "DEALLOCATE");
    CHECK(client.query("DEALLOCATE m").text() == "DEALLOCATE");
    CHECK(seen(client) == "z {integer} f");
    CHECK(other.query("DISCARD ALL").text() == "DISCARD ALL");
    CHECK(seen(other) == "none");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: in the order in which they were made")
{
    std::string expected;
    for (const char name : std::string{"qwertyuiop"}) {
        client.prepare(std::string{name}, std::string{"SELECT '"} + name + "'");
        expected += (expected.empty() ? "" : ", ") + std::string{name} + " {} f";
    }
    CHECK(seen(client) == expected);
    CHECK(everywhere(client, view) == expected);
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: in a transaction, and in none that failed"
)
{
    client.prepare("s", "SELECT 1");
    client.query("BEGIN");
    CHECK(seen(client) == "s {} f");
    client.query("CREATE TEMP TABLE mine ON COMMIT DROP AS SELECT 5 AS i");
    CHECK(client.prepare("t", "SELECT i FROM mine").text().empty());
    CHECK(seen(client) == "s {} f, t {} f");
    CHECK(client.execute("t").text() == "5");
    client.query("COMMIT");
    if (!is_direct()) CHECK(seen(client) == "s {} f"); // PostgreSQL shows it, though it fails
    client.query("BEGIN");
    if (!is_direct()) CHECK(seen(client) == "s {} f");
    CHECK(client.query("SELECT 'goes on'").text() == "goes on");
    CHECK(client.query("SELECT 1/0").text() == "ERROR 22012");
    CHECK(seen(client) == "ERROR 25P02");
    client.query("ROLLBACK");
    CHECK(client.execute("s").text() == "1");
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: ended and read in one query, it is shown no other's"
)
{
    // Both on the one that is left.
    const Connection held = hold(client.backend_pid());
    CHECK(client.query("PREPARE m AS SELECT 1").text() == "PREPARE");
    CHECK(other.prepare("o", "SELECT 1").text().empty());
    client.query("BEGIN");
    CHECK(client.query("SELECT 1/0").text() == "ERROR 22012");
    CHECK(client.query("ROLLBACK; " + view).text() == "m {} t");
    CHECK(other.execute("o").text() == "1");
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: a statement that reads sees itself")
{
    CHECK(client.prepare("v", view).text().empty());
    CHECK(client.prepare("s", "SELECT 1").text().empty());
    CHECK(other.prepare("v", view).text().empty());
    for (int i = 0; i < 2; ++i) {
        CHECK(client.execute("v").text() == "v {} f, s {} f");
        CHECK(other.execute("v").text() == "v {} f");
        CHECK(other.query("EXECUTE v").text() == "v {} f");
    }
    other.query(begin_at_once); // on the server of the moment
    CHECK(client.execute("v").text() == "v {} f, s {} f");
    CHECK(
        client.query("PREPARE w AS SELECT count(*) FROM pg_prepared_statements").text() == "PREPARE"
    );
    CHECK(client.query("EXECUTE w").text() == "3");
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: a statement that reads sees itself at once"
)
{
    const std::string prepare = "PREPARE w AS SELECT count(*) FROM pg_prepared_statements";
    CHECK(client.prepare("s", "SELECT 1").text().empty());
    client.query("BEGIN");
    CHECK(client.query(prepare).text() == "PREPARE");
    CHECK(client.query("EXECUTE w").text() == "2");
    client.query("COMMIT");
    CHECK(client.query("DEALLOCATE w").text() == "DEALLOCATE");
    client.enter_pipeline();
    client.send_params(prepare, {});
    client.send_params("EXECUTE w", {});
    CHECK(client.sync_and_read() == "PREPARE / 2 / sync");
    client.exit_pipeline();
}

TEST_CASE_FIXTURE(TwoClients, "integration/session_prepared: in a pipeline it grows as it goes on")
{
    const std::string count = "SELECT count(*) FROM pg_prepared_statements";
    CHECK(client.prepare("s", "SELECT 1").text().empty());
    CHECK(other.prepare("x", "SELECT 2").text().empty());
    client.enter_pipeline();
    client.send_execute("s");
    client.send_params(count, {});
    client.send_prepare("c", count);
    client.send_params(count, {});
    client.send_execute("c");
    client.send_prepare("t", "SELECT 3");
    client.send_execute("c");
    client.send_execute("t");
    client.send_params("DEALLOCATE s", {});
    client.send_execute("c");
    CHECK(client.sync_and_read() == "1 / 1 /  / 2 / 2 /  / 3 / 3 / DEALLOCATE / 2 / sync");
    client.send_execute("c");
    client.send_execute("t");
    CHECK(client.sync_and_read() == "2 / 3 / sync");
    client.exit_pipeline();
    CHECK(client.execute("s").text() == "ERROR 26000");
    CHECK(other.execute("x").text() == "2");
    CHECK(other.query(count).text() == "1");
}

TEST_CASE_FIXTURE(
    TwoClients, "integration/session_prepared: rows of the view go wherever a query's may"
)
{
    client.prepare("s", "SELECT 1");
    other.prepare("x", "SELECT 2");
    client.query("CREATE TABLE state_names (name text)");
    CHECK(
        client.query("INSERT INTO state_names SELECT name FROM pg_prepared_statements").text()
        == "INSERT 0 1"
    );
    CHECK(client.query("SELECT name FROM state_names").text() == "s");
    CHECK(
        client.query("WITH p AS (TABLE pg_prepared_statements) SELECT name FROM p").text() == "s"
    );
    client.query("DROP TABLE state_names");
}
