// Statements go: DEALLOCATE, DISCARD, and the limit on how many a server keeps.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

struct Deallocating : Prepared {
    void check_gone()
    {
        forget_output();
        client(say::bind("a") + say::sync());
        CHECK(to_server() == lines("Bind - a", "Sync"));
        CHECK(server_state().prepared.size() == 0);
    }
};

} // namespace

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: a query names the statement as the server does"
)
{
    client(say::query("DEALLOCATE a"));
    CHECK(to_server() == lines("Query DEALLOCATE \"<A>\""));
    server(reply::complete("DEALLOCATE") + reply::ready());
    CHECK(to_client() == lines("Complete DEALLOCATE", "Ready I"));
    check_gone();
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: a server without the statement gets one to drop"
)
{
    lend(1);
    client(say::query("DEALLOCATE PREPARE \"a\";"));
    CHECK(to_server() == lines("Parse <A> -", "Sync", "Query DEALLOCATE \"<A>\""));
    server(reply::parsed() + reply::ready() + reply::complete("DEALLOCATE") + reply::ready());
    CHECK(to_client() == lines("Complete DEALLOCATE", "Ready I"));
    check_gone();
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: the empty statement is never taken for the real one"
)
{
    lend(1);
    client(say::query("DEALLOCATE a"));
    server(reply::parsed() + reply::ready() + reply::error("57014", "canceled") + reply::ready());
    forget_output();
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(Deallocating, "session/deallocate: the extended protocol can say it too")
{
    client(say::parse("", "DEALLOCATE a") + say::bind("") + say::execute() + say::sync());
    CHECK(to_server() == lines("Parse - DEALLOCATE \"<A>\"", "Bind - -", "Execute", "Sync"));
    server(reply::parsed() + reply::bound() + reply::complete("DEALLOCATE") + reply::ready());
    CHECK(to_client() == lines("ParseComplete", "BindComplete", "Complete DEALLOCATE", "Ready I"));
    check_gone();
}

TEST_CASE_FIXTURE(Deallocating, "session/deallocate: a name made by PREPARE is passed on")
{
    client(say::query("DEALLOCATE mine"));
    CHECK(to_server() == lines("Query DEALLOCATE mine"));
    server(reply::complete("DEALLOCATE") + reply::ready());
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: if the client leaves, only the one statement is forgotten"
)
{
    client(say::parse("b", "B") + say::sync());
    server(reply::parsed() + reply::ready());
    client(say::query("DEALLOCATE a"));
    leave_alone();
    server(reply::complete("DEALLOCATE") + reply::ready());
    forget_output();
    serve(1);
    client(say::parse("x", "A") + say::parse("y", "B") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: a DEALLOCATE that failed takes no later name with it"
)
{
    client(say::query("DEALLOCATE a") + say::query("DEALLOCATE mine"));
    server(reply::error("57014", "canceled") + reply::ready());
    server(reply::complete("DEALLOCATE") + reply::ready());
    forget_output();
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: ALL forgets the names, and what the server has"
)
{
    client(say::query("DEALLOCATE ALL"));
    CHECK(to_server() == lines("Query DEALLOCATE ALL"));
    server(reply::complete("DEALLOCATE ALL") + reply::ready());
    check_gone();
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: DISCARD ALL in the extended protocol does so too"
)
{
    client(say::parse("", "DISCARD ALL") + say::bind("") + say::execute() + say::sync());
    server(reply::parsed() + reply::bound() + reply::complete("DISCARD ALL") + reply::ready());
    check_gone();
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: what uses statements waits until ALL is answered"
)
{
    client(say::query("DEALLOCATE ALL") + say::parse("a", "A") + say::sync());
    CHECK(client_stop == Stop::need_replies);
    forget_output();
    server(reply::complete("DEALLOCATE ALL") + reply::ready());
    CHECK(to_server() == lines("Parse <A> A", "Sync"));
}

TEST_CASE_FIXTURE(Deallocating, "session/deallocate: the wait ends though more was sent behind ALL")
{
    client(say::query("DISCARD ALL") + say::close("a") + say::execute() + say::parse("a", "A"));
    CHECK(client_stop == Stop::need_replies);
    forget_output();
    server(reply::complete("DISCARD ALL") + reply::ready());
    CHECK(client_stop == Stop::need_input);
    CHECK(to_server() == lines("Parse <A> A"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/deallocate: what a server keeps is limited, one Close at a time"
)
{
    options.max_prepared_statements = 2;
    for (const char* const text : {"A", "B", "C", "D"}) {
        client(say::parse(text, text) + say::sync());
        server((text < std::string{"C"} ? "" : reply::closed()) + reply::parsed() + reply::ready());
        CHECK(server_state().prepared.size() <= 2);
    }
    CHECK(
        to_server()
        == lines(
            "Parse <A> A",
            "Sync",
            "Parse <B> B",
            "Sync",
            "Close S <A>",
            "Parse <C> C",
            "Sync",
            "Close S <B>",
            "Parse <D> D",
            "Sync"
        )
    );
    CHECK(
        to_client()
        == lines(
            "ParseComplete",
            "Ready I",
            "ParseComplete",
            "Ready I",
            "ParseComplete",
            "Ready I",
            "ParseComplete",
            "Ready I"
        )
    );
}

TEST_CASE_FIXTURE(
    SessionScript, "session/deallocate: Bind brings back what was closed, and closes later"
)
{
    options.max_prepared_statements = 2;
    client(say::parse("a", "A") + say::parse("b", "B") + say::sync());
    server(reply::parsed() + reply::parsed() + reply::ready());
    client(say::parse("c", "C") + say::sync());
    server(reply::closed() + reply::parsed() + reply::ready());
    forget_output();

    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
    server(reply::parsed() + reply::bound() + reply::ready());
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Close S <B>", "Bind - <A>", "Sync"));
    server(reply::closed() + reply::bound() + reply::ready());
    CHECK(to_client() == lines("BindComplete", "Ready I", "BindComplete", "Ready I"));
    CHECK(server_state().prepared.size() == 2);
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: what a Bind needs is not closed in front of it"
)
{
    client(say::parse("b", "B") + say::parse("c", "C") + say::sync());
    server(reply::parsed() + reply::parsed() + reply::ready());
    options.max_prepared_statements = 2;
    lend(1);
    client(say::bind("a") + say::sync());
    server(reply::parsed() + reply::bound() + reply::ready());
    forget_output();

    client(say::bind("b") + say::bind("c") + say::bind("a") + say::sync());
    CHECK(
        to_server()
        == lines("Parse <B> B", "Bind - <B>", "Parse <C> C", "Bind - <C>", "Bind - <A>", "Sync")
    );
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: a Close that is skipped leaves the statement known"
)
{
    options.max_prepared_statements = 1;
    client(say::bind("a") + say::parse("b", "B") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Close S <A>", "Parse <B> B", "Sync"));
    server(reply::error("22000", "bad value") + reply::ready());
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: a statement is not parsed again before its Close is certain"
)
{
    options.max_prepared_statements = 1;
    client(say::parse("b", "B") + say::sync() + say::bind("a") + say::sync());
    CHECK(client_stop == Stop::need_replies);
    CHECK(to_server() == lines("Close S <A>", "Parse <B> B", "Sync"));
    server(reply::closed());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: what is parsed behind DEALLOCATE ALL is known to be there"
)
{
    client(say::parse("", "DEALLOCATE ALL") + say::bind("") + say::execute());
    client(say::parse("b", "B") + say::sync());
    server(reply::parsed() + reply::bound() + reply::complete("DEALLOCATE ALL"));
    server(reply::parsed() + reply::ready());
    CHECK(server_state().prepared.size() == 1);
    forget_output();
    serve(1);
    client(say::parse("c", "B") + say::parse("a", "A") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: what is named behind DEALLOCATE ALL in a pipeline stays"
)
{
    client(say::parse("", "DEALLOCATE ALL") + say::bind("") + say::execute());
    client(say::parse("b", "B") + say::sync());
    server(reply::parsed() + reply::bound() + reply::complete("DEALLOCATE ALL"));
    server(reply::parsed() + reply::ready());
    forget_output();
    client(say::bind("b") + say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <B>", "Bind - a", "Sync"));
}

TEST_CASE_FIXTURE(
    Deallocating,
    "session/deallocate: behind DEALLOCATE ALL in a pipeline nothing is there any more"
)
{
    client(say::parse("", "DEALLOCATE ALL") + say::bind("") + say::execute());
    client(say::bind("a") + say::parse("a", "A") + say::bind("a") + say::sync());
    CHECK(
        to_server()
        == lines(
            "Parse - DEALLOCATE ALL",
            "Bind - -",
            "Execute",
            "Bind - a", // PostgreSQL says that there is none
            "Close S <A>",
            "Parse <A> A",
            "Bind - <A>",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: behind DDL in a pipeline what is there may be another's"
)
{
    knowledge.catalog = std::make_shared<const session::Catalog>();
    client(say::parse("", "CREATE TEMP TABLE t (i int)") + say::bind("") + say::execute());
    client(say::bind("a") + say::bind("a") + say::sync());
    CHECK(
        to_server()
        == lines(
            "Parse - CREATE TEMP TABLE t (i int)",
            "Bind - -",
            "Execute",
            "Close S <A>",
            "Parse <A> A",
            "Bind - <A>",
            "Bind - <A>",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(
    Deallocating, "session/deallocate: a DISCARD ALL that fails takes no name, given again or not"
)
{
    client(say::parse("", "DISCARD ALL") + say::bind("") + say::execute());
    client(say::parse("a", "B") + say::sync());
    server(reply::parsed() + reply::bound() + reply::error("25001", "not here") + reply::ready());
    forget_output();
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
}
