#include "support/session_script.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

TEST_CASE_FIXTURE(SessionScript, "session/forward_prepared: a name of the client's is replaced")
{
    client(
        say::parse("a", "A") + say::bind("a") + say::describe("a") + say::execute() + say::sync()
    );
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Describe S <A>", "Execute", "Sync"));
    CHECK(counts.client_parses == 1);
    CHECK(counts.server_parses == 1);
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: two clients share what the server has")
{
    serve(1);
    client(say::parse("mine", "A") + say::bind("mine") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));

    server(reply::bound() + reply::ready());
    CHECK(to_client() == lines("ParseComplete", "BindComplete", "Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: another server is told of a statement first")
{
    lend(1);
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));

    server(reply::parsed() + reply::bound() + reply::ready());
    CHECK(to_client() == lines("BindComplete", "Ready I"));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_prepared: our ParseComplete keeps its turn in a pipeline"
)
{
    client(say::parse("b", "B") + say::parse("again", "A") + say::parse("c", "C") + say::sync());
    CHECK(to_server() == lines("Parse <B> B", "Parse <C> C", "Sync"));

    server(reply::parsed() + reply::error("42601", "syntax error") + reply::ready());
    CHECK(
        to_client()
        == lines("ParseComplete", "ParseComplete", "ERROR 42601 syntax error", "Ready I")
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: rows never overtake an answer of ours")
{
    client(say::close("a") + say::execute() + say::sync());
    server(reply::row("one") + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("CloseComplete", "Row one", "Complete SELECT 1", "Ready I"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: what was flushed is answered at once")
{
    client(say::parse("b", "B") + say::parse("again", "A") + say::flush());
    server(reply::parsed());
    CHECK(to_client() == lines("ParseComplete", "ParseComplete"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: Flush alone brings out our answer")
{
    client(say::parse("again", "A") + say::flush());
    CHECK(to_client() == lines("ParseComplete"));
    CHECK(to_server() == lines("Flush"));
    CHECK_FALSE(server_state().is_idle()); // there is a segment to be closed
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_prepared: a name that is taken is refused by the server"
)
{
    client(say::parse("a", "B") + say::sync());
    CHECK(to_server() == lines("Parse <A> B", "Sync"));

    server(
        reply::error("42P05", "prepared statement \"" + server_name("A") + "\" already exists")
        + reply::ready()
    );
    CHECK(to_client() == lines("ERROR 42P05 prepared statement \"a\" already exists", "Ready I"));
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync")); // it means what it meant
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: an unknown name is the server's to refuse"
)
{
    client(say::bind("nobody") + say::sync());
    CHECK(to_server() == lines("Bind - nobody", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_prepared: a Parse that fails has never been")
{
    client(say::parse("a", "A") + say::sync());
    server(reply::error("42601", "syntax error") + reply::ready());
    forget_output();

    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - a", "Sync"));
    CHECK(server_state().prepared.size() == 0);
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: an error undoes everything that it skips")
{
    client(say::bind("a") + say::close("a") + say::parse("a", "B") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Parse <B> B", "Sync"));

    server(reply::error("22000", "bad value") + reply::ready());
    CHECK(to_client() == lines("ERROR 22000 bad value", "Ready I"));
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
    CHECK(server_state().prepared.size() == 1);
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_prepared: what is sent while the server skips is not undone"
)
{
    client(say::bind("a") + say::flush());
    server(reply::error("22000", "bad value"));
    forget_output();

    client(say::close("a") + say::parse("b", "B") + say::sync());
    CHECK(to_server() == lines("Close S a", "Parse b B", "Sync"));
    server(reply::ready());
    CHECK(to_client() == lines("Ready I"));
    client(say::bind("a") + say::bind("b") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Bind - b", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: an error leaves the segments behind it alone"
)
{
    client(say::parse("a", "A") + say::sync());
    client(say::close("a") + say::parse("a", "B") + say::sync());
    server(reply::error("42601", "syntax error") + reply::ready());
    server(reply::parsed() + reply::ready());
    forget_output();

    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <B>", "Sync"));
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_prepared: one's own Parse need not be waited for")
{
    client(say::parse("a", "A") + say::sync() + say::bind("a") + say::sync());
    CHECK(client_stop == Stop::need_input);
    CHECK(to_server() == lines("Parse <A> A", "Sync", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: a second name waits for the first one's Parse"
)
{
    client(say::parse("a", "A") + say::sync() + say::parse("b", "A") + say::sync());
    CHECK(client_stop == Stop::need_replies);
    CHECK(to_server() == lines("Parse <A> A", "Sync"));

    server(reply::parsed() + reply::ready());
    CHECK(to_server() == lines("Sync"));
    CHECK(client_stop == Stop::need_input);
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: a second name is parsed if the first one failed"
)
{
    client(say::parse("a", "A") + say::sync() + say::parse("b", "A") + say::sync());
    forget_output();
    server(reply::error("53200", "out of memory") + reply::ready());
    CHECK(to_server() == lines("Parse <A> A", "Sync"));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_prepared: Close is ours to answer, the statement stays"
)
{
    client(say::close("a") + say::sync());
    CHECK(to_server() == lines("Sync"));
    server(reply::ready());
    CHECK(to_client() == lines("CloseComplete", "Ready I"));
    CHECK(server_state().prepared.size() == 1);

    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - a", "Sync"));
}

TEST_CASE_FIXTURE(
    Prepared, "session/forward_prepared: in a failed transaction the server judges Parse"
)
{
    server_state().status = 'E';
    client(say::parse("b", "A") + say::sync());
    CHECK(to_server() == lines("Parse - A", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: whether a name is taken is known after the answer"
)
{
    client(say::parse("a", "A") + say::sync() + say::parse("a", "B") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Sync"));
    CHECK(client_stop == session::Stop::need_replies);
    server(reply::error("42703", "no such column") + reply::ready());
    CHECK(to_server() == lines("Parse <B> B", "Sync"));
    server(reply::parsed() + reply::ready());
    CHECK(
        to_client() == lines("ERROR 42703 no such column", "Ready I", "ParseComplete", "Ready I")
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: our name does not show in an error")
{
    client(say::bind("a") + say::sync());
    server(
        reply::error("08P01", "prepared statement \"" + server_name("A") + "\" requires 1")
        + reply::ready()
    );
    CHECK(to_client() == lines("ERROR 08P01 prepared statement \"a\" requires 1", "Ready I"));
}

TEST_CASE_FIXTURE(
    SessionScript,
    "session/forward_prepared: a name that has failed to be made is told all the same"
)
{
    const std::string use = say::bind("a") + say::execute() + say::sync();
    client(say::parse("a", "A") + say::sync() + use + say::query("x"));
    server(reply::error("42703", "no such column") + reply::ready());
    server(
        reply::error("26000", "prepared statement \"" + server_name("A") + "\" does not exist")
        + reply::ready()
    );
    CHECK(
        to_client()
        == lines(
            "ERROR 42703 no such column",
            "Ready I",
            "ERROR 26000 prepared statement \"a\" does not exist",
            "Ready I"
        )
    );
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: a statement lost on the server is made anew")
{
    client(say::bind("a") + say::sync());
    server(
        reply::error("26000", "prepared statement \"" + server_name("A") + "\" does not exist")
        + reply::ready()
    );
    forget_output();
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: what stands in our name unknown to us is closed"
)
{
    client(say::parse("a", "A") + say::sync());
    server(
        reply::error("42P05", "prepared statement \"" + server_name("A") + "\" already exists")
        + reply::ready()
    );
    forget_output();
    client(say::parse("a", "A") + say::sync());
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Sync"));
    server(reply::closed() + reply::parsed() + reply::ready());
    CHECK(to_client() == lines("ParseComplete", "Ready I"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: a known statement is prepared without a server"
)
{
    take_back();
    client(say::parse("a", "A") + say::sync());
    CHECK(client_stop == Stop::need_server);
    lend(0);
    server(reply::parsed() + reply::ready());
    forget_output();
    take_back();
    knowledge.statements.insert(server_state_of(0).parsed.at(0));

    client(say::parse("b", "A") + say::sync());
    CHECK(client_stop == Stop::need_input);
    CHECK(to_client() == lines("ParseComplete", "Ready I"));
    client(say::bind("b") + say::sync());
    CHECK(client_stop == Stop::need_server);
    lend(1);
    CHECK(to_server() == lines("Parse <A> A", "Bind - <A>", "Sync"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: a named Parse that is too long is refused"
)
{
    options.hold_max = 1'000;
    client(say::parse("a", std::string(2'000, 'x')).substr(0, 1'500));
    CHECK(client_stop == Stop::violation);
    CHECK(problem == "a statement to prepare has 2005 bytes, more than 1000");
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_prepared: an unnamed Parse that is too long passes through"
)
{
    options.hold_max = 1'000;
    const std::string parse = say::parse("", std::string(2'000, 'x'));
    client(parse.substr(0, 1'500));
    client(parse.substr(1'500) + say::bind("") + say::sync());
    CHECK(to_server() == lines("Parse - " + std::string(2'000, 'x'), "Bind - -", "Sync"));
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: under other settings a text is another one")
{
    serve(1);
    client_state().wanted = session::with_setting(*session::no_settings(), "DateStyle", "ISO, DMY");
    client(say::parse("mine", "A") + say::sync());
    CHECK(to_server().find("<A>") == std::string::npos);
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: clients of any name share what is parsed")
{
    serve(1);
    client_state().wanted = session::with_setting(
        *session::no_settings(), "application_name", "another"
    );
    client(say::parse("mine", "A") + say::sync());
    CHECK(to_server() == lines("Sync"));
}

TEST_CASE_FIXTURE(
    Prepared,
    "session/forward_prepared: what is made elsewhere is made, and named, under the settings of now"
)
{
    client_state().wanted = session::with_setting(*session::no_settings(), "search_path", "other");
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Bind - <A>", "Sync"));
    server(reply::bound() + reply::ready());

    lend(1);
    client(say::bind("a") + say::sync());
    CHECK(to_server().find("<A>") == std::string::npos);
}

TEST_CASE_FIXTURE(Prepared, "session/forward_prepared: what tables have changed under is made anew")
{
    server_state().prepared.schema_changed();
    client(say::bind("a") + say::sync());
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Bind - <A>", "Sync"));
    server(reply::closed() + reply::parsed() + reply::bound() + reply::ready());
    CHECK(to_client() == lines("BindComplete", "Ready I"));

    server_state().prepared.schema_changed();
    serve(1);
    client(say::parse("mine", "A") + say::sync());
    CHECK(to_server() == lines("Close S <A>", "Parse <A> A", "Sync"));
}
