#include <pgweir/session/pinning.hpp>

#include <pgweir/session/knowledge.hpp>
#include <pgweir/session/sql.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::test;

namespace {

std::string pins_of(std::string_view sql)
{
    session::Knowledge knowledge;
    knowledge.pinning.add("my_lock", session::Part::functions);
    return session::names_of(session::certain_pins(session::read_sql(sql), knowledge));
}

struct Refusing : Prepared {
    Refusing() { options.refuses_pins = true; }
};

constexpr const char* refused = "Query refused by pgweir: see its setting pool.pin";
constexpr const char* no_temp =
    "ERROR 0A000 temporary tables that outlive their transaction are not "
    "allowed: they need a server of one's own";

} // namespace

TEST_CASE("session/pinning: what certainly ties its client to a server")
{
    CHECK(pins_of("CREATE TEMP TABLE t (a int)") == "temp_objects");
    CHECK(pins_of("DECLARE c CURSOR WITH HOLD FOR SELECT 1") == "held_cursors");
    CHECK(pins_of("SELECT pg_advisory_lock(1)") == "advisory_locks");
    CHECK(pins_of("LOAD 'auto_explain'") == "libraries");
    CHECK(pins_of("SELECT setseed(0.5)") == "random_seed");
    CHECK(pins_of("SELECT my_schema.MY_LOCK(1)") == "functions");
}

TEST_CASE("session/pinning: what may, or does not")
{
    CHECK(pins_of("SELECT 1").empty());
    CHECK(pins_of("SET work_mem = '1MB'").empty());
    CHECK(pins_of("PREPARE p AS SELECT 1").empty());
    CHECK(pins_of("LISTEN a").empty()); // the listener of the pool hears for it
    CHECK(pins_of("DECLARE c CURSOR FOR SELECT 1").empty());
    CHECK(pins_of("SELECT pg_advisory_xact_lock(1)").empty());
    CHECK(pins_of("DO $$ BEGIN PERFORM 1; END $$").empty());
    CHECK(pins_of("SELECT my_other(1)").empty());
}

TEST_CASE_FIXTURE(Refusing, "session/pinning: PostgreSQL is made to refuse, and we say why")
{
    client(say::query("CREATE TEMP TABLE t (a int)"));
    CHECK(to_server() == lines(refused));
    server(reply::error("42601", "syntax error") + reply::ready());
    CHECK(to_client() == lines(no_temp, "Ready I"));
    CHECK(server_state().is_idle());
    CHECK(server_state().doubts.empty());
}

TEST_CASE_FIXTURE(Refusing, "session/pinning: in the extended protocol its Parse is refused")
{
    client(say::parse("b", "CREATE TEMP TABLE t (a int)") + say::bind("b") + say::execute());
    client(say::sync());
    server(reply::error("42601", "syntax error") + reply::ready());
    CHECK(to_client() == lines(no_temp, "Ready I"));
    CHECK(server_state().is_idle());
    forget_output();
    client(say::bind("b") + say::sync());
    CHECK(to_server() == lines("Bind - b", "Sync")); // the server knows none of that name
}

TEST_CASE_FIXTURE(Refusing, "session/pinning: a failed transaction stays one")
{
    client(say::query("x"));
    server(reply::error("42601", "syntax error") + reply::ready('E'));
    forget_output();
    client(say::query("LOAD 'a'"));
    server(reply::error("42601", "syntax error") + reply::ready('E'));
    CHECK(
        to_client()
        == lines(
            "ERROR 25P02 current transaction is aborted, commands ignored until end of transaction "
            "block",
            "Ready E"
        )
    );
}

TEST_CASE_FIXTURE(Refusing, "session/pinning: a client's own mistakes are told as they are")
{
    client(say::query("SELEC 1"));
    server(reply::error("42601", "syntax error") + reply::ready());
    CHECK(to_client() == lines("ERROR 42601 syntax error", "Ready I"));
}

TEST_CASE_FIXTURE(Prepared, "session/pinning: nothing is refused unless it is asked for")
{
    client(say::query("LISTEN a"));
    CHECK(to_server() == lines("Query LISTEN a"));
}
