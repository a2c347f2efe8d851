#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

std::string describe_portal() { return say::message('D', std::string_view{"P\0", 2}); }

std::string use_of(const std::string& statement)
{
    return say::bind(statement) + describe_portal() + say::execute() + say::sync();
}

const std::string old_plan = reply::error("0A000", "cached plan must not change result type");
const std::string failed = old_plan + reply::ready();

// What the driver does when it is told so.
void say_again(SessionScript& script)
{
    REQUIRE(script.server_stop == Stop::say_again);
    CHECK(script.to_client().empty());
    const session::Rerun& rerun = script.server_state().rerun;
    const Bytes said = Bytes{rerun.said}.subspan(rerun.from.value());
    const std::string again{as_text(said)};
    ++script.client_state().reruns;
    script.client(again);
}

} // namespace

TEST_CASE_FIXTURE(
    Prepared, "session/rerun: who asks for the shape of rows gets the new plan unseen"
)
{
    client(use_of("a"));
    forget_output();
    server(failed);
    say_again(*this);
    CHECK(
        to_server()
        == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Describe P -", "Execute", "Sync")
    );
    server(
        reply::closed() + reply::parsed() + reply::bound() + reply::shape() + reply::row("new")
        + reply::complete("SELECT 1") + reply::ready()
    );
    CHECK(to_client() == lines("BindComplete", "Shape", "Row new", "Complete SELECT 1", "Ready I"));
    CHECK(client_state().reruns == 0);
}

TEST_CASE_FIXTURE(
    Prepared, "session/rerun: who knows the shape of rows is told that it has changed"
)
{
    client(say::bind("a") + say::execute() + say::sync());
    server(failed);
    CHECK(to_client() == lines("ERROR 0A000 cached plan must not change result type", "Ready I"));
    CHECK(server_stop == Stop::need_input);
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: who has just parsed it knows no shape")
{
    serve(1);
    client(say::parse("b", "A") + say::bind("b") + say::execute() + say::sync());
    forget_output();
    server(reply::error("0A000", "cached plan must not change result type"));
    CHECK(to_client() == lines("ParseComplete"));
    server(reply::ready());
    say_again(*this);
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: a type that is gone is looked up anew")
{
    client(say::bind("a") + say::execute() + say::sync());
    forget_output();
    server(reply::error("XX000", "cache lookup failed for type 16401") + reply::ready());
    say_again(*this);
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: a statement that the server has lost is prepared again")
{
    client(say::bind("a") + say::execute() + say::sync());
    forget_output();
    const std::string lost = "prepared statement \"" + server_name("A") + "\" does not exist";
    server(reply::error("26000", lost) + reply::ready());
    say_again(*this);
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: a second failure is the client's to hear")
{
    client(use_of("a"));
    server(failed);
    say_again(*this);
    forget_output();
    server(reply::closed() + reply::parsed() + failed);
    CHECK(to_client() == lines("ERROR 0A000 cached plan must not change result type", "Ready I"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: in a transaction the error has undone something")
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    forget_output();
    client(use_of("a"));
    server(old_plan + reply::ready('E'));
    CHECK(to_client() == lines("ERROR 0A000 cached plan must not change result type", "Ready E"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: what came behind it has been run, and cannot be again")
{
    client(use_of("a") + say::query("other"));
    server(failed);
    CHECK(to_client() == lines("ERROR 0A000 cached plan must not change result type", "Ready I"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: what has been executed in the segment is not repeated")
{
    client(say::bind("a") + say::execute() + say::bind("a") + describe_portal() + say::sync());
    server(reply::bound() + reply::complete("INSERT 0 1") + failed);
    CHECK(
        to_client()
        == lines(
            "BindComplete",
            "Complete INSERT 0 1",
            "ERROR 0A000 cached plan must not change result type",
            "Ready I"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: what the client says meanwhile waits for its turn")
{
    client(use_of("a"));
    server(old_plan);
    client(say::query("next"));
    CHECK(client_stop == Stop::need_replies);
    CHECK(to_server() == lines("Bind - <A>", "Describe P -", "Execute", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/rerun: a server that was dead has changed nothing")
{
    options.begins_lazily = true;
    take_back();
    client(say::query("BEGIN"));
    lend(0);
    forget_output();
    const std::string said = say::parse("a", "A") + say::bind("a") + say::execute() + say::sync();
    client(said);
    REQUIRE(server_state().rerun.is_unheard);
    server(reply::error("57P01", "terminating connection", "FATAL"));
    CHECK(to_client().empty());
    REQUIRE(server_state().rerun.is_unheard);

    const Buffer again = session::take_back(server_state(), client_state());
    CHECK(as_text(again) == said);
    CHECK_FALSE(client_state().statements->contains("a"));
    CHECK(client_state().status() == 'T');

    forget_output();
    lend(1);
    client(as_text(again));
    CHECK(
        to_server()
        == lines(
            "Parse - BEGIN",
            "Bind - -",
            "Execute",
            "Close S -",
            "Close P -",
            "Parse <A> A",
            "Bind - <A>",
            "Execute",
            "Sync"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: a server that has answered anything was alive")
{
    client(use_of("a"));
    server(reply::bound());
    CHECK_FALSE(server_state().rerun.is_unheard);
    server(reply::error("57P01", "terminating connection", "FATAL"));
    CHECK(to_client() == lines("BindComplete"));
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: what was said in two pieces may have been read in part")
{
    client(say::bind("a"));
    client(say::execute() + say::sync());
    CHECK_FALSE(server_state().rerun.is_unheard);
    CHECK(server_state().rerun.said.empty());
}

TEST_CASE_FIXTURE(Prepared, "session/rerun: what is large may have been read in part")
{
    client(say::query(std::string(session::Rerun::piece_max, 'x')));
    CHECK_FALSE(server_state().rerun.is_unheard);
}
