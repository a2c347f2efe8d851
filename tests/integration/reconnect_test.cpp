// What replaces servers: RECONNECT, and that they say nothing any more.
#include "support/daemon.hpp"
#include "support/fake_server.hpp"
#include "support/wait.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <string>

using namespace pgweir::test;

namespace {

std::string server_of(Connection& client)
{
    return client.query("SELECT pg_backend_pid() + 0").text();
}

} // namespace

TEST_CASE(
    "integration/reconnect: idle servers are replaced at once, others after their transaction"
    * pooler_only()
)
{
    const Pgweir pgweir{{.flags = {"--pool-size", "2"}}};
    Connection idle = pgweir.connect();
    Connection busy = pgweir.connect();
    busy.query("BEGIN; SELECT 1");
    const std::string was_idle = server_of(idle);
    const std::string was_busy = server_of(busy);
    REQUIRE(was_idle != was_busy);

    CHECK(pgweir.console().query("RECONNECT").text() == "RECONNECT");
    wait_until([&] { return server_of(idle) != was_idle; }, "the idle server is replaced");
    CHECK(server_of(busy) == was_busy);
    busy.query("COMMIT");
    wait_until([&] { return server_of(busy) != was_busy; }, "the other one, too");
    CHECK(server_of(idle) != was_busy);
}

TEST_CASE("integration/reconnect: a connect that is under way is not used any more" * pooler_only())
{
    std::binary_semaphore may_go_on{0};
    std::atomic<int> connections = 0;
    std::atomic<bool> is_old_one_used = false;
    FakeServer server{[&](Stream& stream) {
        const bool is_old = connections++ == 0;
        if (!is_old) return serve_politely(stream);
        may_go_on.acquire();
        accept_login(stream);
        while (read_message(stream).type != 'X') is_old_one_used = true;
    }};
    const Pgweir pgweir{in_front_of(server)};
    auto answer = std::async(std::launch::async, [&] {
        return pgweir.connect().query("SELECT 1").text();
    });
    wait_until([&] { return connections == 1; }, "the first server is asked for");
    CHECK(pgweir.console().query("RECONNECT").text() == "RECONNECT");
    may_go_on.release();
    CHECK(answer.get() == "1");
    CHECK(connections == 2);
    CHECK_FALSE(is_old_one_used);
}

TEST_CASE(
    "integration/reconnect: a server that answers no more is found while idle" * pooler_only()
)
{
    std::atomic<int> connections = 0;
    FakeServer server{[&](Stream& stream) {
        if (connections++ > 0) return serve_politely(stream);
        accept_login(stream);
        static_cast<void>(read_message(stream));
        stream.write(polite_answer());
        while (read_message(stream).type != 'X') {
        }
    }};
    Start start = in_front_of(server);
    for (const char* const setting :
         {"pool.server_check_delay=1s", "pool.cancel_wait_timeout=500ms", "pool.min_size=1"}) {
        start.flags.insert(start.flags.end(), {"--set", setting});
    }
    const Pgweir pgweir{start};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    wait_until([&] { return connections == 2; }, "the silent server is replaced");
    CHECK(client.query("SELECT 1").text() == "1");
}
