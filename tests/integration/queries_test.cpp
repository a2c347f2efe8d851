#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace pgweir::test;

namespace {

// A value that no buffer holds, and of which every megabyte is different.
std::string big_value(std::size_t size)
{
    std::string value;
    value.reserve(size);
    for (std::size_t i = 0; value.size() < size; ++i) value += std::to_string(i) + ' ';
    value.resize(size);
    return value;
}

constexpr std::size_t megabyte = 1U << 20U;

} // namespace

TEST_CASE("integration/queries: a simple query brings its rows, a command its tag")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();

    CHECK(client.query("SELECT 1, 'two', NULL").text() == "1|two|NULL");
    CHECK(client.query("CREATE TEMP TABLE t (i int) ON COMMIT DROP").text() == "CREATE TABLE");
    CHECK(client.query("SELECT generate_series(1, 3)").text() == "1;2;3");
    CHECK(client.query("SELECT 1 WHERE false").text().empty());
    CHECK(client.query("").text() == "PGRES_EMPTY_QUERY");
}

TEST_CASE("integration/queries: several statements in one query bring a result each")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();

    CHECK(texts(client.query_all("SELECT 1; SELECT 2; SELECT 3")) == "1 / 2 / 3");
    CHECK(texts(client.query_all("SELECT 1; SELECT 1/0; SELECT 3")) == "1 / ERROR 22012");
    CHECK(texts(client.query_all("BEGIN; SELECT 4; COMMIT")) == "BEGIN / 4 / COMMIT");
}

TEST_CASE("integration/queries: an error arrives with all its fields and the connection lives on")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    const Result error = client.query(
        "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'P0042', MESSAGE = 'm', DETAIL = 'd', "
        "HINT = 'h', SCHEMA = 's', TABLE = 't', COLUMN = 'c', CONSTRAINT = 'k'; END $$"
    );

    std::string fields;
    constexpr std::array codes{
        PG_DIAG_SEVERITY_NONLOCALIZED,
        PG_DIAG_SQLSTATE,
        PG_DIAG_MESSAGE_PRIMARY,
        PG_DIAG_MESSAGE_DETAIL,
        PG_DIAG_MESSAGE_HINT,
        PG_DIAG_SCHEMA_NAME,
        PG_DIAG_TABLE_NAME,
        PG_DIAG_COLUMN_NAME,
        PG_DIAG_CONSTRAINT_NAME,
        PG_DIAG_SOURCE_FUNCTION,
    };
    for (const char code : codes) fields += error.field(code) + " ";
    CHECK(fields == "ERROR P0042 m d h s t c k exec_stmt_raise ");
    CHECK(client.query("SELECT 5").text() == "5");
}

TEST_CASE("integration/queries: a failed transaction stays failed until it is rolled back")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection client = pgweir.connect();

    CHECK(client.query("BEGIN").text() == "BEGIN");
    CHECK(client.query("SELECT 1/0").text() == "ERROR 22012");
    CHECK(client.query("SELECT 1").text() == "ERROR 25P02");
    CHECK(client.transaction_status() == PQTRANS_INERROR);
    CHECK(client.query("COMMIT").text() == "ROLLBACK");
    CHECK(client.transaction_status() == PQTRANS_IDLE);
    CHECK(client.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/queries: an extended query carries parameters, NULL and binary values")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();

    CHECK(client.query_params("SELECT $1::int + 1, $2::text", {"41", {}}).text() == "42|NULL");
    CHECK(client.query_params("SELECT 1/$1::int", {"0"}).text() == "ERROR 22012");
    CHECK(client.query_params("SELEC", {}).text() == "ERROR 42601");

    const Result binary{PQexecParams(
        client.raw(), "SELECT 258::int4, '\\x00ff'::bytea", 0, nullptr, nullptr, nullptr, nullptr, 1
    )};
    CHECK(binary.value() == std::string{"\0\0\1\2", 4});
    CHECK(PQgetlength(binary.raw(), 0, 1) == 2);
}

TEST_CASE("integration/queries: a portal is fetched in parts within its transaction")
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"}
    };
    WireClient client{pgweir.target()};
    client.log_in("app_trust");

    CHECK(client.ask(message::query("BEGIN")) == "C(BEGIN) Z(T)");
    client.send(
        message::parse("", "SELECT generate_series(1, 3)") + message::bind_portal("p", "")
        + message::execute("p", 2) + message::flush()
    );
    CHECK(client.receive_until('s') == "1 2 D(1) D(2) s");
    CHECK(client.ask(message::execute("p", 2) + message::sync()) == "D(3) C(SELECT 1) Z(T)");
    CHECK(client.ask(message::close('P', "p") + message::sync()) == "3 Z(T)");
    CHECK(client.ask(message::query("COMMIT")) == "C(COMMIT) Z(I)");
}

TEST_CASE("integration/queries: notices arrive before the result")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();

    CHECK(
        client.query("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$").text() == "DO"
    );
    CHECK(client.notices() == "NOTICE 00000 one\nWARNING 01000 two\n");
}

TEST_CASE("integration/queries: a function call by its number works")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    const Oid function = static_cast<Oid>(
        std::stoul(client.query("SELECT 'int4pl(int4,int4)'::regprocedure::oid").value())
    );

    std::array<PQArgBlock, 2> arguments{};
    for (PQArgBlock& argument : arguments) argument = {.len = 4, .isint = 1, .u = {.integer = 21}};
    int sum = 0;
    int size = 0;
    const Result called{
        PQfn(client.raw(), static_cast<int>(function), &sum, &size, 1, arguments.data(), 2)
    };
    CHECK(called.status() == PGRES_COMMAND_OK);
    CHECK(sum == 42);
    CHECK(client.query("SELECT 'after'").text() == "after");
}

TEST_CASE("integration/queries: a notification reaches the client that listens in its transaction")
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "1", "--pool-mode", "session"}, .user = "app_scram"}
    };
    Connection client = pgweir.connect();
    CHECK(client.query("LISTEN news").text() == "LISTEN");
    postgres().sql("NOTIFY news, 'extra'");

    std::string heard;
    wait_until(
        [&] {
            static_cast<void>(client.has_result());
            PGnotify* notification = PQnotifies(client.raw());
            if (notification == nullptr) return false;
            heard = notification->extra;
            PQfreemem(notification);
            return true;
        },
        "the notification arrives"
    );
    CHECK(heard == "extra");
}

TEST_CASE("integration/queries: one value of 64 MB passes both ways without being held")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1", "--workers", "1"}}};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1"); // everything that is allocated once, is
    const auto before = pgweir.peak_memory();

    const std::string value = big_value(64 * megabyte);
    CHECK(client.query_params("SELECT length($1), md5($1)", {value}).row_count() == 1);
    const Result back = client.query_params("SELECT $1::text", {value});
    CHECK(back.row_count() == 1);
    CHECK(bool{back.value() == value}); // not CHECK(a == b): it would print both

    if (before) CHECK(*pgweir.peak_memory() - *before < 24 * megabyte);
}

TEST_CASE("integration/queries: a million small rows arrive in order")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.send("SELECT generate_series(1, 1000000)");
    PQsetSingleRowMode(client.raw());

    int expected = 0;
    bool in_order = true;
    while (const std::optional<Result> row = client.next_result()) {
        if (row->row_count() == 0) continue; // the end of the result
        in_order = in_order && row->value() == std::to_string(++expected);
    }
    CHECK(in_order);
    CHECK(expected == 1'000'000);
}

TEST_CASE("integration/queries: a client that does not read slows only itself down")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "2", "--workers", "1"}}};
    Connection slow = pgweir.connect();
    Connection quick = pgweir.connect();
    slow.send("SELECT repeat('x', 1000000) FROM generate_series(1, 64)");
    slow.flush();

    for (int i = 0; i < 100; ++i) CHECK(quick.query("SELECT 1").text() == "1");
    int rows = 0;
    while (const std::optional<Result> result = slow.next_result()) rows += result->row_count();
    CHECK(rows == 64);
}
