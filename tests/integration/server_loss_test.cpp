#include "support/daemon.hpp"
#include "support/fake_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

Start sized(const std::string& size)
{
    return {
        .flags = {"--pool-size", size, "--set", "pool.server_login_retry=100ms"},
    };
}

void terminate(int pid)
{
    const std::string number = std::to_string(pid);
    postgres().sql("SELECT pg_terminate_backend(" + number + ")");
    wait_until(
        [&] {
            return postgres().sql("SELECT count(*) FROM pg_stat_activity WHERE pid = " + number)
                   == "0";
        },
        "the server process is gone"
    );
}

void wait_for_sleep(int pid)
{
    const std::string running =
        "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid = "
        + std::to_string(pid);
    wait_until([&] { return postgres().sql(running) == "SELECT pg_sleep(60)"; }, "the query runs");
}

} // namespace

TEST_CASE(
    "integration/server_loss: an idle server that dies is replaced and nobody notices"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    for (int i = 0; i < 5; ++i) {
        terminate(client.backend_pid());
        CHECK(client.query("SELECT 'fine'").text() == "fine");
    }
}

TEST_CASE("integration/server_loss: a prepared statement survives its server" * pooler_only())
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT 'still here'");
    terminate(client.backend_pid());
    CHECK(client.execute("s").text() == "still here");
}

TEST_CASE("integration/server_loss: who is in the middle of a query is told why")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    const int server = client.backend_pid();
    client.send("SELECT pg_sleep(60)");
    client.flush();
    wait_for_sleep(server);
    terminate(server);
    const Result result = client.next_result().value();
    // PostgreSQL's own last word, or ours when it had none.
    CHECK((result.sqlstate() == "57P01" || result.sqlstate() == "08006"));
    CHECK(pgweir.connect().query("SELECT 'next'").text() == "next");
}

TEST_CASE("integration/server_loss: who is idle in a transaction is not lied to")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    terminate(client.backend_pid());
    // Whatever is said, a COMMIT must not seem to have happened.
    std::string outcome = "lost";
    if (!client.is_lost()) outcome = client.query("COMMIT").text();
    CAPTURE(outcome);
    CHECK((outcome == "lost" || outcome.starts_with("ERROR")));
    CHECK(pgweir.connect().query("SELECT 'next'").text() == "next");
}

TEST_CASE(
    "integration/server_loss: who is in the middle of a query loses that, and not his session"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK_FALSE(client.query("SET work_mem = '7MB'").is_error());
    client.prepare("s", "SELECT 'prepared'");
    for (const bool is_extended : {false, true}) {
        CAPTURE(is_extended);
        const int running = client.backend_pid();
        is_extended ? client.send_params("SELECT pg_sleep(60)", {})
                    : client.send("SELECT pg_sleep(60)");
        client.flush();
        wait_for_sleep(running);
        terminate(running);
        const std::string error = client.next_result().value().sqlstate();
        CHECK((error == "57P01" || error == "08006"));
        CHECK_FALSE(client.next_result());
        CHECK(client.query("SHOW work_mem").text() == "7MB");
        CHECK(client.execute("s").text() == "prepared");
    }
}

TEST_CASE(
    "integration/server_loss: a transaction that is lost has failed, and its client ends it"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    for (const std::string end : {"COMMIT", "ROLLBACK"}) {
        CAPTURE(end);
        REQUIRE_FALSE(client.query("BEGIN").is_error());
        terminate(client.backend_pid());
        const std::string error = client.query("SELECT 1").sqlstate();
        CHECK((error == "57P01" || error == "08006"));
        CHECK(client.transaction_status() == PQTRANS_INERROR);
        CHECK(client.query("SELECT 1").sqlstate() == "25P02");
        CHECK(client.query(end).text() == "ROLLBACK");
        CHECK(client.query("SELECT 'next'").text() == "next");
    }
}

TEST_CASE(
    "integration/server_loss: what was lost while nobody looked is told, unless it is given up"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    REQUIRE_FALSE(client.query("BEGIN").is_error());
    terminate(client.backend_pid());
    CHECK(client.query("COMMIT").is_error());
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK");

    REQUIRE_FALSE(client.query("BEGIN").is_error());
    terminate(client.backend_pid());
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
    CHECK(client.query("SELECT 'next'").text() == "next");
}

TEST_CASE(
    "integration/server_loss: who had something there that no other has is sent away"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    REQUIRE_FALSE(client.query("CREATE TEMP TABLE mine (i int)").is_error());
    terminate(client.backend_pid());
    CHECK(client.query("SELECT 1").is_error());
    CHECK(client.is_lost());
}

TEST_CASE("integration/server_loss: clients outlive a restart of PostgreSQL" * pooler_only())
{
    const Pgweir pgweir{sized("2")};
    std::vector<Connection> clients;
    for (int i = 0; i < 5; ++i) {
        clients.push_back(pgweir.connect());
        CHECK(clients.back().query("SELECT 1").text() == "1");
    }
    postgres().restart();
    for (Connection& client : clients) {
        wait_until([&] { return client.query("SELECT 2").text() == "2"; }, "served again");
    }
    CHECK(postgres().server_count("app_scram") <= 2);
}

TEST_CASE("integration/server_loss: while PostgreSQL is down, clients are told so" * pooler_only())
{
    const Pgweir pgweir{{
        .flags =
            {"--pool-size",
             "1",
             "--set",
             "pool.query_wait_timeout=500ms",
             "--set",
             "pool.server_login_retry=100ms"},
    }};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    postgres().stop();
    const std::string error = client.query("SELECT 2").sqlstate();
    CHECK(http_get(pgweir.http(), "/healthz").status == 200);
    postgres().start();

    CAPTURE(error);
    CHECK((error == "08006" || error == "57P03" || error == "53300"));
    CHECK(client.is_lost() == false);
    wait_until([&] { return client.query("SELECT 3").text() == "3"; }, "served again");
}

TEST_CASE(
    "integration/server_loss: who begins while PostgreSQL is down waits for it" * pooler_only()
)
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    for (Connection* each : {&client, &other}) CHECK(each->query("SELECT 1").text() == "1");
    postgres().stop();
    for (Connection* each : {&client, &other}) {
        each->send("SELECT 'back'");
        each->flush();
    }
    pgweir.wait_for_waiting(2);
    postgres().start();
    CHECK(client.only_result().text() == "back");
    CHECK(other.only_result().text() == "back");
}

TEST_CASE("integration/server_loss: … unless failover_wait says not to" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1", "--set", "pool.failover_wait=0"}}};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    postgres().stop();
    CHECK(client.query("SELECT 2").sqlstate() == "08006");
    CHECK(client.is_lost() == false);
    postgres().start();
    wait_until([&] { return client.query("SELECT 3").text() == "3"; }, "served again");
}

TEST_CASE(
    "integration/server_loss: … and then says at once why, in PostgreSQL's own words"
    * pooler_only()
)
{
    std::atomic<bool> is_up = true;
    FakeServer server{[&](Stream& stream) {
        if (!is_up) return refuse_login(stream, "57P03", "the database system is starting up");
        accept_login(stream);
        while (is_up) {
            const Message message = read_message(stream);
            if (message.type == 'X') return;
            if (message.body.starts_with("stop")) {
                is_up = false;
            } else if (message.type == 'Q') {
                stream.write(polite_answer());
            }
        }
    }};
    Start start = in_front_of(server);
    start.flags.insert(start.flags.end(), {"--set", "pool.failover_wait=0"});
    const Pgweir pgweir{start};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    Connection last = pgweir.connect();
    last.send("stop");
    last.flush();
    CHECK(last.next_result().value().sqlstate() == "08006");
    const Deadline deadline{std::chrono::seconds{10}};
    for (int i = 0; i < 50; ++i) {
        const Result refused = client.query("SELECT 2");
        CHECK(refused.sqlstate() == "57P03");
        CHECK(refused.message() == "the database system is starting up");
    }
    CHECK_FALSE(deadline.passed());
    CHECK(server.connection_count() < 40); // they are paced
    is_up = true;
    wait_until([&] { return client.query("SELECT 3").text() == "1"; }, "served again");
}

TEST_CASE(
    "integration/server_loss: a machine that stops answering does not stop the others"
    * pooler_only()
)
{
    const Pgweir pgweir{{
        .flags =
            {"--pool-size",
             "1",
             "--set",
             "pool.query_timeout=500ms",
             "--set",
             "pool.cancel_wait_timeout=500ms"},
    }};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    std::string error;
    {
        const Freeze freeze;
        error = client.query("SELECT 2").text(); // the cancel is not answered either
        CHECK(http_get(pgweir.http(), "/healthz").status == 200);
    }
    CAPTURE(error);
    CHECK(error.starts_with("ERROR"));
    wait_until([&] { return pgweir.connect().query("SELECT 3").text() == "3"; }, "served again");
}
