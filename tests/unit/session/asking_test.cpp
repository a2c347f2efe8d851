// The hidden question in a conversation, and the doubts that answers raise by themselves.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace pgweir::test;
using session::Part;
using session::Parts;
using session::Stop;

namespace {

// A client whose database was asked before: what it does is the only thing in doubt.
struct Asking : SessionScript {
    Asking() { knowledge.catalog = std::make_shared<const session::Catalog>(); }

    [[nodiscard]] std::string doubts() { return names_of(server_state().doubts); }

    void ask_about(session::Parts parts)
    {
        server_state().doubts |= parts;
        ask();
        forget_output();
    }

    // Each piece that is shown has at most so many bytes.
    void cut_to(std::size_t size)
    {
        cut = [size](std::size_t) { return size; };
    }

    std::string wanted(const std::string& name)
    {
        const std::string* const value = client_state().wanted->find(name);
        return value != nullptr ? *value : "nothing";
    }
};

session::SettingsRef settings(const char* name, const char* value)
{
    return session::with_setting(*session::no_settings(), name, value);
}

} // namespace

TEST_CASE_FIXTURE(Asking, "session/asking: the client sees nothing of the question")
{
    client(say::query("SET work_mem = '7MB'"));
    server(reply::complete("SET") + reply::ready());
    CHECK(to_client() == lines("Complete SET", "Ready I"));
    CHECK(to_server() == lines("Query SET work_mem = '7MB'"));
    CHECK(doubts() == "settings");
    CHECK(counts.ready == 1);

    ask();
    CHECK(to_server().starts_with("Query SELECT 'setting'"));
    CHECK_FALSE(server_state().is_idle());
    server(
        reply::shape() + reply::answer_row("setting", "work_mem", "7MB")
        + reply::answer_row("setting", "role", "none") + reply::complete("SELECT 2")
        + reply::ready()
    );
    CHECK(to_client() == lines());
    CHECK(counts.ready == 1);
    CHECK(server_state().is_idle());
    take_answer();
    CHECK(wanted("work_mem") == "7MB");
    CHECK(doubts() == "");
}

TEST_CASE_FIXTURE(Asking, "session/asking: rows are collected whole, in whatever pieces they come")
{
    const std::string long_value(40'000, 'v'); // longer than what is looked at of other messages
    const std::string answer = reply::shape() + reply::answer_row("setting", "a.a", "1")
                               + reply::answer_row("setting", "a.long", long_value.c_str())
                               + reply::answer_row("channels", "", "")
                               + reply::answer_row("setting", "a.null", nullptr)
                               + reply::complete("SELECT 4") + reply::ready();
    for (const std::size_t size : {1U, 2U, 3U, 7U, 64U, 1000U, 39'000U, 1'000'000U}) {
        CAPTURE(size);
        Asking again;
        again.cut_to(size);
        again.ask_about(session::askable_parts);
        again.server(answer);
        CHECK(again.to_client() == lines());
        REQUIRE(again.server_stop == Stop::need_input);
        REQUIRE(again.server_state().is_idle());
        again.take_answer();
        CHECK(again.wanted("a.a") == "1");
        CHECK(again.wanted("a.long") == long_value);
        CHECK(again.wanted("a.null") == "nothing");
        CHECK(names_of(again.client_state().pins) == "channels");
    }
}

TEST_CASE_FIXTURE(Asking, "session/asking: what is too long to be carried keeps its server")
{
    const std::string long_value(2'000'000, 'v');
    const std::string answer = reply::shape() + reply::answer_row("setting", "a.a", "1")
                               + reply::answer_row("prepared", "p", long_value.c_str())
                               + reply::answer_row("setting", "a.b", "2")
                               + reply::complete("SELECT 3") + reply::ready();
    for (const std::size_t size : {100'000U, 1'999'000U, 3'000'000U}) {
        CAPTURE(size);
        Asking again;
        again.cut_to(size);
        again.ask_about(Parts{Part::settings} | Part::prepared_statements);
        again.server(answer);
        CHECK(again.to_client() == lines());
        REQUIRE(again.server_stop == Stop::need_input);
        REQUIRE(again.server_state().is_idle());
        again.take_answer();
        CHECK(again.wanted("a.a") == "1");
        CHECK(again.wanted("a.b") == "2");
        CHECK(names_of(again.client_state().pins) == "prepared_statements");
        again.ask_about(Parts{Part::settings} | Part::prepared_statements);
        again.server(reply::complete("SELECT 0") + reply::ready());
        again.take_answer();
        CHECK(again.client_state().pins.empty());
    }
}

TEST_CASE_FIXTURE(
    Asking, "session/asking: what the server tells by itself meanwhile is the client's"
)
{
    ask_about(Part::settings);
    server(reply::shape() + reply::parameter("TimeZone", "UTC") + reply::complete("SELECT 0"));
    CHECK(to_client() == lines("Parameter TimeZone=UTC"));
}

TEST_CASE_FIXTURE(Asking, "session/asking: a row that answers something else closes the server")
{
    ask_about(Part::settings);
    server(reply::shape() + reply::answer_row("nonsense", "", ""));
    CHECK(server_stop == Stop::violation);
    CHECK(problem == "the server sent a row that does not answer what it was asked");
    CHECK(to_client() == lines());
}

TEST_CASE_FIXTURE(Asking, "session/asking: a question that fails is told to the driver alone")
{
    ask_about(Part::settings);
    server(reply::error("57014", "canceling statement due to statement timeout") + reply::ready());
    CHECK(to_client() == lines());
    CHECK(server_state().is_idle());
    REQUIRE(server_state().hidden_error);
    CHECK(server_state().hidden_error->sqlstate == "57014");
    CHECK(server_state().errors.empty()); // it is none of the client's
}

TEST_CASE_FIXTURE(
    Asking, "session/asking: rows of the client's own queries are its own, before and after"
)
{
    client(say::query("SELECT 1"));
    server(reply::shape() + reply::row("one") + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Shape", "Row one", "Complete SELECT 1", "Ready I"));
    ask_about(Part::settings);
    server(reply::answer_row("setting", "a.b", "1") + reply::complete("SELECT 1") + reply::ready());
    take_answer();
    client(say::query("SELECT 2"));
    server(reply::shape() + reply::row("two") + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Shape", "Row two", "Complete SELECT 1", "Ready I"));
}

TEST_CASE_FIXTURE(Asking, "session/asking: SELECT INTO is known by an answer without a shape")
{
    client(say::query("SELECT 1 INTO TEMP t"));
    CHECK(doubts() == ""); // too frequent a text to be read further
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(doubts() == "temp_objects");
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
}

TEST_CASE_FIXTURE(Asking, "session/asking: a SELECT that has a shape raises no doubt")
{
    for (const std::size_t size : {1U, 5U, 1000U}) {
        CAPTURE(size);
        cut_to(size);
        client(say::query("SELECT 1"));
        server(reply::shape() + reply::row("1") + reply::complete("SELECT 1") + reply::ready());
        client(say::query("SELECT 1 WHERE false"));
        server(reply::shape() + reply::complete("SELECT 0") + reply::ready());
        CHECK(doubts() == "");
    }
}

TEST_CASE_FIXTURE(
    Asking, "session/asking: one that broke off after its shape is not taken for the next"
)
{
    client(say::query("SELECT 1 / i FROM t") + say::query("SELECT 1 INTO TEMP t"));
    server(reply::shape() + reply::error("22012", "division by zero") + reply::ready());
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(doubts() == "temp_objects");
}

TEST_CASE_FIXTURE(Asking, "session/asking: rows of our own are not taken for those of the next")
{
    client_state().wanted = settings("search_path", "public"); // set by a SELECT
    lend(1);
    client(say::query("SELECT 1 INTO TEMP t"));
    server(reply::shape() + reply::row("public") + reply::complete("SELECT 1") + reply::ready());
    CHECK(doubts() == "");
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(doubts() == "temp_objects");
}

TEST_CASE_FIXTURE(
    Asking, "session/asking: the shape of a described statement is not that of a query"
)
{
    client(say::parse("", "SELECT 1") + say::describe("") + say::sync());
    server(reply::parsed() + reply::shape() + reply::ready());
    client(say::query("SELECT 1 INTO TEMP t"));
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(doubts() == "temp_objects");
}

TEST_CASE_FIXTURE(Asking, "session/asking: the extended protocol tells by its text instead")
{
    client(say::parse("", "SELECT 1 INTO TEMP t") + say::bind("") + say::execute() + say::sync());
    CHECK(doubts() == "temp_objects");
    server_state().doubts = {};
    server(reply::parsed() + reply::bound() + reply::complete("SELECT 1") + reply::ready());
    CHECK(doubts() == "");
}

TEST_CASE_FIXTURE(Asking, "session/asking: tags raise what no text has told")
{
    const auto doubts_of = [&](std::string_view tag) {
        client(say::query("SELECT 1"));
        server_state().doubts = {};
        server(reply::complete(tag) + reply::ready());
        return doubts();
    };
    CHECK(doubts_of("LISTEN") == "channels");
    CHECK(doubts_of("PREPARE") == "prepared_statements");
    CHECK(doubts_of("INSERT 0 1") == "");
    CHECK(doubts_of("CREATE TABLE") == "");
}

TEST_CASE_FIXTURE(Asking, "session/asking: a Bind may do again what its statement does")
{
    client(say::parse("s", "SET work_mem = '7MB'") + say::sync());
    server(reply::parsed() + reply::ready());
    server_state().doubts = {};
    client(say::bind("s") + say::execute() + say::sync());
    CHECK(doubts() == "settings");
}

TEST_CASE_FIXTURE(Asking, "session/asking: a query too long to be read may do anything")
{
    const std::string blanks(10'000, ' ');
    client(say::query("SELECT 1" + blanks));
    CHECK(doubts() == names_of(session::askable_parts));
}
