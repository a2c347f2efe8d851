// Unnamed prepared statements: passed as they are at first, kept by name once seen before.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

const std::string answers = reply::parsed() + reply::bound() + reply::ready();

} // namespace

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: a text seen for the first time passes unchanged")
{
    client(say::parse("", "A") + say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse - A", "Bind - -", "Sync"));
    server(answers);
    CHECK(to_client() == lines("ParseComplete", "BindComplete", "Ready I"));
    CHECK(server_state().prepared.size() == 0);
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: a text seen before is kept by name")
{
    for (int i = 0; i < 2; ++i) {
        forget_output();
        client(say::parse("", "A") + say::bind("") + say::sync());
        server(answers);
    }
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));

    client(say::parse("", "A") + say::bind("") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: they all pass unchanged if that is wanted")
{
    options.prepare_unnamed = false;
    for (int i = 0; i < 3; ++i) {
        forget_output();
        client(say::parse("", "A") + say::sync());
        server(reply::parsed() + reply::ready());
    }
    CHECK(to_server() == lines("Parse - A", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: it follows its client to another server")
{
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    forget_output();

    lend(1);
    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: nobody gets that of another client")
{
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    forget_output();

    serve(1);
    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Close S -", "Bind - -", "Sync"));
    server(reply::closed() + reply::error("26000", "there is none") + reply::ready());
    CHECK(to_client() == lines("ERROR 26000 there is none", "Ready I"));
    server_state().unknown_settings.become_known(); // as when it is given back

    serve(0);
    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/unnamed: a client that closes it takes nobody else's away"
)
{
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    serve(1);
    client(say::close("") + say::sync());
    server(reply::closed() + reply::ready());
    forget_output();

    serve(0);
    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: a simple query drops it")
{
    client(say::parse("", "A") + say::sync() + say::query("B"));
    server(reply::parsed() + reply::ready() + reply::complete("B") + reply::ready());
    forget_output();

    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Bind - -", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: a query that was skipped has not dropped it")
{
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    client(say::bind("") + say::query("B") + say::sync());
    server(reply::error("22000", "bad value") + reply::ready());
    forget_output();

    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/unnamed: a failed one does not bring back the one before the last"
)
{
    client(say::parse("", "A") + say::sync() + say::parse("", "B") + say::sync());
    server(reply::error("42601", "syntax error") + reply::ready());
    server(reply::parsed() + reply::ready());
    forget_output();

    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Bind - -", "Sync")); // B, where it stands
    lend(1);
    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse <B> B", "Bind - <B>", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: a query of ours drops it on the server alone")
{
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    server_state().replies.push({.reply = session::Reply::query, .is_hidden = true});
    leave_alone();
    server(say::message('I') + reply::ready());
    forget_output();

    serve(0);
    client(say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: a Parse that fails takes the old one with it")
{
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    client(say::parse("", "nonsense") + say::parse("", "skipped") + say::sync());
    server(reply::error("42601", "syntax error") + reply::ready());
    CHECK(client_state().unnamed == nullptr);
}

TEST_CASE_FIXTURE(SessionScript, "session/unnamed: behind what may fail, the server decides")
{
    // In a transaction that has failed PostgreSQL refuses what we could have answered.
    for (int i = 0; i < 2; ++i) {
        client(say::parse("", "A") + say::bind("") + say::sync());
        server(answers);
    }
    forget_output();
    client(say::query("BEGIN; SELECT 1/0") + say::parse("", "A") + say::sync());
    CHECK(to_server() == lines("Query BEGIN; SELECT 1/0", "Parse - A", "Sync"));
    server(
        reply::error("22012", "division by zero") + reply::ready('E')
        + reply::error("25P02", "current transaction is aborted") + reply::ready('E')
    );
    CHECK(
        to_client()
        == lines(
            "ERROR 22012 division by zero",
            "Ready E",
            "ERROR 25P02 current transaction is aborted",
            "Ready E"
        )
    );
}
