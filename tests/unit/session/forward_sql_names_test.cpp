// SQL and the protocol share one space of names for prepared statements.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace pgweir;
using namespace pgweir::test;

TEST_CASE_FIXTURE(
    Prepared, "session/forward_sql_names: EXECUTE finds what the protocol has prepared"
)
{
    client(say::query("EXECUTE a(1)"));
    CHECK(to_server() == lines("Parse a A", "Sync", "Query EXECUTE a(1)", "Close S a", "Sync"));
    server(reply::parsed() + reply::ready());
    server(reply::complete("SELECT 1") + reply::ready());
    server(reply::closed() + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_sql_names: one that cannot be parsed any more is just missing"
)
{
    client(say::query("EXECUTE a(1)"));
    server(reply::error("42P01", "no such table") + reply::ready());
    server(reply::error("26000", "no such statement") + reply::ready());
    server(reply::closed() + reply::ready());
    CHECK(to_client() == lines("ERROR 26000 no such statement", "Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Prepared, "session/forward_sql_names: PREPARE finds the name taken")
{
    client(say::query("PREPARE a AS SELECT 1"));
    CHECK(
        to_server()
        == lines("Parse a A", "Sync", "Query PREPARE a AS SELECT 1", "Close S a", "Sync")
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_sql_names: EXECUTE in the extended protocol")
{
    client(say::parse("", "EXECUTE a(1)") + say::bind("") + say::execute() + say::sync());
    CHECK(
        to_server()
        == lines(
            "Close S <A>",
            "Parse a A",
            "Sync",
            "Parse - EXECUTE a(1)",
            "Bind - -",
            "Execute",
            "Sync",
            "Close S a",
            "Sync"
        )
    ); // its rows are known when it is parsed
    server(reply::closed() + reply::parsed() + reply::ready());
    server(reply::parsed() + reply::bound());
    server(reply::complete("SELECT 1") + reply::ready());
    server(reply::closed() + reply::ready());
    CHECK(to_client() == lines("ParseComplete", "BindComplete", "Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Prepared, "session/forward_sql_names: another name is none of ours")
{
    client(say::query("EXECUTE b(1)"));
    CHECK(to_server() == lines("Query EXECUTE b(1)"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_sql_names: Parse finds a name taken that SQL has made")
{
    const session::SqlPrepared all{{"q", "PREPARE q AS SELECT 1"}};
    client_state().sql_prepared = std::make_shared<const session::SqlPrepared>(all);
    client(say::parse("q", "SELECT 2") + say::sync());
    CHECK(to_server() == lines("Parse q -", "Close S q", "Parse <SELECT 2> SELECT 2", "Sync"));
    server(reply::error("42P05", "exists already") + reply::ready());
    CHECK(to_client() == lines("ERROR 42P05 exists already", "Ready I"));
}

namespace {

struct SqlPrepared : Prepared {
    SqlPrepared()
    {
        const session::SqlPrepared all{{"p", "PREPARE p AS SELECT 1"}};
        client_state().sql_prepared = std::make_shared<const session::SqlPrepared>(all);
        server_state().sql_prepared = client_state().sql_prepared;
    }
};

} // namespace

TEST_CASE_FIXTURE(SqlPrepared, "session/forward_sql_names: Close drops what PREPARE has made")
{
    client(say::close("p") + say::sync());
    CHECK(to_server() == lines("Close S p", "Flush", "Sync"));
    server(reply::closed() + reply::ready());
    CHECK(to_client() == lines("CloseComplete", "Ready I"));
    CHECK(client_state().sql_prepared == nullptr);
    CHECK(server_state().sql_prepared == nullptr);
}

TEST_CASE_FIXTURE(SqlPrepared, "session/forward_sql_names: the name is free in the same segment")
{
    client(say::close("p") + say::parse("p", "A") + say::sync());
    CHECK(to_server() == lines("Close S p", "Flush"));
    server(reply::closed());
    CHECK(to_server() == lines("Sync"));
    server(reply::ready());
    CHECK(to_client() == lines("CloseComplete", "ParseComplete", "Ready I"));
    client(say::bind("p") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(SqlPrepared, "session/forward_sql_names: a Close that is skipped drops nothing")
{
    client(say::bind("nobody") + say::close("p") + say::sync());
    server(reply::error("26000", "prepared statement \"nobody\" does not exist") + reply::ready());
    CHECK(client_state().sql_prepared != nullptr);
    CHECK(server_state().sql_prepared == client_state().sql_prepared);
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Prepared, "session/forward_sql_names: nobody closes a statement of ours")
{
    client(say::close(server_name("A")) + say::sync());
    CHECK(to_server() == lines("Sync"));
    server(reply::ready());
    CHECK(to_client() == lines("CloseComplete", "Ready I"));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_sql_names: a name that PREPARE may have taken is tried first"
)
{
    client(say::query("BEGIN; PREPARE p AS SELECT 1"));
    server(reply::complete("BEGIN") + reply::complete("PREPARE") + reply::ready('T'));
    forget_output();
    client(say::parse("p", "A") + say::sync());
    CHECK(to_server() == lines("Parse p -", "Close S p", "Sync"));
    const std::string taken = "prepared statement \"p\" already exists";
    server(reply::error("42P05", taken) + reply::ready('E'));
    CHECK(to_client() == lines("ERROR 42P05 " + taken, "Ready E"));
    CHECK(client_state().statements->count("p") == 0);
}

TEST_CASE_FIXTURE(
    SqlPrepared, "session/forward_sql_names: one that SQL has dropped does not stay under its name"
)
{
    client(say::parse("", "DEALLOCATE p") + say::bind("") + say::execute());
    client(say::parse("p", "A") + say::sync());
    CHECK(
        to_server()
        == lines("Parse - DEALLOCATE p", "Bind - -", "Execute", "Parse p -", "Close S p", "Sync")
    );
}
