#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

Start with(const std::string& setting, const std::string& size = "1")
{
    return {.flags = {"--pool-size", size, "--set", setting}};
}

} // namespace

TEST_CASE(
    "integration/timeouts: query_timeout is 57014, and both connections live on" * pooler_only()
)
{
    const Pgweir pgweir{with("pool.query_timeout=300ms")};
    Connection client = pgweir.connect();
    const int server = client.backend_pid();
    const Result late = client.query("SELECT pg_sleep(60)");
    CHECK(late.sqlstate() == "57014");
    CHECK(late.field(PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR");
    CHECK(client.query("SELECT 'quick'").text() == "quick");
    CHECK(client.backend_pid() == server);
}

TEST_CASE(
    "integration/timeouts: query_timeout inside a transaction fails it as any error would"
    * pooler_only()
)
{
    const Pgweir pgweir{with("pool.query_timeout=300ms")};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    CHECK(client.query("SELECT pg_sleep(60)").text() == "ERROR 57014");
    CHECK(client.query("SELECT 1").text() == "ERROR 25P02");
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
    CHECK(client.query("SELECT 1").text() == "1");
}

TEST_CASE(
    "integration/timeouts: query_timeout counts each query, not the transaction" * pooler_only()
)
{
    const Pgweir pgweir{with("pool.query_timeout=1s")};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    for (int i = 0; i < 4; ++i) CHECK(client.query("SELECT 1 FROM pg_sleep(0.4)").text() == "1");
    CHECK(client.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/timeouts: query_timeout applies in a pipeline too" * pooler_only())
{
    const Pgweir pgweir{with("pool.query_timeout=300ms")};
    Connection client = pgweir.connect();
    client.enter_pipeline();
    for (const std::string sql : {"SELECT 1", "SELECT pg_sleep(60)", "SELECT 3"}) {
        client.send_params(sql, {});
    }
    CHECK(client.sync_and_read() == "1 / ERROR 57014 / aborted / sync");
    client.send_params("SELECT 4", {});
    CHECK(client.sync_and_read() == "4 / sync");
}

TEST_CASE(
    "integration/timeouts: transaction_timeout is 57014, and both connections live on"
    * pooler_only()
)
{
    const Pgweir pgweir{with("pool.transaction_timeout=500ms")};
    Connection client = pgweir.connect();
    const int server = client.backend_pid();
    client.query("BEGIN");
    CHECK(client.query("SELECT pg_sleep(60)").text() == "ERROR 57014");
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
    CHECK(client.query("SELECT 'after'").text() == "after");
    CHECK(client.backend_pid() == server);
}

TEST_CASE(
    "integration/timeouts: idle_transaction_timeout is 25P03, and the server is kept"
    * pooler_only()
)
{
    const Pgweir pgweir{with("pool.idle_transaction_timeout=300ms")};
    Connection client = pgweir.connect();
    const int server = client.backend_pid();
    client.query("BEGIN");
    CHECK(client.query("SELECT 1 FROM pg_sleep(0.8)").text() == "1"); // busy is not idle
    const std::string words = client.last_words();
    CAPTURE(words);
    CHECK(words.starts_with("25P03 "));

    Connection next = pgweir.connect();
    CHECK(next.backend_pid() == server);
    CHECK(next.transaction_status() == PQTRANS_IDLE);
}

TEST_CASE("integration/timeouts: client_idle_timeout is 57P05" * pooler_only())
{
    const Pgweir pgweir{with("pool.client_idle_timeout=300ms")};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1 FROM pg_sleep(0.8)").text() == "1"); // busy is not idle
    const std::string words = client.last_words();
    CAPTURE(words);
    CHECK(words.starts_with("57P05 "));
}

TEST_CASE(
    "integration/timeouts: query_wait_timeout is 53300, and the client may try again"
    * pooler_only()
)
{
    const Pgweir pgweir{with("pool.query_wait_timeout=300ms")};
    Connection holder = pgweir.connect();
    Connection client = pgweir.connect();
    holder.query(begin_at_once);

    const Result late = client.query("SELECT 1");
    CHECK(late.sqlstate() == "53300");
    CHECK_FALSE(late.field(PG_DIAG_MESSAGE_DETAIL).empty());
    CHECK(client.query_params("SELECT 1", {}).sqlstate() == "53300");

    holder.query("COMMIT");
    CHECK(client.query("SELECT 'served'").text() == "served");
}

TEST_CASE(
    "integration/timeouts: more than max_waiting is refused at once with 53300" * pooler_only()
)
{
    // query_wait_timeout stays at its 15 s: only a refusal at once is quick enough here.
    const Pgweir pgweir{with("pool.max_waiting=1")};
    Connection holder = pgweir.connect();
    Connection waiting = pgweir.connect();
    Connection refused = pgweir.connect();
    holder.query(begin_at_once);
    waiting.send("SELECT 'waited'");
    waiting.flush();
    pgweir.wait_for_waiting(1);

    const auto before = Clock::now();
    CHECK(refused.query("SELECT 1").sqlstate() == "53300");
    CHECK(Clock::now() - before < std::chrono::seconds{10});
    holder.query("COMMIT");
    CHECK(waiting.next_result().value().text() == "waited");
    CHECK(refused.query("SELECT 'later'").text() == "later");
}

TEST_CASE("integration/timeouts: a user may have limits of its own" * pooler_only())
{
    const std::string url = "\"postgresql://127.0.0.1:" + std::to_string(postgres().port())
                            + "/app\"\n";
    const Pgweir pgweir{{
        .upstream = "-",
        .toml = "[databases.app]\nupstream = " + url
                + "[users.app_scram]\npassword = \"secret\"\n[users.app_scram.pool]\n"
                  "query_timeout = \"300ms\"\n[users.app_md5]\npassword = \"secret\"\n",
    }};
    Connection hurried = pgweir.connect();
    Connection patient = pgweir.connect("user=app_md5");
    CHECK(hurried.query("SELECT 1 FROM pg_sleep(30)").text() == "ERROR 57014");
    CHECK(patient.query("SELECT 1 FROM pg_sleep(0.8)").text() == "1");
}

TEST_CASE("integration/timeouts: one client more than max_client_conn is 53300" * pooler_only())
{
    const Pgweir pgweir{with("max_client_conn=2")};
    Connection first = pgweir.connect();
    {
        const Connection second = pgweir.connect();
        const std::string error = login_error(pgweir.conninfo());
        CAPTURE(error);
        CHECK(error.starts_with("53300 "));
        CHECK(first.query("SELECT 1").text() == "1");
    }
    wait_until([&] { return login_error(pgweir.conninfo()).empty(); }, "there is room again");
}

TEST_CASE(
    "integration/timeouts: cancels pass when there is no room for another client" * pooler_only()
)
{
    const Pgweir pgweir{with("max_client_conn=1")};
    Connection client = pgweir.connect();
    client.send("SELECT pg_sleep(60)");
    client.flush();
    postgres().wait_for_sleepers(1);
    CHECK(client.cancel().empty());
    CHECK(client.next_result().value().text() == "ERROR 57014");
}
