// Settings in a conversation: what the server has follows what the client believes it has.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;
using session::Settings;
using session::SettingsRef;

namespace {

SettingsRef settings(std::string name, std::string value)
{
    return session::with_setting(*session::no_settings(), name, value);
}

const std::string taken = reply::complete("SET") + reply::ready();

struct Reconciling : SessionScript {
    Reconciling()
    {
        for (std::size_t i = 0; i < 3; ++i)
            server_state_of(i).defaults = settings("timezone", "UTC");
    }

    void start_with(std::string name, std::string value)
    {
        client_state().startup = settings(name, value);
        client_state().wanted = client_state().startup;
        lend(0);
        server(taken);
        forget_output();
    }
};

} // namespace

TEST_CASE_FIXTURE(
    Reconciling, "session/reconcile: a server is made fit, and the client does not see it"
)
{
    client_state().wanted = settings("timezone", "Asia/Tokyo");
    lend(0);
    client(say::query("SELECT 1"));
    CHECK(to_server() == lines("Query SET \"timezone\" TO 'Asia/Tokyo';", "Query SELECT 1"));

    server(reply::complete("SET") + reply::parameter("TimeZone", "Asia/Tokyo") + reply::ready());
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(counts.ready == 1);
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: a server that fits is left alone")
{
    start_with("timezone", "Asia/Tokyo");
    lend(0);
    CHECK(to_server() == lines());
}

TEST_CASE_FIXTURE(
    Reconciling, "session/reconcile: what a client has set goes with it, and stays with it"
)
{
    client(say::query("SET timezone TO 'Asia/Tokyo'"));
    server(reply::complete("SET") + reply::parameter("TimeZone", "Asia/Tokyo") + reply::ready());
    forget_output();
    lend(1);
    CHECK(to_server() == lines("Query SET \"timezone\" TO 'Asia/Tokyo';"));
    serve(1);
    lend(0);
    CHECK(to_server() == lines("Query RESET \"timezone\";"));
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: a value back at its default is no difference")
{
    client(say::query("BEGIN; SET timezone TO 'Asia/Tokyo'; ROLLBACK"));
    server(reply::parameter("TimeZone", "Asia/Tokyo") + reply::parameter("TimeZone", "UTC"));
    CHECK(session::same_settings(client_state().wanted, session::no_settings()));
    CHECK(session::same_settings(server_state().settings, session::no_settings()));
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: what cannot be set is not remembered")
{
    client(say::query("SET ROLE x"));
    server(reply::parameter("is_superuser", "off") + taken);
    CHECK(session::same_settings(client_state().wanted, session::no_settings()));
    CHECK(to_client() == lines("Parameter is_superuser=off", "Complete SET", "Ready I"));
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: DISCARD ALL brings the startup values back")
{
    start_with("timezone", "Asia/Tokyo");
    client(say::query("SET application_name TO 'x'"));
    server(reply::complete("SET") + reply::parameter("application_name", "x") + reply::ready());
    client(say::query("DISCARD ALL"));
    server(
        reply::complete("DISCARD ALL") + reply::parameter("TimeZone", "UTC")
        + reply::parameter("application_name", "") + reply::ready()
    );
    CHECK(session::same_settings(client_state().wanted, client_state().startup));
    forget_output();
    lend(0);
    CHECK(to_server().find("SET \"timezone\" TO 'Asia/Tokyo';") != std::string::npos);
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: SET … TO DEFAULT brings the startup value back")
{
    start_with("timezone", "Asia/Tokyo");
    forget_output();
    client(say::query("SET timezone TO DEFAULT"));
    server(reply::complete("SET") + reply::parameter("TimeZone", "UTC") + reply::ready());
    CHECK(to_client() == lines("Complete SET", "Ready I")); // it has that value already
    CHECK(*client_state().wanted->find("timezone") == "Asia/Tokyo");
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: if SET fails the server has what it had before")
{
    start_with("timezone", "Asia/Tokyo");
    serve(1);
    client_state().wanted = settings("datestyle", "nonsense");
    lend(0);
    server(reply::error("22023", "invalid value") + reply::ready());
    CHECK(to_client() == lines());
    REQUIRE(server_state().hidden_error);
    CHECK(server_state().hidden_error->message == "invalid value");
    CHECK(*server_state().settings == Settings{{{"timezone", "Asia/Tokyo"}}});
}

TEST_CASE_FIXTURE(
    Reconciling, "session/reconcile: another query of ours that fails changes no settings"
)
{
    start_with("timezone", "Asia/Tokyo");
    server_state().replies.push({.reply = session::Reply::query, .is_hidden = true});
    server(reply::error("3B001", "no such savepoint") + reply::ready('E'));
    CHECK(*server_state().settings == Settings{{{"timezone", "Asia/Tokyo"}}});
}

TEST_CASE_FIXTURE(
    Reconciling, "session/reconcile: a transaction that we abort takes its settings back"
)
{
    client(say::query("BEGIN; SET timezone TO 'Asia/Tokyo'"));
    server(reply::parameter("TimeZone", "Asia/Tokyo") + reply::complete("SET") + reply::ready('T'));
    forget_output();
    server_state().replies.push({.reply = session::Reply::query, .is_hidden = true});
    server(
        reply::error("3B001", "no such savepoint") + reply::parameter("TimeZone", "UTC")
        + reply::ready('E')
    );
    CHECK(to_client() == lines("Parameter TimeZone=UTC"));
    CHECK(session::same_settings(client_state().wanted, session::no_settings()));
}

TEST_CASE_FIXTURE(Reconciling, "session/reconcile: what a server resets without a client is known")
{
    start_with("timezone", "Asia/Tokyo");
    leave_alone();
    server_state().replies.push({.reply = session::Reply::query, .is_hidden = true});
    server(reply::complete("DISCARD ALL") + reply::parameter("TimeZone", "UTC") + reply::ready());
    CHECK(session::same_settings(server_state().settings, session::no_settings()));
}

TEST_CASE_FIXTURE(
    Reconciling, "session/reconcile: rights are given up before anything else, and taken last"
)
{
    using Entries = std::vector<Settings::Entry>;
    const Settings from{
        Entries{{"application_name", "x"}, {"role", "old"}, {"session_authorization", "other"}}
    };
    const Settings to{
        Entries{{"role", "new"}, {"session_authorization", "somebody"}, {"work_mem", "7MB"}}
    };
    CHECK(
        session::reconcile(from, to, {})
        == "RESET \"session_authorization\";RESET \"role\";RESET \"application_name\";"
           "SET \"work_mem\" TO '7MB';SET \"session_authorization\" TO 'somebody';"
           "SET \"role\" TO 'new';"
    );
    CHECK(session::reconcile(to, to, {}).empty());
    CHECK(
        session::reconcile(to, Settings{}, {})
        == "RESET \"session_authorization\";RESET \"role\";RESET \"work_mem\";"
    );
}

TEST_CASE_FIXTURE(
    Reconciling, "session/reconcile: a role that stays is given up for the others to be set"
)
{
    client_state().wanted = session::with_setting(*settings("role", "boss"), "work_mem", "7MB");
    server_state().settings = settings("role", "boss");
    lend(0);
    CHECK(
        to_server()
        == lines("Query RESET \"role\";SET \"work_mem\" TO '7MB';SET \"role\" TO 'boss';")
    );
}
