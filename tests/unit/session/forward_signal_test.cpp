// pg_terminate_backend() and pg_cancel_backend() for the process id that another client knows.
#include <pgweir/session/signal.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace pgweir;
using namespace pgweir::test;
using session::Signal;
using session::Stop;

namespace {

constexpr ClientId other{2};

class TwoClients final : public session::Clientele {
public:
    bool is_of_own_role = true;

    [[nodiscard]] std::optional<Member> find(std::uint32_t process_id) const override
    {
        for (const ClientId id : {ClientId{1}, other}) {
            if (process_id == process_id_of(id)) return Member{id, "app", is_of_own_role};
        }
        return std::nullopt;
    }
};

struct Company : SessionScript {
    Company() { clientele = &others; }

    TwoClients others;
};

const std::string other_pid = std::to_string(process_id_of(other));
const std::string own_pid = std::to_string(process_id_of(ClientId{1}));
const std::string terminate_other = "select pg_terminate_backend(" + other_pid + ")";
const std::string by_parameter = "select pg_terminate_backend($1)";
const std::string done = reply::complete("SELECT 1") + reply::ready();

// What PostgreSQL is asked instead.
std::string permission(const std::string& sql)
{
    const std::string asked = session::permission_sql(sql, *session::read_signal_call(sql), "app");
    static_cast<void>(say::parse("", asked)); // its name is known from now on
    return asked;
}

// No formats, one value.
std::string bound_to(const std::string& statement, const std::string& value)
{
    std::string body = '\0' + statement + std::string{"\0\0\0\0\1\0\0\0", 8};
    body += static_cast<char>(value.size());
    return say::message('B', body + value + std::string(2, '\0'));
}

// In words that nobody here knows.
std::string missed(const std::string& process_id, const std::string& routine = "pg_signal_backend")
{
    return say::message(
        'N',
        std::string{"SWARNUNG\0VWARNING\0C01000\0", 25} + "MPID " + process_id
            + std::string{" ist kein Prozess\0R", 19} + routine + std::string(2, '\0')
    );
}

// One column.
std::string verdict(char value)
{
    std::string body{"\0\1\0\0\0\1", 6};
    return reply::row(body + value);
}

std::string given(SessionScript& script)
{
    const auto signal = std::exchange(script.server_state().signal, std::nullopt);
    if (!signal) return "none";
    CHECK(signal->to == other);
    return signal->terminates ? "terminate" : "cancel";
}

} // namespace

TEST_CASE("session/forward_signal: it is given before the client is told that it was")
{
    Company script;
    script.client(say::query(terminate_other));
    CHECK(script.to_server() == lines("Query " + permission(terminate_other)));
    script.server(reply::shape() + verdict('t') + done);
    CHECK(script.server_stop == Stop::need_signal);
    CHECK(script.to_client() == lines("Shape"));
    CHECK(given(script) == "terminate");
    script.server(reply::notification(1, "c", "")); // whatever comes: it is shown again
    CHECK(script.server_stop == Stop::need_input);
    CHECK(script.to_client().find("Complete SELECT 1\nReady I\n") != std::string::npos);
    CHECK(given(script) == "none");
}

TEST_CASE("session/forward_signal: also when all comes byte by byte")
{
    Company script;
    script.cut = [](std::size_t) { return 1; };
    script.client(say::query("select pg_cancel_backend(" + other_pid + ")"));
    script.server(reply::shape() + verdict('t'));
    CHECK(script.server_stop == Stop::need_signal);
    CHECK(given(script) == "cancel");
    script.server(done);
    CHECK(script.to_client().find("Ready I") != std::string::npos);
}

TEST_CASE("session/forward_signal: nobody is signalled when PostgreSQL refuses, or says false")
{
    Company script;
    script.client(say::query(terminate_other));
    script.server(reply::shape() + verdict('f') + done);
    CHECK(script.server_stop == Stop::need_input);
    CHECK(given(script) == "none");
    script.client(say::query(terminate_other));
    script.server(reply::error("42501", "must be a member of the role") + reply::ready());
    CHECK(given(script) == "none");
    script.client(say::query("select 't'"));
    script.server(reply::shape() + verdict('t') + done);
    CHECK(given(script) == "none");
}

TEST_CASE("session/forward_signal: a parameter is known when it is bound")
{
    Company script;
    script.knowledge.catalog = std::make_shared<const session::Catalog>();
    script.client(
        say::parse("", by_parameter) + bound_to("", other_pid) + say::execute() + say::sync()
    );
    const std::string asked = permission(by_parameter);
    CHECK(
        script.to_server()
        == lines(
            "Parse - " + by_parameter,
            "Parse <" + asked + "> " + asked,
            "Bind - <" + asked + ">",
            "Execute",
            "Sync"
        )
    );
    script.server(reply::parsed() + reply::parsed() + reply::bound() + verdict('t') + done);
    CHECK(script.server_stop == Stop::need_signal);
    CHECK(script.to_client() == lines("ParseComplete", "BindComplete"));
    CHECK(given(script) == "terminate");
}

TEST_CASE("session/forward_signal: the portal that was executed, not one that was bound")
{
    Company script;
    script.client(say::parse("", by_parameter) + bound_to("", other_pid));
    script.client(bound_to("", "77") + say::execute() + say::sync());
    script.server(reply::parsed() + reply::parsed() + reply::bound() + reply::bound());
    script.server(verdict('t') + done);
    CHECK(given(script) == "none");
    script.client(say::execute() + say::sync());
    script.server(reply::error("34000", "portal \"\" does not exist") + reply::ready());
    CHECK(given(script) == "none");
    CHECK(script.server_state().signal_portals.empty());
}

TEST_CASE("session/forward_signal: what names no client is passed as it is")
{
    for (const std::string& sql :
         {std::string{"select pg_terminate_backend(4711)"},
          std::string{"select pg_terminate_backend(1073999999)"},
          terminate_other + " where false"}) {
        Company script;
        script.client(say::query(sql));
        CHECK(script.to_server() == lines("Query " + sql));
        script.server(reply::shape() + verdict('t') + done);
        CHECK(given(script) == "none");
    }
    Company script;
    script.client(say::parse("s", by_parameter) + bound_to("s", "4711") + say::sync());
    const std::string name = '<' + by_parameter + '>';
    CHECK(
        script.to_server() == lines("Parse " + name + ' ' + by_parameter, "Bind - " + name, "Sync")
    );
}

TEST_CASE("session/forward_signal: in a transaction that has failed PostgreSQL says so")
{
    Company script;
    script.server_state().status = 'E';
    script.client(say::query(terminate_other));
    CHECK(script.to_server() == lines("Query " + terminate_other));
}

TEST_CASE("session/forward_signal: who means himself is signalled by his server")
{
    Company script;
    const std::string sql = "select pg_terminate_backend(" + own_pid + ")";
    script.client(say::query(sql));
    const std::string own = session::own_signal_sql(sql, *session::read_signal_call(sql));
    CHECK(script.to_server() == lines("Query " + own));
    script.server(reply::shape() + verdict('t') + done);
    CHECK(given(script) == "none");
}

TEST_CASE("session/forward_signal: who has left signals nobody")
{
    Company script;
    script.client(say::query(terminate_other));
    script.leave_alone();
    script.server(reply::shape() + verdict('t') + done);
    CHECK(script.server_stop == Stop::need_input);
    CHECK(given(script) == "none");
    CHECK(script.server_state().is_idle());
}

TEST_CASE("session/forward_signal: a call for each row is seen by the warnings that it has missed")
{
    Company script;
    script.client(say::query("select pg_terminate_backend(n) from unnest('{1,2}'::int[]) n"));
    static_cast<void>(script.to_server());
    script.server(
        reply::shape() + missed(other_pid) + verdict('f') + missed("77") + verdict('f') + done
    );
    CHECK(script.server_stop == Stop::need_signal);
    CHECK(script.to_client() == lines("Shape"));
    CHECK(given(script) == "terminate");
    script.server(""); // goes on
    CHECK(script.server_stop == Stop::need_input);
    const std::string told = script.to_client();
    CHECK(told.find("\1t") < told.find("\1f"));
    CHECK(given(script) == "none");
}

TEST_CASE(
    "session/forward_signal: … of one's own role, by one of the two functions, and nothing else"
)
{
    const std::string all = "select pg_terminate_backend(n) from unnest('{1}'::int[]) n";
    const std::string either = "select pg_terminate_backend(n), pg_cancel_backend(n) from t";
    const auto answered = [](Company& script, const std::string& query, const std::string& warning
                          ) {
        script.client(say::query(query));
        script.server(reply::shape() + warning + verdict('f') + done);
        return given(script);
    };
    Company script;
    CHECK(answered(script, all, missed(other_pid, "another_routine")) == "none");
    CHECK(answered(script, all, missed(own_pid)) == "none");
    CHECK(answered(script, either, missed(other_pid)) == "none");
    CHECK(answered(script, "select 1", missed(other_pid)) == "none");
    script.others.is_of_own_role = false;
    CHECK(answered(script, all, missed(other_pid)) == "none");
    script.others.is_of_own_role = true;
    CHECK(answered(script, "select pg_cancel_backend(n) from t", missed(other_pid)) == "cancel");
}
