// Rows of the shape that the client was told, or PostgreSQL's error in their place (D-022).
#include <pgweir/session/shape.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::test;

namespace {

// A RowDescription of columns of type int4, by the letters that they are called.
std::string columns(std::string_view names, char type = 23, char format = 0)
{
    std::string body{'\0', static_cast<char>(names.size())};
    for (const char name : names) {
        body += name;
        body += '\0';
        body += std::string(6, '\0'); // of which table
        body += std::string{'\0', '\0', '\0', type};
        body += std::string{'\0', '\4'}; // its size
        body += std::string(4, '\xff');  // no modifier
        body += std::string{'\0', format};
    }
    return say::message('T', body);
}

session::Shape shape_of(std::string_view message)
{
    return session::shape_of_rows(as_bytes(message.substr(5)));
}

std::string describe_portal() { return say::message('D', std::string_view{"P\0", 2}); }

std::string use_of(const std::string& statement)
{
    return say::bind(statement) + say::execute() + say::sync();
}

const std::string refusal = lines(
    "Parse pgweir_refused refused by pgweir: its rows have another shape by now"
);
const std::string changed = lines("ERROR 0A000 cached plan must not change result type");
const std::string syntax_error = reply::error("42601", "syntax error at or near \"refused\"");

/// Its client was told that A has one column "a".
struct Described : Prepared {
    Described()
    {
        client(say::describe("a") + say::sync());
        server(columns("a") + reply::ready());
        forget_output();
    }

    void change_table()
    {
        client(say::query("ALTER TABLE t ADD b int"));
        server(reply::complete("ALTER TABLE") + reply::ready(server_state().status));
        forget_output();
    }

    // What goes to a server that does not have it, or not of the shape that the client knows.
    void expect_check(bool is_closed)
    {
        const std::string closes = is_closed ? lines("Close S <A>") : std::string{};
        CHECK(to_server() == closes + lines("Parse <A> A", "Describe S <A>", "Flush"));
        CHECK(client_stop == session::Stop::need_replies);
    }
};

} // namespace

TEST_CASE("session/shape: names, types and their number make it, and neither table nor format")
{
    CHECK(shape_of(columns("a")) == shape_of(columns("a")));
    CHECK(shape_of(columns("a")) == shape_of(columns("a", 23, 1)));
    CHECK(shape_of(columns("a")) != shape_of(columns("b")));
    CHECK(shape_of(columns("a")) != shape_of(columns("a", 25)));
    CHECK(shape_of(columns("ab")) != shape_of(columns("ba")));
    CHECK(shape_of(columns("a")) != shape_of(columns("ab")));
    CHECK(session::binds_rows(shape_of(columns(""))));
}

TEST_CASE("session/shape: what FETCH and EXECUTE bring may change")
{
    CHECK(session::has_lasting_shape("SELECT 1"));
    CHECK(session::has_lasting_shape(""));
    CHECK_FALSE(session::has_lasting_shape("/* all */ fetch ALL FROM c"));
    CHECK_FALSE(session::has_lasting_shape("EXECUTE s(1)"));
}

TEST_CASE_FIXTURE(Described, "session/shape: on the server that has told it nothing is asked")
{
    client(use_of("a"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Described, "session/shape: another server is asked first, once")
{
    lend(1);
    client(use_of("a"));
    expect_check(false);
    server(reply::parsed());
    CHECK(to_server().empty());
    server(columns("a"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync"));
    CHECK_FALSE(server_state().is_idle());
    server(reply::bound() + reply::row("1") + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("BindComplete", "Row 1", "Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
    client(use_of("a"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Described, "session/shape: what has another shape by now is not run")
{
    change_table();
    client(use_of("a"));
    expect_check(true);
    server(reply::closed() + reply::parsed() + columns("ab"));
    CHECK(to_server() == refusal + lines("Execute", "Sync"));
    server(syntax_error + reply::ready());
    CHECK(to_client() == changed + lines("Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Described, "session/shape: drivers see by the routine that they may prepare anew")
{
    change_table();
    client(use_of("a"));
    forget_output();
    server(reply::closed() + reply::parsed() + columns("ab"));
    session::Gather out;
    session::ServerForwarder forwarder{server_state(), &client_state(), out};
    static_cast<void>(forwarder.forward(as_bytes(syntax_error)));
    std::string told;
    for (const auto& run : out.runs()) told += as_text(out.bytes(run));
    CHECK(told.find("RRevalidateCachedQuery") != std::string::npos);
}

TEST_CASE_FIXTURE(Described, "session/shape: a statement that has no rows any more is not run")
{
    lend(1);
    client(use_of("a"));
    forget_output();
    server(reply::parsed() + reply::no_data());
    CHECK(to_server() == refusal + lines("Execute", "Sync"));
}

TEST_CASE_FIXTURE(Described, "session/shape: who is told the new one goes on with it")
{
    change_table();
    client(say::describe("a") + say::sync());
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Describe S <A>", "Sync"));
    server(reply::closed() + reply::parsed() + columns("ab") + reply::ready());
    CHECK(to_client() == lines("Shape", "Ready I"));
    client(use_of("a"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Described, "session/shape: who asks in the same segment is not refused")
{
    change_table();
    SUBCASE("for that of the statement, in front of it")
    {
        client(say::describe("a") + use_of("a"));
        CHECK(
            to_server()
            == lines(
                "Close S <A>", "Parse <A> A", "Describe S <A>", "Bind - <A>", "Execute", "Sync"
            )
        );
        server(reply::closed() + reply::parsed() + columns("ab") + reply::bound());
    }
    SUBCASE("for that of the portal, right behind it")
    {
        client(say::bind("a") + describe_portal() + say::execute() + say::sync());
        CHECK(
            to_server()
            == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Describe P -", "Execute", "Sync")
        );
        server(reply::closed() + reply::parsed() + reply::bound() + columns("ab"));
    }
    SUBCASE("for that of the portal, whatever pieces it comes in")
    {
        cut = [](std::size_t) { return std::size_t{1}; };
        client(say::bind("a") + describe_portal() + say::execute() + say::sync());
        CHECK(
            to_server()
            == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Describe P -", "Execute", "Sync")
        );
        server(reply::closed() + reply::parsed() + reply::bound() + columns("ab"));
    }
    server(reply::complete("SELECT 0") + reply::ready());
    client(use_of("a"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/shape: what a portal's rows look like is told, too")
{
    client(say::bind("a") + describe_portal() + say::execute() + say::sync());
    server(reply::bound() + columns("a") + reply::complete("SELECT 0") + reply::ready());
    forget_output();
    lend(1);
    client(use_of("a"));
    CHECK(to_server() == lines("Parse <A> A", "Describe S <A>", "Flush"));
}

TEST_CASE_FIXTURE(Prepared, "session/shape: a client that was told of no rows is asked nothing")
{
    client(say::describe("a") + say::sync());
    server(reply::no_data() + reply::ready());
    forget_output();
    lend(1);
    client(use_of("a"));
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Described, "session/shape: in a transaction it fails as with PostgreSQL")
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    change_table();
    client(use_of("a"));
    expect_check(true);
    server(reply::closed() + reply::parsed() + columns("ab"));
    forget_output();
    server(syntax_error + reply::ready('E'));
    CHECK(to_client() == changed + lines("Ready E"));
    client(use_of("a"));
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Describe S <A>", "Flush"));
    const std::string aborted = reply::error("25P02", "current transaction is aborted");
    server(reply::closed() + aborted);
    CHECK(to_server() == lines("Bind - a", "Execute", "Sync"));
    server(reply::ready('E'));
    CHECK(to_client() == lines("ERROR 25P02 current transaction is aborted", "Ready E"));
}

TEST_CASE_FIXTURE(Described, "session/shape: a table that is altered in the same segment")
{
    client(
        say::parse("", "ALTER TABLE t ADD b int") + say::bind("") + say::execute() + use_of("a")
    );
    CHECK(
        to_server()
        == lines(
            "Parse - ALTER TABLE t ADD b int",
            "Bind - -",
            "Execute",
            "Close S <A>",
            "Parse <A> A",
            "Describe S <A>",
            "Flush"
        )
    );
    server(reply::parsed() + reply::bound() + reply::complete("ALTER TABLE"));
    CHECK(to_server().empty());
    server(reply::closed() + reply::parsed() + columns("ab"));
    // It was parsed before ALTER TABLE was answered: to be certain it is asked again.
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Describe S <A>", "Flush"));
    server(reply::closed() + reply::parsed() + columns("ab"));
    CHECK(to_server() == refusal + lines("Execute", "Sync"));
    forget_output();
    server(syntax_error + reply::ready());
    CHECK(to_client() == changed + lines("Ready I"));
}

TEST_CASE_FIXTURE(Described, "session/shape: a segment behind others waits until they are answered")
{
    lend(1);
    client(say::query("SELECT 1") + use_of("a") + use_of("a"));
    CHECK(to_server() == lines("Query SELECT 1", "Parse <A> A"));
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(to_server() == lines("Describe S <A>", "Flush"));
    server(reply::parsed() + columns("a"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync", "Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Described, "session/shape: what comes before it in the segment is not undone")
{
    knowledge.catalog = std::make_shared<const session::Catalog>();
    lend(1);
    client(say::parse("", "INSERT") + say::bind("") + say::execute() + use_of("a"));
    forget_output();
    server(
        reply::parsed() + reply::bound() + reply::complete("INSERT 0 1") + reply::parsed()
        + columns("a")
    );
    CHECK(to_client() == lines("ParseComplete", "BindComplete", "Complete INSERT 0 1"));
    CHECK(to_server() == lines("Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(
    Described, "session/shape: a statement that cannot be parsed is an error, as ever"
)
{
    lend(1);
    client(use_of("a"));
    forget_output();
    server(reply::error("42P01", "relation \"t\" does not exist"));
    CHECK(to_server() == lines("Bind - a", "Execute", "Sync"));
    server(reply::ready());
    CHECK(to_client() == lines("ERROR 42P01 relation \"t\" does not exist", "Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Described, "session/shape: a name that was given back has it still")
{
    client(say::bind("nobody") + say::close("a") + say::sync());
    server(reply::error("26000", "prepared statement \"nobody\" does not exist") + reply::ready());
    forget_output();
    lend(1);
    client(use_of("a"));
    expect_check(false);
}

TEST_CASE_FIXTURE(Described, "session/shape: a name that is taken anew was told nothing")
{
    client(say::close("a") + say::parse("a", "A") + say::sync());
    server(reply::ready());
    forget_output();
    lend(1);
    client(use_of("a"));
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Execute", "Sync"));
}
