// Notifications in a conversation: each once, from the server or from the listener, and one's own
// before the transaction is over.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace pgweir;
using namespace pgweir::test;
using session::make_channels;
using session::Stop;

namespace {

constexpr std::uint32_t own_pid = 100;
const std::string listened = reply::complete("LISTEN") + reply::ready();

// Its session has "a", which the listener tells.
struct Shared : SessionScript {
    Shared()
    {
        client_state().channels = make_channels({"a"});
        client_state().listening = std::make_unique<session::Listening>(ClientId{1}, "cut");
        session::Listening& listening = *client_state().listening;
        static_cast<void>(listening.want({"a"}));
        listening.cut_came(listening.cut_here());
        listening.has_caught_up = true;
        server_state_of(0).process_id = own_pid;
        lend(0);
    }

    // As the listener's answer does.
    void catch_up()
    {
        server_state().own_notifications = 0;
        client_state().listening->has_caught_up = true;
        server({});
    }
};

} // namespace

TEST_CASE("session/listening_forward: who has never listened is told what comes")
{
    SessionScript script;
    script.server(reply::notification(7, "a", "1"));
    CHECK(script.to_client() == lines("Notification 7 a=1"));
    script.leave_alone();
    script.server(reply::notification(7, "a", "2"));
    CHECK(script.to_client() == lines());
}

TEST_CASE("session/listening_forward: one's own comes from the process of BackendKeyData")
{
    SessionScript script;
    script.server_state().process_id = own_pid;
    script.client(say::query("NOTIFY a"));
    script.server(reply::complete("NOTIFY") + reply::notification(own_pid, "a", "mine"));
    script.server(reply::notification(7, "a", "yours") + reply::ready());
    const std::string pid = std::to_string(process_id_of(script.client_state().id));
    CHECK(
        script.to_client()
        == lines(
            "Complete NOTIFY",
            "Notification " + pid + " a=mine",
            "Notification 7 a=yours",
            "Ready I"
        )
    );
    script.cut = [](std::size_t) { return 1; };
    script.client(say::query("NOTIFY a"));
    script.server(reply::notification(own_pid, "a", "mine") + reply::ready());
    CHECK(script.to_client() == lines("Notification " + pid + " a=mine", "Ready I"));
}

TEST_CASE("session/listening_forward: no process has that number, and libpq takes it")
{
    constexpr std::uint32_t linux_max = 1U << 22U;
    for (const std::uint64_t id : {0ULL, 1ULL, 0x3fffffffULL, 0x40000000ULL, ~0ULL}) {
        CHECK(process_id_of(ClientId{id}) > linux_max);
        CHECK(static_cast<std::int32_t>(process_id_of(ClientId{id})) > 0);
    }
    CHECK(process_id_of(ClientId{1}) != process_id_of(ClientId{2}));
}

TEST_CASE("session/listening_forward: also while we ask its server something")
{
    SessionScript script;
    script.server_state().doubts = session::Part::channels;
    script.ask();
    script.server(reply::notification(7, "a", "1"));
    CHECK(script.to_client() == lines("Notification 7 a=1"));
}

TEST_CASE_FIXTURE(Shared, "session/listening_forward: a server that is lent gets its channels")
{
    CHECK(to_server() == lines("Query LISTEN \"a\""));
    server(listened);
    CHECK(to_client() == lines());
    CHECK(server_state().doubts.empty()); // it was ours
    take_back();
    lend(0);
    CHECK(to_server() == lines());

    take_back();
    serve(1);
    lend(0);
    CHECK(to_server() == lines("Query UNLISTEN *"));
    client(say::query("SELECT 1"));
    server(reply::notification(7, "a", "not for him"));
    server(reply::complete("UNLISTEN") + reply::ready());
    CHECK(to_client() == lines());
    CHECK(server_state().channels == nullptr);
}

TEST_CASE_FIXTURE(
    Shared, "session/listening_forward: settings and channels go in one after another"
)
{
    take_back();
    client_state().wanted = session::with_setting(*session::no_settings(), "work_mem", "7MB");
    forget_output();
    lend(1);
    CHECK(to_server() == lines("Query SET \"work_mem\" TO '7MB';", "Query LISTEN \"a\""));
    client(say::query("SELECT 1"));
    server(reply::complete("SET") + reply::ready());
    server(reply::notification(7, "b", "of whoever had it before"));
    server(listened);
    CHECK(to_client() == lines());
    server(reply::notification(7, "b", "mine"));
    CHECK(to_client() == lines("Notification 7 b=mine"));
}

TEST_CASE_FIXTURE(Shared, "session/listening_forward: what the listener tells, a server need not")
{
    server(listened);
    client(say::query("SELECT 1"));
    server(reply::notification(7, "a", "1") + reply::notification(7, "b", "2"));
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Notification 7 b=2", "Complete SELECT 1", "Ready I"));
    CHECK(server_stop == Stop::need_input);
}

TEST_CASE_FIXTURE(
    Shared, "session/listening_forward: one's own is waited for before the end is told"
)
{
    server(listened);
    client(say::query("NOTIFY a") + say::query("SELECT 1"));
    server(reply::complete("NOTIFY") + reply::notification(own_pid, "a", "") + reply::ready());
    CHECK(to_client() == lines("Complete NOTIFY"));
    CHECK(server_stop == Stop::need_news);
    CHECK(server_state().own_notifications == 1);
    server(reply::complete("SELECT 1"));
    CHECK(to_client() == lines());
    catch_up();
    CHECK(to_client() == lines("Ready I", "Complete SELECT 1"));
    server(reply::ready());
    CHECK(server_stop == Stop::need_news);
    catch_up();
    CHECK(to_client() == lines("Ready I"));
    CHECK(server_stop == Stop::need_input);
    CHECK(server_state().is_idle());
    CHECK(counts.ready == 2);
}

TEST_CASE_FIXTURE(
    Shared, "session/listening_forward: others' are waited for at the end of each transaction"
)
{
    server(listened);
    client_state().listening->has_caught_up = false;
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    CHECK(to_client() == lines("Complete BEGIN", "Ready T")); // PostgreSQL tells nothing in one
    client(say::query("COMMIT"));
    server(reply::complete("COMMIT") + reply::ready());
    CHECK(to_client() == lines("Complete COMMIT"));
    CHECK(server_stop == Stop::need_news);
    catch_up();
    CHECK(to_client() == lines("Ready I"));
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Shared, "session/listening_forward: nor by who has nothing from the listener")
{
    server(listened);
    static_cast<void>(client_state().listening->want({}));
    client_state().listening->has_caught_up = false;
    client(say::query("SELECT 1"));
    server(reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
}

TEST_CASE_FIXTURE(
    Shared, "session/listening_forward: the listener's own server keeps what it hears"
)
{
    server(listened);
    server_state().heard = std::make_unique<std::vector<session::Notification>>();
    leave_alone();
    server(reply::notification(7, "a", "1") + reply::notification(8, "b", "2"));
    const auto& heard = *server_state().heard;
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].process_id == 7);
    CHECK(heard[0].channel == "a");
    CHECK(heard[1].payload == "2");
}

TEST_CASE_FIXTURE(
    Shared, "session/listening_forward: a LISTEN of ours that fails spoils the server"
)
{
    CHECK(server_state().chores.empty());
    server(reply::error("53200", "out of memory") + reply::ready());
    CHECK(server_state().chores.has(session::Chore::reset));
    CHECK(server_state().hidden_error);
}

TEST_CASE_FIXTURE(
    Shared, "session/listening_forward: the answer to our question names the channels"
)
{
    server(listened);
    server_state().doubts = session::Part::channels;
    ask();
    server(
        reply::shape() + reply::answer_row("channels", "c", "")
        + reply::answer_row("channels", "a", "") + reply::complete("SELECT 2") + reply::ready()
    );
    take_answer();
    CHECK(*client_state().channels == session::Channels{"a", "c"});
    CHECK(server_state().channels == client_state().channels);
    CHECK(names_of(client_state().pins) == "channels");
    server_state().doubts = session::Part::channels;
    ask();
    server(reply::shape() + reply::complete("SELECT 0") + reply::ready());
    take_answer();
    CHECK(client_state().channels == nullptr);
    CHECK(client_state().pins.empty());
}
