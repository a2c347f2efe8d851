// What cannot be carried to another server keeps the one that has it; and nobody inherits it.
#include "support/catalog_lock.hpp"
#include "support/two_servers.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <string>

using namespace pgweir::test;

namespace {

struct OneServer {
    explicit OneServer(const std::vector<std::string>& flags = {}) : pgweir{start(flags)} {}

    static Start start(const std::vector<std::string>& flags)
    {
        Start start{.flags = {"--pool-size", "1", "--workers", "1"}};
        start.flags.insert(start.flags.end(), flags.begin(), flags.end());
        return start;
    }

    Pgweir pgweir;
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();

    void other_waits()
    {
        other.send("SELECT 'served'");
        other.flush();
        pgweir.wait_for_waiting(1);
    }
};

struct Kept {
    std::string begin;
    std::string use;
    std::string answer;
    std::string end;
};

const std::array all_kept{
    Kept{
        "CREATE TEMP TABLE mine AS SELECT 7 AS i",
        "SELECT i FROM mine",
        "7",
        "DROP TABLE mine",
    },
    Kept{"SELECT 7 AS i INTO TEMP mine", "SELECT i FROM mine", "7", "DISCARD TEMP"},
    Kept{"CREATE TEMP VIEW mine AS SELECT 7", "SELECT * FROM mine", "7", "DROP VIEW mine"},
    Kept{
        "DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 7",
        "FETCH FIRST FROM c",
        "7",
        "CLOSE c",
    },
    Kept{
        "SELECT pg_advisory_lock(4711)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        "1",
        "SELECT pg_advisory_unlock(4711)",
    },
    Kept{
        "SELECT pg_try_advisory_lock_shared(4711)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        "1",
        "SELECT pg_advisory_unlock_all()",
    },
    Kept{"LISTEN news", "SELECT pg_listening_channels()", "news", "UNLISTEN news"},
    Kept{"LISTEN news", "SELECT pg_listening_channels()", "news", "UNLISTEN *"},
    Kept{"CREATE TEMP TABLE mine (i int)", "SELECT count(*) FROM mine", "0", "DISCARD ALL"},
};

} // namespace

TEST_CASE(
    "integration/session_pins: a client keeps its server as long as that has something of its own"
    * pooler_only()
)
{
    for (const Kept& kept : all_kept) {
        CAPTURE(kept.begin);
        OneServer one;
        CHECK_FALSE(one.client.query(kept.begin).is_error());
        one.other_waits();
        for (int i = 0; i < 3; ++i) {
            CHECK(one.client.query(kept.use).text() == kept.answer);
            CHECK_FALSE(one.other.has_result());
        }
        CHECK_FALSE(one.client.query(kept.end).is_error());
        CHECK(one.other.next_result().value().text() == "served");
    }
}

TEST_CASE("integration/session_pins: what was rolled back keeps nobody" * pooler_only())
{
    for (const Kept& kept : all_kept) {
        if (kept.begin.find("advisory") != std::string::npos) continue; // ROLLBACK does not end it
        CAPTURE(kept.begin);
        OneServer one;
        one.client.query("BEGIN");
        CHECK_FALSE(one.client.query(kept.begin).is_error());
        one.client.query("ROLLBACK");
        CHECK(one.other.query("SELECT 'served'").text() == "served");
        CHECK(metric(one.pgweir.metrics(), {"pgweir_pins_total"}) == 0);
    }
}

TEST_CASE("integration/session_pins: an end that is rolled back is none" * pooler_only())
{
    OneServer one;
    one.client.query("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    one.client.query("BEGIN");
    one.client.query("DROP TABLE mine");
    one.client.query("ROLLBACK");
    one.other_waits();
    CHECK(one.client.query("SELECT i FROM mine").text() == "7");
    CHECK_FALSE(one.other.has_result());
    one.client.query("DROP TABLE mine");
    CHECK(one.other.next_result().value().text() == "served");
}

TEST_CASE("integration/session_pins: who has nothing shares the other servers" * pooler_only())
{
    const TwoServers servers;
    Connection client = servers.connect();
    Connection first = servers.connect();
    Connection second = servers.connect();
    client.query("CREATE TEMP TABLE mine AS SELECT 7 AS i");
    const int kept = client.backend_pid();
    const int shared = first.backend_pid();
    CHECK(shared != kept);
    for (int i = 0; i < 5; ++i) {
        CHECK(first.backend_pid() == shared);
        CHECK(second.backend_pid() == shared);
        CHECK(client.backend_pid() == kept);
        CHECK(second.query("SELECT to_regclass('mine')").text() == "NULL");
        CHECK(client.query("SELECT i FROM mine").text() == "7");
    }
    client.query("DROP TABLE mine");
    CHECK(servers.everywhere(client, "SELECT to_regclass('mine')") == "NULL");
}

TEST_CASE("integration/session_pins: one that keeps its server may set on" * pooler_only())
{
    OneServer one;
    one.client.query("CREATE TEMP TABLE mine (i int)");
    CHECK(one.client.query("SET work_mem = '7MB'").text() == "SET");
    CHECK(one.client.query("SHOW work_mem").text() == "7MB");
    CHECK(one.client.query("RESET work_mem").text() == "RESET");
    CHECK(one.client.query("SHOW work_mem").text() == "4MB");
    one.client.query("SET work_mem = '9MB'");
    one.client.query("DROP TABLE mine");
    CHECK(one.other.query("SHOW work_mem").text() == "4MB");
    CHECK(one.client.query("SHOW work_mem").text() == "9MB");
}

TEST_CASE("integration/session_pins: a SELECT INTO right behind settings is seen" * pooler_only())
{
    // Settings like search_path are brought by a SELECT of ours, in front of the client's.
    OneServer one;
    CHECK(one.client.query("SET search_path = public, pg_catalog").text() == "SET");
    CHECK(one.other.query("SELECT 1").text() == "1");
    CHECK(one.client.query("SELECT 7 AS i INTO TEMP mine").text() == "SELECT 1");
    one.other_waits();
    CHECK(one.client.query("SELECT i FROM mine").text() == "7");
    CHECK_FALSE(one.other.has_result());
    one.client.query("DROP TABLE mine");
    CHECK(one.other.next_result().value().text() == "served");
}

TEST_CASE("integration/session_pins: who listens is told, and only who listens")
{
    const TwoServers servers;
    Connection client = servers.connect();
    Connection other = servers.connect();
    CHECK(client.query("LISTEN state_news").text() == "LISTEN");
    other.query("SELECT 1");
    for (const std::string payload : {"one", "two"}) {
        postgres().sql("NOTIFY state_news, '" + payload + "'");
        PGnotify* news = nullptr;
        wait_until(
            [&] {
                REQUIRE(PQconsumeInput(client.raw()) == 1);
                news = PQnotifies(client.raw());
                return news != nullptr;
            },
            "a notification"
        );
        CHECK(std::string{news->relname} == "state_news");
        CHECK(std::string{news->extra} == payload);
        PQfreemem(news);
    }
    CHECK(other.query("SELECT 1").text() == "1");
    CHECK(PQnotifies(other.raw()) == nullptr);
}

TEST_CASE("integration/session_pins: who leaves takes it all along" * pooler_only())
{
    postgres().sql("DROP ROLE IF EXISTS state_leaver");
    postgres().sql("CREATE ROLE state_leaver; GRANT state_leaver TO app_scram");
    for (const std::string left :
         {"CREATE TEMP TABLE left_behind (i int)",
          "SELECT pg_advisory_lock(4711)",
          "SET ROLE state_leaver",
          "PREPARE left_behind AS SELECT 1",
          "DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1",
          "LISTEN left_behind",
          "SET work_mem = '7MB'",
          "SET state.tenant = 'left'"}) {
        CAPTURE(left);
        const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
        {
            Connection client = pgweir.connect();
            CHECK_FALSE(client.query(left).is_error());
        }
        Connection next = pgweir.connect();
        CHECK(
            next.query("SELECT to_regclass('left_behind'), current_user, "
                       "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), "
                       "(SELECT count(*) FROM pg_prepared_statements WHERE from_sql), "
                       "(SELECT count(*) FROM pg_cursors), "
                       "(SELECT count(*) FROM pg_listening_channels()), "
                       "current_setting('work_mem'), "
                       "coalesce(current_setting('state.tenant', true), '')")
                .text()
            == "NULL|app_scram|0|0|0|0|4MB|"
        );
        CHECK(next.query("PREPARE left_behind AS SELECT 2").text() == "PREPARE");
        CHECK(next.query("EXECUTE left_behind").text() == "2");
    }
    postgres().sql("DROP ROLE state_leaver");
}

TEST_CASE(
    "integration/session_pins: so does who vanishes in the middle of a transaction" * pooler_only()
)
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"}
    };
    Connection next = pgweir.connect();
    const int server = next.backend_pid();
    for (const bool is_reset : {true, false}) {
        for (const bool is_open : {true, false}) {
            CAPTURE(is_reset);
            CAPTURE(is_open);
            WireClient client{pgweir.target()};
            client.log_in("app_trust");
            client.ask(message::query("SET work_mem = '7MB'"));
            client.ask(message::query("BEGIN"));
            client.ask(message::query("SET work_mem = '9MB'"));
            client.ask(message::query("SELECT pg_advisory_lock(4711)"));
            if (!is_open) client.send(message::query("COMMIT"));
            if (is_reset) client.stream().reset();
            client.stream().close();
            CHECK(next.query("SHOW work_mem").text() == "4MB");
            CHECK(
                next.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").text()
                == "0"
            );
            CHECK(next.backend_pid() == server);
        }
    }
}

TEST_CASE(
    "integration/session_pins: a shutdown does not wait for who keeps a server" * pooler_only()
)
{
    OneServer one;
    one.client.query("CREATE TEMP TABLE mine (i int)");
    CHECK(one.client.query("SELECT count(*) FROM mine").text() == "0");
    one.pgweir.signal(SIGTERM);
    CHECK(one.client.last_words().starts_with("57P01 "));
    one.pgweir.expect_exit(0);
    postgres().wait_for_server_count("app_scram", 0);
}

TEST_CASE("integration/session_pins: nor for who is just about to give it back" * pooler_only())
{
    // shutdown_timeout is longer than the test waits.
    for (const std::string last : {"DROP TABLE mine", "CREATE TEMP TABLE another (i int)"}) {
        CAPTURE(last);
        OneServer one{{"--set", "shutdown_timeout=10min"}};
        one.client.query("CREATE TEMP TABLE mine (i int)");
        one.client.query("BEGIN");
        CHECK_FALSE(one.client.query(last).is_error());
        {
            CatalogLock lock{"pg_depend"};
            CHECK(one.client.query("COMMIT").text() == "COMMIT");
            lock.wait_for_somebody(); // the question
            one.pgweir.signal(SIGTERM);
            CHECK(one.other.last_words().starts_with("57P01 "));
        }
        CHECK(one.client.last_words().starts_with("57P01 "));
        one.pgweir.expect_exit(0);
    }
}

TEST_CASE(
    "integration/session_pins: a question that fails costs nobody its session" * pooler_only()
)
{
    OneServer one;
    one.client.query("SET work_mem = '7MB'");
    one.client.query("SET statement_timeout = '1s'");
    {
        const CatalogLock lock{"pg_depend"};
        // May have left anything; but the server is not able to tell.
        CHECK(one.client.query("DO $$ BEGIN SET work_mem = '9MB'; END $$").text() == "DO");
        CHECK(one.client.query("SHOW work_mem").text() == "7MB"); // as far as was known
    }
    CHECK(one.pgweir.log().find("question_failed") != std::string::npos);
    CHECK(one.other.query("SHOW work_mem").text() == "4MB");
    CHECK(one.client.query("SHOW statement_timeout").text() == "1s");
    CHECK(one.client.query("DO $$ BEGIN SET work_mem = '9MB'; END $$").text() == "DO");
    CHECK(one.other.query("SHOW work_mem").text() == "4MB");
    CHECK(one.client.query("SHOW work_mem").text() == "9MB");
}

TEST_CASE("integration/session_pins: a timeout too short for anything loses no client")
{
    OneServer one;
    CHECK(one.client.query("SET statement_timeout = '1ms'").text() == "SET");
    for (int i = 0; i < 20; ++i) {
        const std::string answer = one.client.query("SET work_mem = '7MB'").text();
        CAPTURE(answer);
        CHECK((answer == "SET" || answer == "ERROR 57014"));
        CHECK(one.other.query("SELECT 'served'").text() == "served");
    }
    CHECK_FALSE(one.client.is_lost());
    CHECK(one.client.transaction_status() == PQTRANS_IDLE);
    CHECK(one.other.query("SHOW statement_timeout").text() == "0");
}

TEST_CASE("integration/session_pins: questions and pins are counted" * pooler_only())
{
    OneServer one;
    const auto number = [&](const std::string& name) {
        return metric(one.pgweir.metrics(), {"pgweir_" + name + "_total"});
    };
    for (int i = 0; i < 5; ++i) one.client.query("SELECT 1");
    CHECK(number("state_questions") == 0);
    one.client.query("SELECT pg_backend_pid()"); // the first call: the database is asked, too
    one.client.query("SELECT 1");                // is served when that is answered
    wait_until([&] { return number("state_questions") > 0; }, "the first question");
    const double first = number("state_questions");

    const auto expect = [&](const std::string& sql, int questions, int pins) {
        CAPTURE(sql);
        CHECK_FALSE(one.client.query(sql).is_error());
        one.client.query("SELECT 1");
        const auto asked = [&] { return number("state_questions") - first; };
        wait_until([&] { return asked() >= questions && number("pins") >= pins; }, "they count");
        CHECK(asked() == questions);
        CHECK(number("pins") == pins);
    };
    expect("SELECT pg_backend_pid()", 0, 0);
    expect("SET work_mem = '7MB'", 1, 0);
    expect("CREATE TEMP TABLE mine (i int)", 2, 1);
    expect("INSERT INTO mine VALUES (1)", 2, 1);
    expect("DROP TABLE mine", 3, 1);
    expect("SELECT pg_advisory_lock(4711)", 4, 2);
}
