// In transaction mode a BEGIN waits for its first statement, and nobody can tell.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

Start with(const std::vector<std::string>& settings, const std::string& size = "1")
{
    Start start{.flags = {"--pool-size", size}};
    for (const std::string& each : settings) {
        start.flags.insert(start.flags.end(), {"--set", each});
    }
    return start;
}

Start trusting()
{
    return {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"};
}

const std::string modes =
    "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), "
    "current_setting('transaction_deferrable')";

} // namespace

TEST_CASE("integration/lazy_begin: who has only begun keeps no server" * pooler_only())
{
    const Pgweir pgweir{with({})};
    std::vector<Connection> begun;
    for (int i = 0; i < 5; ++i) {
        begun.push_back(pgweir.connect());
        CHECK(begun.back().query("BEGIN").text() == "BEGIN");
        CHECK(begun.back().transaction_status() == PQTRANS_INTRANS);
    }
    CHECK(pgweir.connect().query("SELECT 'works'").text() == "works");
    for (Connection& client : begun) {
        const int server = client.backend_pid();
        CHECK(client.backend_pid() == server);
        CHECK(client.query("COMMIT").text() == "COMMIT");
        CHECK(client.transaction_status() == PQTRANS_IDLE);
    }
}

TEST_CASE("integration/lazy_begin: the modes of a BEGIN are those of its transaction")
{
    const Pgweir pgweir{with({})};
    Connection client = pgweir.connect();
    const auto in_transaction = [&](const std::string& begin) {
        const std::string answer = client.query(begin).text();
        const std::string seen = client.query(modes).text();
        CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
        return answer + " " + seen;
    };
    CHECK(in_transaction("BEGIN") == "BEGIN read committed|off|off");
    CHECK(
        in_transaction("begin isolation level repeatable read, read only deferrable;")
        == "BEGIN repeatable read|on|on"
    );
    CHECK(
        in_transaction("START TRANSACTION READ ONLY") == "START TRANSACTION read committed|on|off"
    );
    CHECK(
        in_transaction("BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE")
        == "BEGIN serializable|off|off"
    );
    CHECK(client.query("BEGIN READ ONLY").text() == "BEGIN");
    CHECK(client.query("CREATE TABLE never (i int)").text() == "ERROR 25006");
    CHECK(client.query("COMMIT").text() == "ROLLBACK");
}

TEST_CASE("integration/lazy_begin: defaults of the client hold in its transaction")
{
    const Pgweir pgweir{with({})};
    Connection client = pgweir.connect("options='-c default_transaction_isolation=serializable'");
    Connection other = pgweir.connect();
    for (int i = 0; i < 2; ++i) {
        client.query("BEGIN");
        CHECK(client.query("SHOW transaction_isolation").text() == "serializable");
        client.query("COMMIT");
        other.query("BEGIN");
        CHECK(other.query("SHOW transaction_isolation").text() == "read committed");
        other.query("COMMIT");
    }
}

TEST_CASE("integration/lazy_begin: an empty transaction comes to an end, as empty ones do")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    for (const std::string end : {"COMMIT", "END", "END WORK;", "commit transaction"}) {
        CHECK(client.ask(message::query("BEGIN")) == "C(BEGIN) Z(T)");
        CHECK(client.ask(message::query(end)) == "C(COMMIT) Z(I)");
    }
    for (const std::string end : {"ROLLBACK", "abort"}) {
        CHECK(client.ask(message::query("start transaction")) == "C(START TRANSACTION) Z(T)");
        CHECK(client.ask(message::query(end)) == "C(ROLLBACK) Z(I)");
    }
    CHECK(client.ask(message::query("BEGIN")) == "C(BEGIN) Z(T)");
    CHECK(client.ask(message::query("")) == "I Z(T)");
    CHECK(client.ask(message::sync()) == "Z(T)");
    CHECK(client.ask(message::query("COMMIT AND CHAIN")) == "C(COMMIT) Z(T)");
    CHECK(client.ask(message::query("COMMIT")) == "C(COMMIT) Z(I)");
}

TEST_CASE("integration/lazy_begin: PostgreSQL's warnings come")
{
    const Pgweir pgweir{with({})};
    Connection client = pgweir.connect();
    CHECK(client.query("COMMIT").text() == "COMMIT");
    CHECK(client.notices() == "WARNING 25P01 there is no transaction in progress\n");
    CHECK(client.query("BEGIN").text() == "BEGIN");
    CHECK(client.query("BEGIN").text() == "BEGIN");
    CHECK(client.notices().ends_with("WARNING 25001 there is already a transaction in progress\n"));
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
    CHECK(client.query("BEGIN READ SOMETHING").text() == "ERROR 42601");
    CHECK(client.transaction_status() == PQTRANS_IDLE);
}

TEST_CASE("integration/lazy_begin: whatever comes first is in the transaction")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.ask(message::query("CREATE TEMP TABLE steps (i int)"));
    client.ask(message::query("DROP TABLE steps"));
    const auto begin = [&] { CHECK(client.ask(message::query("BEGIN")) == "C(BEGIN) Z(T)"); };

    begin();
    CHECK(client.ask(message::query("SELECT 1/0")) == "E(22012) Z(E)");
    CHECK(client.ask(message::query("SELECT 1")) == "E(25P02) Z(E)");
    CHECK(client.ask(message::query("COMMIT")) == "C(ROLLBACK) Z(I)");

    begin();
    CHECK(
        client.ask(
            message::parse("", "SELECT 7") + message::bind("") + message::execute()
            + message::sync()
        )
        == "1 2 D(7) C(SELECT 1) Z(T)"
    );
    CHECK(client.ask(message::query("ROLLBACK")) == "C(ROLLBACK) Z(I)");

    begin();
    CHECK(client.ask(message::parse("", "no SQL") + message::sync()) == "E(42601) Z(E)");
    CHECK(client.ask(message::query("ROLLBACK")) == "C(ROLLBACK) Z(I)");

    begin();
    CHECK(client.ask(message::query("SAVEPOINT s")) == "C(SAVEPOINT) Z(T)");
    CHECK(client.ask(message::query("SELECT 1/0")) == "E(22012) Z(E)");
    CHECK(client.ask(message::query("ROLLBACK TO s")) == "C(ROLLBACK) Z(T)");
    CHECK(client.ask(message::query("COMMIT")) == "C(COMMIT) Z(I)");

    begin();
    CHECK(client.ask(message::query("VACUUM")) == "E(25001) Z(E)");
    CHECK(client.ask(message::query("ROLLBACK")) == "C(ROLLBACK) Z(I)");

    begin(); // and the unnamed portal is none
    CHECK(client.ask(message::execute() + message::sync()) == "E(34000) Z(E)");
    CHECK(client.ask(message::query("ROLLBACK")) == "C(ROLLBACK) Z(I)");
}

TEST_CASE("integration/lazy_begin: a row that was written is there after COMMIT only")
{
    postgres().sql("DROP TABLE IF EXISTS lazy; CREATE TABLE lazy (i int)");
    postgres().sql("GRANT ALL ON lazy TO PUBLIC");
    const Pgweir pgweir{with({}, "2")};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    for (const std::string end : {"ROLLBACK", "COMMIT"}) {
        client.query("BEGIN");
        CHECK(client.query_params("INSERT INTO lazy VALUES ($1)", {"1"}).text() == "INSERT 0 1");
        CHECK(other.query("SELECT count(*) FROM lazy").text() == "0");
        client.query(end);
    }
    CHECK(other.query("SELECT count(*) FROM lazy").text() == "1");
}

TEST_CASE(
    "integration/lazy_begin: who finds no server for its first statement has a failed transaction"
    * pooler_only()
)
{
    const Pgweir pgweir{with({"pool.query_wait_timeout=100ms"})};
    Connection client = pgweir.connect();
    Connection extended = pgweir.connect();
    {
        Connection holder = pgweir.connect();
        holder.query(begin_at_once);
        client.query("BEGIN");
        CHECK(client.query("SELECT 1").text() == "ERROR 53300");
        CHECK(client.transaction_status() == PQTRANS_INERROR);
        extended.query("BEGIN");
        CHECK(extended.query_params("SELECT 1", {}).text() == "ERROR 53300");
        CHECK(extended.transaction_status() == PQTRANS_INERROR);
        CHECK(extended.query("COMMIT").text() == "ROLLBACK"); // needs no server
        CHECK(extended.transaction_status() == PQTRANS_IDLE);
    }
    wait_until(
        [&] { return client.query("SELECT 2").text() == "ERROR 25P02"; },
        "PostgreSQL itself says that it has failed"
    );
    CHECK(client.transaction_status() == PQTRANS_INERROR);
    CHECK(client.query_params("SELECT 3", {}).text() == "ERROR 25P02");
    CHECK(client.query("SELECT 4; ROLLBACK").text() == "ERROR 25P02");
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
    CHECK(client.query("SELECT 5").text() == "5");
    CHECK(extended.query("SELECT 6").text() == "6");
}

TEST_CASE(
    "integration/lazy_begin: switched off, or in session mode, BEGIN takes a server" * pooler_only()
)
{
    for (const std::string setting : {"pool.lazy_begin=false", "pool.mode=session"}) {
        CAPTURE(setting);
        const Pgweir pgweir{with({setting})};
        Connection holder = pgweir.connect();
        Connection waiting = pgweir.connect();
        CHECK(holder.query("BEGIN").text() == "BEGIN");
        waiting.send("BEGIN");
        waiting.flush();
        pgweir.wait_for_waiting(1);
        CHECK_FALSE(waiting.has_result());
    }
}

TEST_CASE("integration/lazy_begin: idle_transaction_timeout counts from BEGIN on" * pooler_only())
{
    const Pgweir pgweir{with({"pool.idle_transaction_timeout=100ms"})};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    CHECK(client.last_words().starts_with("25P03 "));
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
}

TEST_CASE("integration/lazy_begin: a client_idle_timeout is none" * pooler_only())
{
    const Pgweir pgweir{
        with({"pool.client_idle_timeout=100ms", "pool.idle_transaction_timeout=200ms"})
    };
    Connection client = pgweir.connect();
    client.query("BEGIN");
    CHECK(client.last_words().starts_with("25P03 "));
}

TEST_CASE("integration/lazy_begin: a shutdown waits for nobody who has only begun" * pooler_only())
{
    // shutdown_timeout is longer than the test waits.
    Pgweir pgweir{with({"shutdown_timeout=10min"}, "2")};
    Connection begun = pgweir.connect();
    Connection working = pgweir.connect();
    begun.query("BEGIN");
    working.query("BEGIN");
    working.query("SELECT 1");
    pgweir.signal(SIGTERM);
    CHECK(begun.last_words().starts_with("57P01 "));
    CHECK(working.query("COMMIT").text() == "COMMIT");
    CHECK(working.last_words().starts_with("57P01 "));
    pgweir.expect_exit(0);
}

TEST_CASE("integration/lazy_begin: SHOW CLIENTS and STATS tell what it is" * pooler_only())
{
    const Pgweir pgweir{with({})};
    Connection client = pgweir.connect();
    client.query("SELECT 1");
    client.query("BEGIN");
    client.query("COMMIT");
    client.query("BEGIN");
    Connection console = pgweir.console();
    CHECK(pgweir.pool_number("sv_active") == 0);
    CHECK(console.query("SHOW CLIENTS").value(0, "state") == "idle");
    wait_until(
        [&] {
            const Result stats = console.query("SHOW STATS");
            return stats.value(0, "total_xact_count") == "2"
                   && stats.value(0, "total_query_count") == "4"
                   && stats.value(0, "total_server_assignment_count") == "1";
        },
        "one transaction had a server, another one needed none"
    );
}

TEST_CASE("integration/lazy_begin: who leaves before its first statement leaves nothing behind")
{
    const Pgweir pgweir{trusting()};
    for (const bool is_polite : {true, false}) {
        WireClient client{pgweir.target()};
        client.log_in("app_trust");
        client.ask(message::query("BEGIN"));
        if (is_polite) client.send(message::terminate());
        client.stream().close();
    }
    Connection next = pgweir.connect();
    CHECK(next.query("SELECT 1").text() == "1");
    CHECK(next.transaction_status() == PQTRANS_IDLE);
}

TEST_CASE("integration/lazy_begin: a BEGIN and what follows may come in one piece, or in many")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    const std::string all = message::query("BEGIN") + message::query("SELECT 1")
                            + message::query("COMMIT") + message::query("BEGIN")
                            + message::query("ROLLBACK") + message::query("SELECT 2");
    const std::vector<std::string> answers{
        "C(BEGIN) Z(T)",
        "T(1) D(1) C(SELECT 1) Z(T)",
        "C(COMMIT) Z(I)",
        "C(BEGIN) Z(T)",
        "C(ROLLBACK) Z(I)",
        "T(1) D(2) C(SELECT 1) Z(I)",
    };
    const auto check_answers = [&] {
        for (const std::string& answer : answers) CHECK(client.receive_until('Z') == answer);
    };
    client.send(all);
    check_answers();
    for (const char byte : all) client.send({&byte, 1});
    check_answers();
}
