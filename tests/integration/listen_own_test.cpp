// Drivers know their own notifications by the process id that they were told at login.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

// What has come, without waiting.
std::string heard(Connection& client)
{
    std::string text;
    while (PGnotify* const news = PQnotifies(client.raw())) {
        const bool is_own = news->be_pid == PQbackendPID(client.raw());
        if (!text.empty()) text += ' ';
        text += std::string{is_own ? "own" : "other"} + '=' + news->extra;
        PQfreemem(news);
    }
    return text;
}

int next_sender(Connection& client)
{
    int sender = 0;
    wait_until(
        [&] {
            REQUIRE(PQconsumeInput(client.raw()) == 1);
            PGnotify* const news = PQnotifies(client.raw());
            if (news == nullptr) return false;
            sender = news->be_pid;
            PQfreemem(news);
            return true;
        },
        "a notification"
    );
    return sender;
}

void wait_for_listener(const Pgweir& pgweir)
{
    if (is_direct()) return;
    wait_until(
        [&] {
            if (metric(pgweir.metrics(), {"pgweir_listen_clients{"}) != 1) return false;
            return metric(pgweir.metrics(), {"pgweir_servers{", "\"active\""}) == 0;
        },
        "the listener listens, and nobody has a server"
    );
}

void notify(const std::string& payload) { postgres().sql("NOTIFY news, '" + payload + "'"); }

// Others' come before one's own.
void check_own(Connection& client, Connection& other)
{
    client.query("NOTIFY news, '1'");
    CHECK(heard(client) == "own=1");
    client.query("BEGIN");
    client.query("SELECT 1");
    notify("2");
    other.query("NOTIFY news, '3'");
    client.query("SELECT pg_notify('news', i::text) FROM generate_series(4, 5) AS i");
    client.query("COMMIT");
    CHECK(heard(client) == "other=2 other=3 own=4 own=5");
}

} // namespace

TEST_CASE("integration/listen_own: one's own is from the process that one knows, others' are not")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "3", "--workers", "1"}}};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    client.query("LISTEN news");
    wait_for_listener(pgweir);
    check_own(client, other);
    other.query("NOTIFY news, '1'"); // on the same server, a moment ago
    client.query("NOTIFY news, '2'");
    CHECK(heard(client) == "other=1 own=2");
    client.query("CREATE TEMP TABLE mine (i int)"); // it keeps its server
    client.query("NOTIFY news, '3'");
    CHECK(heard(client) == "own=3");
}

TEST_CASE("integration/listen_own: others' are from the processes that they take their servers for")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "3", "--workers", "2"}}};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    client.query("LISTEN news");
    wait_for_listener(pgweir);
    const auto check_sender = [&] { CHECK(next_sender(client) == PQbackendPID(other.raw())); };
    other.query("NOTIFY news, '1'");
    check_sender();
    other.query_params("SELECT pg_notify('news', $1)", {"2"});
    check_sender();
    other.query("BEGIN");
    other.query("NOTIFY news, '3'");
    other.query("COMMIT");
    check_sender();
    client.query("CREATE TEMP TABLE mine (i int)"); // it keeps its server
    other.query("NOTIFY news, '4'");
    check_sender();
    client.query("BEGIN");
    other.query("NOTIFY news, '5'");
    client.query("COMMIT");
    check_sender();
}

TEST_CASE("integration/listen_own: nor is it another's when no listener tells it")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection client = pgweir.connect();
    client.query("LISTEN news");
    client.query("NOTIFY news, '1'");
    CHECK(heard(client) == "own=1");
    client.query("BEGIN");
    client.query("SELECT 1");
    notify("2");
    client.query("NOTIFY news, '3'");
    client.query("COMMIT");
    CHECK(heard(client) == "other=2 own=3");
}

TEST_CASE("integration/listen_own: what was notified before a query is told before its end")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "3", "--workers", "2"}}};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    client.query("LISTEN news");
    wait_for_listener(pgweir);
    postgres().sql("DROP TABLE IF EXISTS told");
    postgres().sql("CREATE TABLE told (i int)");
    postgres().sql("GRANT ALL ON told TO PUBLIC");
    postgres().sql("CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN PERFORM pg_notify('news', NEW.i::text); RETURN NEW; END $$");
    postgres().sql("CREATE TRIGGER tell AFTER INSERT ON told FOR EACH ROW EXECUTE FUNCTION tell()");
    for (int i = 0; i < 50; ++i) {
        const std::string payload = std::to_string(i);
        const std::string expected = "other=" + payload;
        other.query("NOTIFY news, '" + payload + "'");
        client.query("SELECT 1");
        CHECK(heard(client) == expected);
        other.query("INSERT INTO told VALUES (" + payload + ")");
        client.query_params("SELECT 1", {});
        CHECK(heard(client) == expected);
        client.query(begin_at_once);
        notify(payload);
        client.query("SELECT 1");
        CHECK(heard(client).empty());
        client.query("COMMIT");
        CHECK(heard(client) == expected);
    }
    postgres().sql("DROP TABLE told");
    postgres().sql("DROP FUNCTION tell");
}
