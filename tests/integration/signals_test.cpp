// pg_terminate_backend() and pg_cancel_backend() with the process id of another client's
// BackendKeyData: as between sessions of PostgreSQL.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

constexpr const char* ended = "57P01 terminating connection due to administrator command";

Start sized(const std::string& size, const std::string& workers = "2")
{
    return {.flags = {"--pool-size", size, "--workers", workers}};
}

// As the client was told at login, which is what drivers know.
int pid_of(const Connection& client) { return PQbackendPID(client.raw()); }

std::string terminate_sql(const Connection& client)
{
    return "SELECT pg_terminate_backend(" + std::to_string(pid_of(client)) + ")";
}

std::string cancel_sql(const Connection& client)
{
    return "SELECT pg_cancel_backend(" + std::to_string(pid_of(client)) + ")";
}

// Four bytes, as a driver sends an int4.
std::string terminate_binary(Connection& client, int process_id)
{
    const auto bits = static_cast<std::uint32_t>(process_id);
    std::array<char, 4> value{};
    for (std::size_t i = 0; i < 4; ++i) value[i] = static_cast<char>(bits >> (24 - 8 * i));
    const char* const values = value.data();
    const int length = 4;
    const int is_binary = 1;
    const Oid int4 = 23;
    const Result result{PQexecParams(
        client.raw(), "SELECT pg_terminate_backend($1)", 1, &int4, &values, &length, &is_binary, 1
    )};
    const bool is_true = result.row_count() == 1 && PQgetlength(result.raw(), 0, 0) == 1
                         && *PQgetvalue(result.raw(), 0, 0) == '\1';
    return is_true ? "true" : result.text();
}

} // namespace

TEST_CASE("integration/signals: pg_backend_pid() is what the client was told at login")
{
    constexpr const char* ask = "SELECT pg_backend_pid()";
    const Pgweir pgweir{sized("1")};
    Connection one = pgweir.connect();
    Connection other = pgweir.connect();
    for (Connection* const client : {&one, &other, &one}) {
        const std::string own = std::to_string(pid_of(*client));
        const Result simple = client->query(ask);
        CHECK(simple.text() == own);
        CHECK(PQfname(simple.raw(), 0) == std::string{"pg_backend_pid"});
        CHECK(client->query_params(ask, {}).text() == own);
        client->prepare("ask", "SELECT pg_backend_pid() AS me");
        CHECK(client->execute("ask", {}).text() == own);
        CHECK(client->execute("ask", {}).text() == own);
        CHECK(client->query("DEALLOCATE ask").text() == "DEALLOCATE");
    }
}

TEST_CASE("integration/signals: where a client keeps its server, pg_backend_pid() is the server's")
{
    constexpr const char* ask = "SELECT pg_backend_pid()";
    constexpr const char* is_there = "SELECT count(*) FROM pg_stat_activity WHERE pid = ";
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection witness = pgweir.connect();
    client.query("BEGIN");
    CHECK(witness.query(is_there + client.query(ask).text()).text() == "1");
    client.query("COMMIT");
    client.query("CREATE TEMP TABLE keeps_its_server (x int)");
    CHECK(witness.query(is_there + client.query(ask).text()).text() == "1");
}

TEST_CASE("integration/signals: a client that is idle is gone when the answer comes")
{
    for (const char* const workers : {"1", "2"}) {
        const Pgweir pgweir{sized("2", workers)};
        Connection client = pgweir.connect();
        Connection victim = pgweir.connect();
        const Result result = client.query(terminate_sql(victim));
        CHECK(result.text() == "t");
        CHECK(result.columns() == std::vector<std::string>{"pg_terminate_backend"});
        CHECK(victim.query("SELECT 1").is_error());
        CHECK(victim.is_lost());
        CHECK(client.query("SELECT 1").text() == "1");
        CHECK(client.notices().empty());
    }
}

TEST_CASE("integration/signals: its last words are PostgreSQL's")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    Connection victim = pgweir.connect();
    CHECK(client.query(terminate_sql(victim)).text() == "t");
    CHECK(victim.last_words() == ended);
}

TEST_CASE("integration/signals: the process id as a parameter, as text or binary, prepared or not")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    client.prepare("end", "SELECT pg_terminate_backend($1::int) AS ended");
    for (int i = 0; i < 3; ++i) {
        Connection first = pgweir.connect();
        Connection second = pgweir.connect();
        Connection third = pgweir.connect();
        const std::string pid = std::to_string(pid_of(first));
        CHECK(client.query_params("SELECT pg_terminate_backend($1)", {pid}).text() == "t");
        CHECK(client.execute("end", {std::to_string(pid_of(second))}).text() == "t");
        CHECK(terminate_binary(client, pid_of(third)) == "true");
        for (Connection* victim : {&first, &second, &third}) CHECK(victim->last_words() == ended);
        wait_until([&] { return client.execute("end", {pid}).text() == "f"; }, "it is gone");
        CHECK(client.execute("end", {std::nullopt}).row_count() == 1);
    }
}

TEST_CASE("integration/signals: in a pipeline, and only when it is executed")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection victim = pgweir.connect();
    const Values pid{std::to_string(pid_of(victim))};
    client.enter_pipeline();
    client.send_params("SELECT 1/0", {});
    client.send_params("SELECT pg_terminate_backend($1)", pid);
    CHECK(client.sync_and_read() == "ERROR 22012 / aborted / sync");
    CHECK(victim.query("SELECT 1").text() == "1");
    client.send_params("SELECT pg_terminate_backend($1)", pid);
    client.send_params("SELECT 'behind it'", {});
    CHECK(client.sync_and_read() == "t / behind it / sync");
    CHECK(victim.last_words() == ended);
}

TEST_CASE("integration/signals: a transaction is rolled back, and its locks are gone")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection victim = pgweir.connect();
    client.query("CREATE TABLE signalled (id int)");
    victim.query(begin_at_once);
    victim.query("INSERT INTO signalled VALUES (1)");
    CHECK(client.query(terminate_sql(victim)).text() == "t");
    CHECK(victim.last_words() == ended);
    CHECK(client.query("LOCK TABLE signalled; SELECT count(*) FROM signalled").text() == "0");
    client.query("DROP TABLE signalled");
}

TEST_CASE("integration/signals: a running query ends with its client")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection victim = pgweir.connect();
    victim.send("SELECT pg_sleep(60)");
    victim.flush();
    postgres().wait_for_sleepers(1);
    CHECK(client.query("BEGIN").text() == "BEGIN");
    CHECK(client.query(terminate_sql(victim)).text() == "t");
    CHECK(client.query("ROLLBACK").text() == "ROLLBACK"); // takes nothing back
    CHECK(victim.last_words() == ended);
    wait_until(
        [] {
            return postgres().sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                                  "AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()")
                   == "0";
        },
        "nothing sleeps any more"
    );
}

TEST_CASE("integration/signals: in the middle of a message nothing is said")
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "2", "--set", "auth.method=trust"}, .user = "app_trust"}
    };
    Connection client = pgweir.connect();
    WireClient victim{pgweir.target()};
    victim.log_in("app_trust");
    std::uint32_t pid = 0;
    for (const char byte : victim.cancel_key().substr(0, 4)) {
        pid = pid << 8U | static_cast<unsigned char>(byte);
    }
    victim.send(message::query("SELECT repeat('x', 100000000)")); // more than sockets hold
    victim.stream().wait_readable();
    const std::string sql = "SELECT pg_terminate_backend(" + std::to_string(pid) + ")";
    CHECK(client.query(sql).text() == "t");
    const std::string all = victim.stream().read_to_end();
    CHECK(all.size() < 100'000'000);
    CHECK(all.find("57P01") == std::string::npos);
}

TEST_CASE("integration/signals: who waits for a server can be ended, too" * pooler_only())
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    Connection victim = pgweir.connect();
    client.query(begin_at_once);
    victim.send("SELECT 'never'");
    victim.flush();
    pgweir.wait_for_waiting(1);
    CHECK(client.query(terminate_sql(victim)).text() == "t");
    CHECK(victim.last_words() == ended);
    pgweir.wait_for_waiting(0);
    CHECK(client.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/signals: whoever means himself is ended, or cancelled")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK(client.query(cancel_sql(client)).text() == "ERROR 57014");
    const std::string pid = std::to_string(pid_of(client));
    CHECK(client.query_params("SELECT pg_cancel_backend($1)", {pid}).text() == "ERROR 57014");
    CHECK(client.query_params("SELECT pg_terminate_backend($1)", {pid}).is_error());
    CHECK(client.is_lost());
    Connection other = pgweir.connect();
    CHECK(other.query_all(terminate_sql(other)).front().sqlstate() == "57P01");
    Connection third = pgweir.connect();
    CHECK(third.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/signals: a cancel ends the query, and nothing else")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection victim = pgweir.connect();
    CHECK(client.query(cancel_sql(victim)).text() == "t"); // there is nothing to cancel
    victim.send("SELECT pg_sleep(60)");
    victim.flush();
    postgres().wait_for_sleepers(1);
    const Result result = client.query(cancel_sql(victim));
    CHECK(result.text() == "t");
    CHECK(result.columns() == std::vector<std::string>{"pg_cancel_backend"});
    CHECK(victim.only_result().text() == "ERROR 57014");
    CHECK(victim.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/signals: a number that nobody has")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT pg_terminate_backend(2147483647)").text() == "f");
    CHECK(client.notices().find("2147483647") != std::string::npos);
    CHECK(client.notices().starts_with("WARNING 01000"));
    CHECK(client.query("SELECT pg_terminate_backend(NULL)").row_count() == 1);
}

TEST_CASE("integration/signals: who may do it is for PostgreSQL to say")
{
    postgres().sql("CREATE ROLE stranger; GRANT stranger TO app_scram");
    const Pgweir pgweir{{
        .upstream = "-",
        .toml = "[databases.app]\nupstream = \"postgresql://127.0.0.1:"
                + std::to_string(postgres().port())
                + "/app\"\n[users.app_scram]\npassword = \"secret\"\n"
                  "[users.app_md5]\npassword = \"secret\"\n",
    }};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect("user=app_md5");
    const std::string refused = "ERROR 42501";
    CHECK(client.query(terminate_sql(other)).text() == refused);
    CHECK(client.query(cancel_sql(other)).text() == refused);
    CHECK(other.query(terminate_sql(client)).text() == refused);
    const std::string pid = std::to_string(pid_of(other));
    CHECK(client.query_params("SELECT pg_terminate_backend($1)", {pid}).text() == refused);
    CHECK(other.query("SELECT 1").text() == "1");

    Connection same = pgweir.connect();
    client.query("SET ROLE stranger");
    CHECK(client.query(terminate_sql(same)).text() == refused);
    CHECK(same.query("SELECT 1").text() == "1");
    client.query("RESET ROLE");
    CHECK(client.query(terminate_sql(same)).text() == "t");

    postgres().sql("GRANT app_md5 TO app_scram");
    CHECK(client.query(terminate_sql(other)).text() == "t");
    CHECK(other.last_words() == ended);
    Connection third = pgweir.connect("user=app_md5");
    postgres().sql("REVOKE app_md5 FROM app_scram; GRANT pg_signal_backend TO app_scram; "
                   "ALTER ROLE app_md5 SUPERUSER");
    CHECK(client.query(terminate_sql(third)).text() == refused);
    CHECK(third.query("SELECT 1").text() == "1");
    postgres().sql("ALTER ROLE app_md5 NOSUPERUSER");
    CHECK(client.query(terminate_sql(third)).text() == "t");
    postgres().sql("REVOKE pg_signal_backend FROM app_scram; DROP ROLE stranger");
}

TEST_CASE("integration/signals: two that end each other, and many at once")
{
    const Pgweir pgweir{sized("4")};
    for (int i = 0; i < 20; ++i) {
        Connection first = pgweir.connect();
        Connection second = pgweir.connect();
        first.send(terminate_sql(second));
        second.send(terminate_sql(first));
        first.flush();
        second.flush();
        wait_until([&] { return first.is_lost() || second.is_lost(); }, "one of them is gone");
    }
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/signals: several at once, with numbers that are computed")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    Connection one = pgweir.connect();
    Connection two = pgweir.connect();
    const std::string both = '{' + std::to_string(pid_of(one)) + ',' + std::to_string(pid_of(two))
                             + '}';
    const Result result = client.query_params(
        "SELECT pg_terminate_backend(n) FROM unnest($1::int[]) AS n", {both}
    );
    CHECK(result.text() == "t;t");
    for (Connection* const victim : {&one, &two}) {
        CHECK(victim->query("SELECT 1").is_error());
        CHECK(victim->last_words() == ended);
    }
    CHECK(client.query("SELECT 1").text() == "1");
}
