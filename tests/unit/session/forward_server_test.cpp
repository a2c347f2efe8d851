#include "support/session_script.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

const wire::ErrorText reason{"ERROR", "57014", "canceling statement due to query_timeout", {}, {}};

} // namespace

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: last words are the driver's to tell")
{
    client(say::query("x"));
    server(reply::row("one") + reply::error("57P01", "terminating connection", "FATAL"));
    CHECK(to_client() == lines("Row one"));
    REQUIRE(server_state().last_words);
    CHECK(server_state().last_words->message == "terminating connection");
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_server: last words are not passed on while only we have asked"
)
{
    client_state().wanted = session::with_setting(*session::no_settings(), "a", "b");
    lend(0);
    server(reply::error("57P01", "terminating connection", "FATAL"));
    CHECK(to_client().empty());
    REQUIRE(server_state().last_words);
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_server: what a server says when it is done is for nobody"
)
{
    client(say::query("x"));
    server(
        reply::complete("SELECT 1") + reply::ready()
        + reply::error("57P01", "terminating connection", "FATAL")
    );
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(server_state().last_words);
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: the states of errors are noted")
{
    client(say::query("x"));
    server(reply::error("42601", "syntax error") + reply::ready());
    REQUIRE(server_state().errors.size() == 1);
    CHECK(std::string(server_state().errors[0].data(), 5) == "42601");
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: a cancel of ours is explained")
{
    client(say::query("x"));
    server_state().cancel_reason = reason;
    server(reply::error("57014", "canceling statement due to user request") + reply::ready());
    CHECK(to_client() == lines("ERROR 57014 canceling statement due to query_timeout", "Ready I"));
    CHECK_FALSE(server_state().cancel_reason);
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_server: another error is not blamed on our cancel"
)
{
    client(say::query("x"));
    server_state().cancel_reason = reason;
    server(reply::error("22012", "division by zero") + reply::ready());
    CHECK(to_client() == lines("ERROR 22012 division by zero", "Ready I"));
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: why we aborted is said once")
{
    server_state().status = 'E';
    server_state().abort_reason = reason;
    for (int i = 0; i < 2; ++i) {
        client(say::query("x"));
        server(reply::error("25P02", "transaction is aborted") + reply::ready('E'));
    }
    CHECK(
        to_client()
        == lines(
            "ERROR 57014 canceling statement due to query_timeout",
            "Ready E",
            "ERROR 25P02 transaction is aborted",
            "Ready E"
        )
    );
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: an error at Sync drops nothing behind it")
{
    client(say::bind("x") + say::sync() + say::bind("y") + say::sync());
    server(reply::bound() + reply::error("23503", "deferred") + reply::ready());
    CHECK_FALSE(server_state().is_idle());
    server(reply::bound() + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: changes to tables are noted")
{
    client(say::query("x"));
    server(reply::complete("ALTER TABLE") + reply::ready());
    CHECK(server_state().has_changed_schema);
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_server: without a client all is swallowed, and followed"
)
{
    client(say::query("x"));
    leave_alone();
    server(reply::row("secret") + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: rows that nobody asked for reach nobody")
{
    server(reply::row("somebody else's"));
    CHECK(server_stop == Stop::violation);
    CHECK(to_client() == lines());
    CHECK(problem == "the server sent data that nobody waits for");
}

TEST_CASE("session/forward_server: what does not answer anything is a violation")
{
    for (const std::string& message :
         {reply::parsed(),
          reply::bound(),
          reply::closed(),
          reply::ready(),
          reply::no_data(),
          reply::complete("SELECT 1"),
          reply::copy_in(),
          say::message('?'),
          std::string{"Z\0\0\0\3", 5}}) {
        SessionScript script;
        CAPTURE(message.front());
        script.server(message);
        CHECK(script.server_stop == Stop::violation);
    }
}

TEST_CASE("session/forward_server: a ReadyForQuery must make sense")
{
    for (const std::string body : {"", "X", "II"}) {
        SessionScript script;
        CAPTURE(body);
        script.client(say::query("x"));
        script.server(say::message('Z', body));
        CHECK(script.server_stop == Stop::violation);
    }
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: notices may come at any time")
{
    server(say::message('N', std::string(1, '\0')) + say::message('A', std::string(6, '\0')));
    CHECK(server_stop == Stop::need_input);
    CHECK(server_state().is_idle());
}

namespace {

// What a client and a server are left with after an answer.
std::string after(const std::string& answer, const Cut& cut)
{
    SessionScript script;
    script.client(say::query("x"));
    script.cut = cut;
    script.server(answer);
    const session::ServerState& state = script.server_state();
    std::string text = script.to_client() + script.problem;
    text += " status " + std::string{state.status};
    text += state.replies.empty() ? " idle" : " busy";
    text += " ready " + std::to_string(script.counts.ready);
    text += " doubts " + names_of(state.doubts);
    text += state.has_changed_schema ? " changed" : "";
    text += state.is_fresh ? " fresh" : "";
    text += state.rerun.is_unheard ? " unheard" : "";
    text += state.has_described ? " described" : "";
    return text;
}

} // namespace

TEST_CASE("session/forward_server: an answer in one piece is what it is in many")
{
    using namespace reply;
    const std::string rows = shape() + row("one") + row("two");
    const std::string answers[] = {
        rows + complete("SELECT 2") + ready(),
        rows + complete("SELECT 2") + ready('T'),
        rows + complete("SELECT 2") + ready('E'),
        rows + complete("SELECT 2") + ready('x'),
        rows + complete("SELECT 2") + say::message('Z', "II"),
        rows + complete("SELECT 2") + ready() + ready(),
        rows + complete("SELECT 2") + notification(7, "a", "b") + ready(),
        rows + complete("") + ready(),
        rows + say::message('C') + ready(),
        rows + rows + complete("SELECT 2") + ready(),
        rows + complete("SELECT 2"),
        rows + error("22012", "division by zero") + ready(),
        shape() + complete("SELECT 0") + ready(),
        complete("SELECT 1") + ready(), // SELECT INTO
        complete("SELECT 1") + ready('T'),
        complete("SELECT 1") + complete("SELECT 1") + ready(),
        complete("CREATE TABLE") + ready(),
        complete("PREPARE") + ready(),
        complete("SET") + parameter("TimeZone", "UTC") + ready(),
        ready(),
    };
    for (const std::string& answer : answers) {
        CAPTURE(text_of_server_messages(answer));
        const std::string whole = after(answer, {});
        CHECK(whole == after(answer, [](std::size_t) { return std::size_t{1}; }));
        CHECK(whole == after(answer, [](std::size_t size) { return size / 2; }));
    }
}

TEST_CASE_FIXTURE(
    SessionScript,
    "session/forward_server: what may tell of another role of the host is looked into"
)
{
    constexpr const char* read_only = "default_transaction_read_only";
    client(say::query("SELECT 1"));
    SUBCASE("a promotion")
    {
        server(
            reply::complete("SELECT 1") + reply::parameter("in_hot_standby", "off") + reply::ready()
        );
        CHECK(to_client() == lines("Complete SELECT 1", "Parameter in_hot_standby=off", "Ready I"));
    }
    SUBCASE("nothing may be written")
    {
        server(reply::error("25006", "cannot execute INSERT") + reply::ready());
    }
    SUBCASE("an administrator's change, which the client does not take along")
    {
        server(reply::complete("SELECT 1") + reply::parameter(read_only, "on") + reply::ready());
        CHECK(client_state().wanted->find(read_only) == nullptr);
    }
    CHECK(server_state().chores.has(session::Chore::look_again));
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_server: … but not what the client has set")
{
    constexpr const char* read_only = "default_transaction_read_only";
    client(say::query("SET default_transaction_read_only = on"));
    server(reply::complete("SET") + reply::parameter(read_only, "on") + reply::ready());
    CHECK(server_state().chores.empty());
    REQUIRE(client_state().wanted->find(read_only) != nullptr);
    CHECK(*client_state().wanted->find(read_only) == "on");
}
