#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>

using namespace pgweir::test;

namespace {

Start sized(const std::string& size, const std::string& workers = "2")
{
    return {.flags = {"--pool-size", size, "--workers", workers}};
}

void start_sleeping(Connection& client, const std::string& seconds)
{
    client.send("SELECT 'slept' FROM pg_sleep(" + seconds + ")");
    client.flush();
}

} // namespace

TEST_CASE("integration/cancel: a running query ends with 57014 and its connection lives on")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    const int server = client.backend_pid();
    for (int i = 0; i < 3; ++i) {
        start_sleeping(client, "60");
        postgres().wait_for_sleepers(1);
        CHECK(client.cancel().empty());
        CHECK(client.only_result().text() == "ERROR 57014");
    }
    CHECK(client.backend_pid() == server);
}

TEST_CASE("integration/cancel: only the query that was meant is cancelled")
{
    const Pgweir pgweir{sized("3")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    Connection third = pgweir.connect();
    for (Connection* client : {&first, &second, &third}) start_sleeping(*client, "1.5");
    postgres().wait_for_sleepers(3);
    CHECK(second.cancel().empty());
    CHECK(second.only_result().text() == "ERROR 57014");
    CHECK(first.only_result().text() == "slept");
    CHECK(third.only_result().text() == "slept");
}

TEST_CASE("integration/cancel: a client that is idle cannot cancel who has its server now")
{
    const Pgweir pgweir{sized("1")};
    Connection idle = pgweir.connect();
    Connection busy = pgweir.connect();
    if (!is_direct()) CHECK(idle.backend_pid() == busy.backend_pid());
    start_sleeping(busy, "0.7");
    postgres().wait_for_sleepers(1);
    for (int i = 0; i < 5; ++i) CHECK(idle.cancel().empty());
    CHECK(busy.only_result().text() == "slept");
    CHECK(idle.query("SELECT 1").text() == "1"); // and the cancel was not kept for later
}

TEST_CASE(
    "integration/cancel: a client that waits for a server does not hit who runs on it"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection busy = pgweir.connect();
    Connection waiting = pgweir.connect();
    start_sleeping(busy, "1");
    postgres().wait_for_sleepers(1);
    start_sleeping(waiting, "0.1");
    pgweir.wait_for_waiting(1);
    CHECK(waiting.cancel().empty());
    CHECK(busy.only_result().text() == "slept");
    const std::string text = waiting.only_result().text(
    ); // cancelled before it began, or never cancelled
    CAPTURE(text);
    CHECK((text == "slept" || text == "ERROR 57014"));
    CHECK(waiting.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/cancel: an idle transaction is not harmed")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    CHECK(client.cancel().empty());
    CHECK(client.query("SELECT 1").text() == "1");
    CHECK(client.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/cancel: a storm of cancels never hits another client of the same server")
{
    const Pgweir pgweir{sized("1", "1")};
    Connection hasty = pgweir.connect();
    Connection calm = pgweir.connect();
    const std::jthread canceller{[&](const std::stop_token& end) {
        while (!end.stop_requested()) static_cast<void>(hasty.cancel());
    }};
    int served = 0;
    for (int i = 0; i < 100; ++i) {
        start_sleeping(hasty, "0.002");
        served += calm.query("SELECT 1").text() == "1" ? 1 : 0;
        const std::string text = hasty.only_result().text();
        CHECK((text == "slept" || text == "ERROR 57014"));
    }
    CHECK(served == 100);
}

TEST_CASE("integration/cancel: a key that nobody has is ignored")
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"}
    };
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.send(message::query("SELECT 'slept' FROM pg_sleep(0.7)"));
    postgres().wait_for_sleepers(1);

    std::string wrong = client.cancel_key();
    wrong.back() = static_cast<char>(wrong.back() ^ 1);
    for (const std::string& key : {wrong, std::string(8, '\0'), std::string(100, 'k')}) {
        WireClient request{pgweir.target()};
        request.send(message::cancel_request(key));
        request.stream().shut_down_writing();
        CHECK(request.stream().read_to_end().empty()); // never an answer, as in PostgreSQL
    }
    CHECK(client.receive_until('Z') == "T(1) D(slept) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/cancel: the long key of protocol 3.2 works" * pooler_only())
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"}
    };
    WireClient client{pgweir.target()};
    client.log_in("app_trust", {}, message::version_3_2);
    client.send(message::query("SELECT pg_sleep(60)"));
    postgres().wait_for_sleepers(1);
    WireClient request{pgweir.target()};
    request.send(message::cancel_request(client.cancel_key()));
    CHECK(request.stream().read_to_end().empty());
    CHECK(client.receive_until('Z') == "T(1) E(57014) Z(I)");
}

TEST_CASE("integration/cancel: it works where TLS is required, with TLS and without")
{
    const Identity& identity = postgres().certificates().server();
    const Pgweir pgweir{{
        .flags =
            {"--pool-size",
             "1",
             "--set",
             "client_tls.mode=require",
             "--set",
             "client_tls.cert_file=" + identity.cert_file.string(),
             "--set",
             "client_tls.key_file=" + identity.key_file.string(),
             "--set",
             "auth.method=trust"},
        .user = "app_trust",
    }};
    for (const bool is_secret : {true, false}) {
        CAPTURE(is_secret);
        WireClient client{pgweir.target()};
        client.send(message::ssl_request());
        CHECK(client.stream().read_exactly(1) == "S");
        client.stream().start_tls({});
        client.log_in("app_trust");
        client.send(message::query("SELECT pg_sleep(60)"));
        postgres().wait_for_sleepers(1);

        WireClient request{pgweir.target()};
        if (is_secret) {
            request.send(message::ssl_request());
            CHECK(request.stream().read_exactly(1) == "S");
            request.stream().start_tls({});
        }
        request.send(message::cancel_request(client.cancel_key()));
        CHECK(request.stream().read_to_end().empty());
        CHECK(client.receive_until('Z') == "T(1) E(57014) Z(I)");
    }
}

// Of a client that keeps its server nothing else stands between the request and the next statement.
TEST_CASE("integration/cancel: once the request is over, the next statement is not hit")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK(client.query("CREATE TEMP TABLE keeps_its_server (x int)").text() == "CREATE TABLE");
    int hit = 0;
    for (int i = 0; i < 300; ++i) {
        std::jthread canceller{[&client] { static_cast<void>(client.cancel()); }};
        const std::string first = client.query("SELECT 'slept' FROM pg_sleep(0.001)").text();
        CHECK((first == "slept" || first == "ERROR 57014"));
        canceller.join();
        hit += client.query("SELECT 1").text() == "1" ? 0 : 1;
    }
    CHECK(hit == 0);
}
