#include <pgweir/session/lazy_block.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

// What goes in front of the first message.
std::string begun(std::string_view text)
{
    return lines("Parse - " + std::string{text}, "Bind - -", "Execute", "Close S -", "Close P -");
}

// A client of transaction mode between two transactions.
struct Lazy : SessionScript {
    Lazy()
    {
        options.begins_lazily = true;
        take_back();
    }

    // Refused, for the want of a server.
    void refuse(std::string_view input)
    {
        session::Gather out;
        const wire::ErrorText error{"ERROR", "53300", "no room", {}, {}};
        static_cast<void>(session::refuse(client_state(), as_bytes(input), error, out));
    }

    void let_begin_succeed()
    {
        server(reply::parsed() + reply::bound() + reply::complete("BEGIN"));
        server(reply::closed() + reply::closed());
    }
};

} // namespace

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: BEGIN is answered, and goes with the first statement")
{
    client(say::query("begin isolation level repeatable read"));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T"));
    CHECK(client_stop == Stop::need_input);
    CHECK(client_state().status() == 'T');

    client(say::query("SELECT 1"));
    CHECK(client_stop == Stop::need_server);
    lend(0);
    CHECK(to_server() == begun("begin isolation level repeatable read") + lines("Query SELECT 1"));
    CHECK(client_state().block == nullptr);
    CHECK_FALSE(server_state().is_idle());
    let_begin_succeed();
    CHECK(to_client().empty());
    server(reply::row("1") + reply::complete("SELECT 1") + reply::ready('T'));
    CHECK(to_client() == lines("Row 1", "Complete SELECT 1", "Ready T"));

    client(say::query("COMMIT"));
    server(reply::complete("COMMIT") + reply::ready());
    CHECK(to_server() == lines("Query COMMIT"));
    CHECK(to_client() == lines("Complete COMMIT", "Ready I"));
    CHECK(server_state().is_idle());
    CHECK(counts.queries == 3);
    CHECK(counts.ready == 2);
    CHECK(counts.empty_transactions == 0);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: an empty transaction needs no server at all")
{
    client(say::query("START TRANSACTION") + say::query("END"));
    client(say::query("BEGIN") + say::query("ABORT"));
    CHECK(
        to_client()
        == lines(
            "Complete START TRANSACTION",
            "Ready T",
            "Complete COMMIT",
            "Ready I",
            "Complete BEGIN",
            "Ready T",
            "Complete ROLLBACK",
            "Ready I"
        )
    );
    CHECK(client_stop == Stop::need_input);
    CHECK(client_state().status() == 'I');
    CHECK(counts.queries == 4);
    CHECK(counts.empty_transactions == 2);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: what comes in one piece with BEGIN goes with it")
{
    client(say::query("BEGIN") + say::query("A") + say::query("COMMIT") + say::query("BEGIN"));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T"));
    CHECK(client_stop == Stop::need_server);
    lend(0);
    CHECK(to_server() == begun("BEGIN") + lines("Query A", "Query COMMIT", "Query BEGIN"));
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: it may come byte by byte")
{
    cut = [](std::size_t) { return std::size_t{1}; };
    client(say::query("BEGIN") + say::query("ROLLBACK") + say::query("start transaction"));
    CHECK(
        to_client()
        == lines(
            "Complete BEGIN",
            "Ready T",
            "Complete ROLLBACK",
            "Ready I",
            "Complete START TRANSACTION",
            "Ready T"
        )
    );
    CHECK(client_stop == Stop::need_input);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: where PostgreSQL would warn, it is asked")
{
    SUBCASE("a COMMIT without a transaction") { client(say::query("COMMIT")); }
    SUBCASE("a ROLLBACK without a transaction") { client(say::query("ROLLBACK")); }
    SUBCASE("a BEGIN inside of one") { client(say::query("BEGIN") + say::query("BEGIN")); }
    CHECK(client_stop == Stop::need_server);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: each message that needs a server brings BEGIN along")
{
    for (const std::string& message : {
             say::query(""),
             say::query("COMMIT AND CHAIN"),
             say::parse("", "A"),
             say::bind(""),
             say::execute(),
             say::describe(""),
             say::close("a"),
             say::sync(),
             say::function_call(),
         }) {
        Lazy script;
        script.client(say::query("BEGIN"));
        script.client(message);
        CAPTURE(text_of_client_messages(message));
        CHECK(script.client_stop == Stop::need_server);
        script.lend(0);
        CHECK(script.to_server().starts_with(begun("BEGIN")));
        CHECK(script.server_state().status == 'T');
    }
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: settings go in front of BEGIN")
{
    client(say::query("BEGIN") + say::query("A"));
    client_state().wanted = session::with_setting(*session::no_settings(), "timezone", "UTC");
    lend(0);
    CHECK(to_server().ends_with(begun("BEGIN") + lines("Query A")));
    server(reply::complete("SET") + reply::ready());
    CHECK(server_state().status == 'T'); // not idle again: its BEGIN is on its way
    let_begin_succeed();
    server(reply::complete("SELECT 1") + reply::ready('T'));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T", "Complete SELECT 1", "Ready T"));
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: a Parse that needs no server says that it is open")
{
    lend(0);
    client(say::parse("a", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    for (const auto& id : server_state().parsed) knowledge.statements.insert(id);
    take_back();
    serve(1);
    forget_output();
    client(say::query("BEGIN") + say::parse("b", "A") + say::sync());
    CHECK(to_client() == lines("Complete BEGIN", "Ready T", "ParseComplete", "Ready T"));
    CHECK(client_stop == Stop::need_input);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: the unnamed statement is gone with BEGIN")
{
    lend(0);
    client(say::parse("", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    take_back();
    client(say::query("BEGIN") + say::query("COMMIT") + say::bind("") + say::sync());
    forget_output();
    lend(0);
    CHECK(to_server() == lines("Close S -", "Bind - -", "Sync"));
}

TEST_CASE_FIXTURE(
    Lazy, "session/lazy_block: a transaction in which something was refused has failed"
)
{
    client(say::query("BEGIN"));
    refuse(say::query("SELECT 1"));
    CHECK(client_state().status() == 'E');
    forget_output();
    client(say::query("COMMIT"));
    CHECK(to_client() == lines("Complete ROLLBACK", "Ready I"));
    CHECK(counts.empty_transactions == 1);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: a server that comes too late is made to fail as well")
{
    client(say::query("BEGIN"));
    refuse(say::parse("", "A") + say::sync());
    forget_output();
    client(say::query("SELECT 1"));
    CHECK(client_stop == Stop::need_server);
    lend(0);
    CHECK(
        to_server()
        == lines("Query BEGIN; ROLLBACK TO SAVEPOINT \"pgweir refused\"", "Query SELECT 1")
    );
    CHECK(server_state().status == 'E');
    server(reply::complete("BEGIN") + reply::error("3B001", "no savepoint") + reply::ready('E'));
    CHECK(to_client().empty());
    CHECK_FALSE(server_state().hidden_error.has_value());
    server(reply::error("25P02", "aborted") + reply::ready('E'));
    CHECK(to_client() == lines("ERROR 25P02 aborted", "Ready E"));
}

TEST_CASE_FIXTURE(
    Lazy, "session/lazy_block: behind a BEGIN that fails after all nothing runs, and it is told"
)
{
    client(say::query("BEGIN") + say::query("A"));
    lend(0);
    forget_output();
    server(reply::error("57014", "canceled"));
    CHECK(to_client().empty());
    REQUIRE(server_state().hidden_error.has_value());
    CHECK(server_state().hidden_error->sqlstate == "57014");
    CHECK(server_state().replies.is_skipping()); // A as well: only a Sync ends that
    CHECK(server_state().is_unsynced);
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: of a message in part the server hears nothing yet")
{
    const std::string query = say::query("SELECT 1");
    client(say::query("BEGIN") + query.substr(0, 9));
    CHECK(client_stop == Stop::need_server);
    lend(0);
    CHECK(client_stop == Stop::need_input);
    CHECK(to_server().empty());
    CHECK(server_state().is_idle());
    client(query.substr(9));
    CHECK(to_server() == begun("BEGIN") + lines("Query SELECT 1"));
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: a known statement is parsed in it without the server")
{
    lend(0);
    client(say::parse("a", "A") + say::sync());
    server(reply::parsed() + reply::ready());
    take_back();
    client(say::query("BEGIN"));
    forget_output();
    serve(1);
    client(say::query("BEGIN") + say::parse("b", "A") + say::bind("b") + say::sync());
    lend(0);
    CHECK(to_server() == begun("BEGIN") + lines("Bind - <A>", "Sync"));
    let_begin_succeed();
    server(reply::bound() + reply::ready('T'));
    CHECK(
        to_client()
        == lines("Complete BEGIN", "Ready T", "ParseComplete", "BindComplete", "Ready T")
    );
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: with a server, or switched off, BEGIN goes there")
{
    SUBCASE("it has one")
    {
        lend(0);
        client(say::query("BEGIN"));
    }
    SUBCASE("switched off")
    {
        options.begins_lazily = false;
        client(say::query("BEGIN"));
        CHECK(client_stop == Stop::need_server);
        lend(0);
    }
    CHECK(to_server() == lines("Query BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T"));
}

TEST_CASE_FIXTURE(Lazy, "session/lazy_block: switched off meanwhile, it still goes first")
{
    client(say::query("BEGIN"));
    options.begins_lazily = false;
    client(say::query("COMMIT") + say::query("BEGIN"));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T", "Complete COMMIT", "Ready I"));
    CHECK(client_stop == Stop::need_server);
}
