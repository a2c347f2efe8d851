// Clients that go from worker to worker: they must not notice.
#include "support/daemon.hpp"
#include "support/inner_pooler.hpp"
#include "support/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

using namespace pgweir::test;
using pgweir::pool::Mode;

namespace {

constexpr int clients_count = 6;
constexpr int rounds = 50;
constexpr std::uint64_t moves_min = 300;

InnerPooler::Options sized(std::uint32_t servers, Mode mode = Mode::transaction)
{
    InnerPooler::Options options;
    options.pool.size = servers;
    options.pool.mode = mode;
    return options;
}

// By throwing: doctest's macros are for one thread.
void expect(const std::string& text, const std::string& expected)
{
    if (text == expected) return;
    throw std::runtime_error{"expected \"" + expected + "\", got \"" + text + "\""};
}

void check_transaction(Connection& client)
{
    client.query("BEGIN");
    const int server = client.backend_pid();
    expect(std::to_string(client.backend_pid()), std::to_string(server));
    expect(client.query("COMMIT").text(), "COMMIT");
}

std::string pipeline_of(Connection& client, const std::string& value)
{
    client.enter_pipeline();
    client.send_execute("s", {value});
    client.send_params("SELECT $1::text", {value});
    client.send_execute("s", {value});
    std::string text = client.sync_and_read();
    client.exit_pipeline();
    return text;
}

// One name means something else to every client; so does a setting. And the pooler may move any of
// them whenever it is between two transactions.
void work(InnerPooler& pooler, int number, const std::string& more)
{
    const std::string name = "client-" + std::to_string(number);
    Connection client = pooler.connect(more + " application_name=" + name);
    client.prepare("s", "SELECT '" + name + " ' || $1::text");
    const Deadline deadline;
    for (int i = 0; i < rounds || (pooler.move_count() < moves_min && !deadline.passed()); ++i) {
        const std::string value = std::to_string(i);
        const std::string own = name + " " + value;
        const std::string fresh = "t" + value;
        pooler.stir();
        expect(client.execute("s", {value}).text(), own);
        pooler.stir();
        expect(client.query_params("SELECT $1::text || 'u'", {value}).text(), value + "u");
        expect(client.query("SHOW application_name").text(), name);
        check_transaction(client);
        pooler.stir();
        expect(pipeline_of(client, value), own + " / " + value + " / " + own + " / sync");
        expect(client.prepare(fresh, "SELECT " + value + " + $1::int").text(), "");
        expect(client.execute(fresh, {"1"}).text(), std::to_string(i + 1));
        expect(client.query("DEALLOCATE " + fresh).text(), "DEALLOCATE");
    }
}

void check_that_nobody_notices(InnerPooler& pooler, const std::string& more = "")
{
    Parallel crowd{clients_count, [&](int i) { work(pooler, i, more); }};
    crowd.join();
    CHECK(pooler.move_count() >= moves_min);
    wait_until([&] { return pooler.client_count() == 0; }, "all clients are counted out");
}

} // namespace

TEST_CASE("integration/moving: transactions, statements and pipelines go on" * pooler_only())
{
    InnerPooler pooler{sized(3)};
    check_that_nobody_notices(pooler);
}

TEST_CASE("integration/moving: with one server for all it goes round, too" * pooler_only())
{
    InnerPooler pooler{sized(1)};
    check_that_nobody_notices(pooler);
}

TEST_CASE("integration/moving: TLS clients take their secrets along" * pooler_only())
{
    InnerPooler::Options options = sized(2);
    options.has_tls = true;
    InnerPooler pooler{options};
    check_that_nobody_notices(pooler, "sslmode=require");
}

TEST_CASE("integration/moving: a server that is kept goes with its client" * pooler_only())
{
    for (const Mode mode : {Mode::session, Mode::transaction}) {
        CAPTURE(static_cast<int>(mode));
        InnerPooler pooler{sized(clients_count, mode)};
        Connection client = pooler.connect();
        client.query("CREATE TEMP TABLE kept AS SELECT 7 AS n"); // in transaction mode it pins
        const int server = client.backend_pid();
        for (int i = 0; i < rounds; ++i) {
            pooler.move_somebody();
            CHECK(client.query("SELECT n FROM kept").text() == "7");
            CHECK(client.backend_pid() == server);
        }
    }
}

TEST_CASE("integration/moving: in session mode many at once lose nothing" * pooler_only())
{
    InnerPooler pooler{sized(clients_count, Mode::session)};
    check_that_nobody_notices(pooler);
}

TEST_CASE(
    "integration/moving: a cancel request finds its query on whichever worker" * pooler_only()
)
{
    InnerPooler pooler{sized(2)};
    Connection client = pooler.connect();
    for (int i = 0; i < 4; ++i) {
        pooler.move_somebody();
        client.send("SELECT pg_sleep(60)");
        client.flush();
        postgres().wait_for_sleepers(1);
        pooler.stir(); // it has a server, and stays
        CHECK(client.cancel().empty());
        CHECK(client.only_result().text() == "ERROR 57014");
    }
}

TEST_CASE("integration/moving: who is on the way is found by pg_terminate_backend" * pooler_only())
{
    InnerPooler pooler{sized(2)};
    Connection client = pooler.connect();
    for (int i = 0; i < rounds; ++i) {
        Connection victim = pooler.connect();
        const std::string pid = std::to_string(PQbackendPID(victim.raw()));
        pooler.stir();
        CHECK(client.query("SELECT pg_terminate_backend(" + pid + ")").text() == "t");
        CHECK(victim.query("SELECT 1").is_error());
        CHECK(victim.last_words().starts_with("57P01"));
        pooler.stir();
    }
    wait_until([&] { return pooler.client_count() == 1; }, "nobody else is left");
}

TEST_CASE("integration/moving: cancelling an idle client harms nobody" * pooler_only())
{
    InnerPooler pooler{sized(1)};
    Connection idle = pooler.connect();
    Connection busy = pooler.connect();
    for (int i = 0; i < rounds; ++i) {
        pooler.stir();
        CHECK(idle.cancel().empty());
        CHECK(busy.query("SELECT 1").text() == "1");
    }
}

TEST_CASE("integration/moving: who is on the way while pgweir drains is told so" * pooler_only())
{
    InnerPooler pooler{sized(2)};
    std::vector<Connection> clients;
    for (int i = 0; i < clients_count; ++i) clients.push_back(pooler.connect());
    pooler.stir();
    pooler.drain();
    pooler.stir();
    for (Connection& client : clients) {
        wait_until([&] { return client.is_lost(); }, "a drained client is closed");
        CHECK(client.last_words().starts_with("57P01"));
    }
    wait_until([&] { return pooler.client_count() == 0; }, "all clients are counted out");
}

TEST_CASE("integration/moving: nobody is counted twice, or not at all" * pooler_only())
{
    InnerPooler::Options options = sized(1);
    options.max_client_conn = 3;
    InnerPooler pooler{options};
    std::vector<Connection> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(pooler.connect());
    wait_until([&] { return pooler.client_count() == 3; }, "all clients are logged in");
    for (int i = 0; i < rounds; ++i) {
        pooler.stir();
        CHECK(pooler.client_count() == 3);
        CHECK(login_error(pooler.conninfo()).starts_with("53300"));
    }
    clients.pop_back();
    wait_until([&] { return login_error(pooler.conninfo()).empty(); }, "there is room for one");
}

TEST_CASE("integration/moving: a pooler with little to do uses one worker" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--workers", "3", "--set", "worker_load_max=100"}}};
    std::vector<Connection> clients;
    for (int i = 0; i < clients_count; ++i) clients.push_back(pgweir.connect());
    for (Connection& client : clients) CHECK(client.query("SELECT 1").text() == "1");
    CHECK(metric(pgweir.metrics(), {"pgweir_worker_clients", "worker=\"0\""}) == clients_count);
    CHECK(metric(pgweir.metrics(), {"pgweir_client_moves_total"}) == 0);
}

TEST_CASE("integration/moving: a busy worker shares, a quiet one takes all back" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--workers", "2", "--set", "worker_load_max=10"}}};
    const auto are_packed = [&] {
        return metric(pgweir.metrics(), {"pgweir_worker_clients", "worker=\"0\""}) == 4;
    };
    std::vector<Connection> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(pgweir.connect());
    wait_until(are_packed, "all clients are on one worker");
    std::atomic<bool> is_over = false;
    {
        Parallel crowd{4, [&](int i) {
                           while (!is_over) {
                               const auto result = clients[std::size_t(i)].query(
                                   "SELECT repeat('x', 1000000) FROM generate_series(1, 4)"
                               );
                               expect(std::to_string(result.row_count()), "4");
                           }
                       }};
        const bool is_shared = happens_before(Deadline{}, [&] { return !are_packed(); });
        is_over = true;
        crowd.join();
        CHECK(is_shared);
    }
    wait_until(are_packed, "all clients are on one worker again");
}
