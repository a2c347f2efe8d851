#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

Start in_mode(const std::string& mode, const std::string& size = "1")
{
    return {.flags = {"--pool-size", size, "--pool-mode", mode}};
}

} // namespace

TEST_CASE(
    "integration/pool_modes: in transaction mode a server serves one client after the other"
    * pooler_only()
)
{
    const Pgweir pgweir{in_mode("transaction")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.backend_pid() == second.backend_pid());
}

TEST_CASE(
    "integration/pool_modes: in session mode a client keeps its server until it leaves"
    * pooler_only()
)
{
    const Pgweir pgweir{in_mode("session")};
    int server = 0;
    Connection second = pgweir.connect("application_name=second");
    {
        Connection first = pgweir.connect();
        server = first.backend_pid();
        second.send("SELECT pg_backend_pid()");
        second.flush();
        pgweir.wait_for_waiting(1);
        for (int i = 0; i < 5; ++i) CHECK(first.backend_pid() == server);
        CHECK_FALSE(second.has_result());
    }
    CHECK(second.next_result().value().text() == std::to_string(server));
}

TEST_CASE(
    "integration/pool_modes: the state of a session is gone before the next one" * pooler_only()
)
{
    const Pgweir pgweir{in_mode("session")};
    int server = 0;
    {
        Connection first = pgweir.connect();
        server = first.backend_pid();
        first.query("SET work_mem = '7MB'");
        first.query("CREATE TEMP TABLE left_behind (i int)");
        first.query("PREPARE left_behind AS SELECT 1");
        first.query("SELECT pg_advisory_lock(42)");
        CHECK(first.query("SHOW work_mem").text() == "7MB");
    }
    Connection next = pgweir.connect();
    CHECK(next.backend_pid() == server);
    CHECK(next.query("SHOW work_mem").text() != "7MB");
    CHECK(next.query("SELECT to_regclass('left_behind')").text() == "NULL");
    CHECK(next.query("EXECUTE left_behind").text() == "ERROR 26000");
    CHECK(next.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").text() == "0");
}

TEST_CASE(
    "integration/pool_modes: what SQL has prepared is not in the way of the next client"
    * pooler_only()
)
{
    // As pg_dump does, which names its statements alike each time.
    const Pgweir pgweir{in_mode("transaction")};
    for (int run = 0; run < 3; ++run) {
        Connection client = pgweir.connect();
        client.query("BEGIN");
        CHECK(client.query("PREPARE one AS SELECT 'one'").text() == "PREPARE");
        CHECK(client.query("EXECUTE one").text() == "one");
        client.query("COMMIT");
        CHECK(client.query("SELECT count(*) FROM pg_listening_channels()").text() == "0");
        client.query("LISTEN news");
    }
}

TEST_CASE("integration/pool_modes: in session mode everything of a session works")
{
    const Pgweir pgweir{in_mode("session", "2")};
    Connection client = pgweir.connect();
    CHECK(client.query("CREATE TEMP TABLE mine (i int)").text() == "CREATE TABLE");
    CHECK(client.query("INSERT INTO mine VALUES (1), (2)").text() == "INSERT 0 2");
    CHECK(client.query("PREPARE q AS SELECT sum(i) FROM mine").text() == "PREPARE");
    CHECK(client.query("EXECUTE q").text() == "3");
    CHECK(client.prepare("p", "SELECT count(*) FROM mine").text().empty());
    CHECK(client.execute("p").text() == "2");
    CHECK(client.query("SET search_path = pg_temp").text() == "SET");
    CHECK(client.query("SHOW search_path").text() == "pg_temp");
}

TEST_CASE(
    "integration/pool_modes: in statement mode a transaction block is refused" * pooler_only()
)
{
    const Pgweir pgweir{in_mode("statement")};
    Connection other = pgweir.connect();
    {
        Connection client = pgweir.connect();
        CHECK(client.query("SELECT 1").text() == "1");
        const Result refused = client.query("BEGIN");
        CHECK(refused.is_error());
        CAPTURE(refused.message());
        CHECK(refused.message().find("statement") != std::string::npos);
        CHECK(other.query("SELECT 2").text() == "2");
    }
    CHECK(
        postgres().sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app_scram' "
                       "AND state LIKE 'idle in transaction%'")
        == "0"
    );
}

TEST_CASE(
    "integration/pool_modes: in statement mode single statements of many clients mix"
    * pooler_only()
)
{
    const Pgweir pgweir{in_mode("statement")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    for (int i = 0; i < 20; ++i) {
        CHECK(first.query("SELECT 1").text() == "1");
        CHECK(second.query_params("SELECT $1::int", {"2"}).text() == "2");
    }
    CHECK(first.backend_pid() == second.backend_pid());
}

TEST_CASE(
    "integration/pool_modes: a database and a user may have a mode of their own" * pooler_only()
)
{
    const std::string url = "\"postgresql://127.0.0.1:" + std::to_string(postgres().port())
                            + "/app\"\n";
    const Pgweir pgweir{{
        .upstream = "-",
        .toml =
            "admin_users = [\"app_scram\"]\n[pool]\nsize = 1\n[databases.app]\nupstream = " + url
            + "[databases.kept]\nupstream = " + url + "[databases.kept.pool]\nmode = \"session\"\n"
            + "[users.app_scram]\npassword = \"secret\"\n"
            + "[users.app_md5]\npassword = \"secret\"\n[users.app_md5.pool]\nmode = \"session\"\n",
    }};
    const auto mode_of = [&](const std::string& database, const std::string& user) {
        Connection admin = pgweir.console();
        Connection client = pgweir.connect("user=" + user + " dbname=" + database);
        client.query("SELECT 1");
        const Result pools = admin.query("SHOW POOLS");
        for (int row = 0; row < pools.row_count(); ++row) {
            const bool is_meant = pools.value(row, "database") == database
                                  && pools.value(row, "user") == user;
            if (is_meant) return pools.value(row, "pool_mode");
        }
        return std::string{"no such pool"};
    };
    CHECK(mode_of("app", "app_scram") == "transaction");
    CHECK(mode_of("kept", "app_scram") == "session");
    CHECK(mode_of("app", "app_md5") == "session");
}
