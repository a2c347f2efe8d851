#include "support/prng.hpp"
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

using Turn = std::pair<std::string, std::string>; // what the client says, what the server answers

// A bit of everything that is rewritten, swallowed, answered by us or streamed.
const std::vector<Turn>& long_conversation()
{
    // So long a query may have prepared anything: whether a name is taken is tried.
    const std::string tried = reply::parsed() + reply::closed();
    static const std::vector<Turn> turns{
        {say::query("SELECT '" + std::string(70'000, 'x') + "'"),
         reply::row(std::string(90'000, 'y')) + reply::complete("SELECT 1") + reply::ready()},
        {say::parse("a", std::string(40'000, 'z')) + say::describe("a")
             + say::bind("a", std::string(50'000, 'v')) + say::execute() + say::sync(),
         tried + reply::parsed() + reply::no_data() + reply::bound() + reply::row("one")
             + reply::complete("SELECT 1") + reply::ready()},
        {say::parse("", "COPY t FROM STDIN") + say::bind("") + say::execute() + say::sync(),
         reply::parsed() + reply::bound() + reply::copy_in()},
        {say::copy_data(std::string(20'000, 'd')) + say::copy_done() + say::sync(),
         reply::complete("COPY 1") + reply::ready()},
        {say::parse("b", "B") + say::close("a") + say::flush(), tried + reply::parsed()},
        {say::bind("b") + say::sync() + say::query("DEALLOCATE b"),
         reply::error("22000", "bad value") + reply::ready() + reply::complete("DEALLOCATE")
             + reply::parameter("TimeZone", "UTC") + reply::ready()},
    };
    return turns;
}

struct Transcript {
    std::string to_server;
    std::string to_client;
    bool is_idle = false;

    bool operator==(const Transcript&) const = default;
};

Transcript hold_conversation(Cut cut)
{
    SessionScript script;
    script.cut = std::move(cut);
    Transcript transcript;
    for (const auto& [said, answered] : long_conversation()) {
        script.client(said);
        script.server(answered);
    }
    transcript.to_server = script.to_server();
    transcript.to_client = script.to_client();
    transcript.is_idle = script.server_state().is_idle();
    return transcript;
}

} // namespace

TEST_CASE_FIXTURE(SessionScript, "session/forward_client: a query passes, and its answer")
{
    client(say::query("SELECT 1"));
    CHECK(to_server() == lines("Query SELECT 1"));
    CHECK_FALSE(server_state().is_idle());

    server(reply::row("1") + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Row 1", "Complete SELECT 1", "Ready I"));
    CHECK(server_state().is_idle());
    CHECK(counts.queries == 1);
    CHECK(counts.ready == 1);
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_client: a transaction keeps its server")
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    CHECK_FALSE(server_state().is_idle());
    CHECK(server_state().is_quiet());
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_client: of a big message only the front is held back"
)
{
    const std::string query = say::query(std::string(20'000, 'x'));
    client(query.substr(0, 1'000));
    CHECK(to_server().empty());
    client(query.substr(1'000, 9'000));
    CHECK(client_state().stream.remaining == query.size() - 10'000);
    CHECK(to_server() == lines("and 10000 bytes more"));
}

TEST_CASE("session/forward_client: it does not matter in what pieces a conversation comes")
{
    const Transcript whole = hold_conversation({});
    CHECK(whole.is_idle);
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        CAPTURE(seed);
        Prng prng{seed};
        const std::uint64_t size_max = std::uint64_t{1} << (4 + prng.below(14));
        const Transcript cut = hold_conversation([&](std::size_t) {
            return prng.chance(30) ? 1 : prng.below(size_max);
        });
        REQUIRE(cut == whole);
    }
}

TEST_CASE("session/forward_client: a small conversation may come byte by byte")
{
    const auto talk = [](const Cut& cut) {
        SessionScript script;
        script.cut = cut;
        script.client(say::parse("a", "A") + say::bind("a", "values") + say::describe("a"));
        script.client(say::execute() + say::sync() + say::query("DEALLOCATE a"));
        script.server(reply::parsed() + reply::bound() + reply::no_data() + reply::row("one"));
        script.server(reply::complete("SELECT 1") + reply::ready());
        script.server(reply::complete("DEALLOCATE") + reply::ready());
        return std::pair{script.to_server(), script.to_client()};
    };
    CHECK(talk([](std::size_t) { return std::size_t{1}; }) == talk({}));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_client: nothing but Terminate goes without a server"
)
{
    take_back();
    client(say::query("SELECT 1"));
    CHECK(client_stop == Stop::need_server);
    lend(0);
    CHECK(to_server() == lines("Query SELECT 1"));
    take_back();
    client(say::terminate());
    CHECK(client_stop == Stop::terminate);
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_client: what a failed COPY leaves behind needs no server"
)
{
    take_back();
    client(say::copy_data(std::string(1'000, 'd')).substr(0, 100));
    client(say::copy_data(std::string(1'000, 'd')).substr(100) + say::copy_done() + say::flush());
    CHECK(client_stop == Stop::need_input);
    CHECK(to_server() == lines());
    client(say::query("SELECT 1"));
    CHECK(client_stop == Stop::need_server);
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_client: a function call ends as a query does")
{
    client(say::function_call());
    CHECK(to_server() == lines("FunctionCall"));
    server(say::message('V', std::string(4, '\0')) + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_client: a server that awaits a Sync is not idle")
{
    client(say::bind("x") + say::flush());
    CHECK_FALSE(server_state().is_idle());
    server(reply::error("26000", "none"));
    CHECK_FALSE(server_state().is_idle());
    client(say::sync());
    server(reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_client: a Query without Sync in front may be skipped"
)
{
    client(say::bind("x") + say::query("SELECT 1"));
    server(reply::error("26000", "none"));
    CHECK_FALSE(server_state().is_quiet()); // PostgreSQL ignores whatever comes, up to a Sync
    client(say::function_call());
    CHECK_FALSE(server_state().is_quiet());
    client(say::sync());
    server(reply::ready());
    CHECK(server_state().is_idle());
    CHECK(to_client() == lines("ERROR 26000 none", "Ready I"));
}

TEST_CASE_FIXTURE(
    SessionScript, "session/forward_client: a message of no known type is a violation"
)
{
    client(say::message('?'));
    CHECK(client_stop == Stop::violation);
    CHECK(problem == "invalid frontend message type 63");
}

TEST_CASE_FIXTURE(SessionScript, "session/forward_client: an impossible length is a violation")
{
    client(std::string{"Q\0\0\0\3", 5});
    CHECK(client_stop == Stop::violation);
    CHECK(problem == "invalid message length");
}
