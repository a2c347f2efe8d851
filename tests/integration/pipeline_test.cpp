#include "support/daemon.hpp"
#include "support/parallel.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

std::string repeated(const std::string& text, int count)
{
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
}

// Without a password in the way of what is tested.
Start trusting(const std::string& pool_size)
{
    return {.flags = {"--pool-size", pool_size, "--set", "auth.method=trust"}, .user = "app_trust"};
}

std::string one_query(const std::string& sql)
{
    return message::parse("", sql) + message::bind("") + message::execute();
}

} // namespace

TEST_CASE("integration/pipeline: many queries before one Sync are answered in order")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.enter_pipeline();
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        client.send_params("SELECT $1::int", {std::to_string(i)});
        expected += std::to_string(i) + " / ";
    }
    CHECK(client.sync_and_read() == expected + "sync");
    client.exit_pipeline();
    CHECK(client.query("SELECT 'after'").text() == "after");
}

TEST_CASE("integration/pipeline: an error skips to the next Sync and no further")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.enter_pipeline();
    for (const std::string sql : {"SELECT 1", "SELECT 1/0", "SELECT 3"})
        client.send_params(sql, {});
    client.sync();
    client.send_params("SELECT 4", {});
    client.sync();

    CHECK(client.read_until_sync() == "1 / ERROR 22012 / aborted / sync");
    CHECK(client.read_until_sync() == "4 / sync");
}

TEST_CASE("integration/pipeline: what an error undoes is the work since the last Sync")
{
    postgres().sql("DROP TABLE IF EXISTS steps");
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.query("CREATE TABLE steps (i int)");
    client.enter_pipeline();
    client.send_params("INSERT INTO steps VALUES (1)", {});
    client.sync();
    client.send_params("INSERT INTO steps VALUES (2)", {});
    client.send_params("SELECT 1/0", {});
    client.sync();
    client.send_params("INSERT INTO steps VALUES (3)", {});
    client.sync();

    CHECK(client.read_until_sync() == "INSERT 0 1 / sync");
    CHECK(client.read_until_sync() == "INSERT 0 1 / ERROR 22012 / sync");
    CHECK(client.read_until_sync() == "INSERT 0 1 / sync");
    CHECK(postgres().sql("SELECT string_agg(i::text, ',' ORDER BY i) FROM steps") == "1,3");
}

TEST_CASE("integration/pipeline: a transaction may span several Syncs")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "2"}}};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    client.enter_pipeline();
    for (const std::string sql : {"BEGIN", "SET LOCAL statement_timeout = 4242"}) {
        client.send_params(sql, {});
        client.sync();
    }
    CHECK(client.read_until_sync() == "BEGIN / sync");
    CHECK(client.read_until_sync() == "SET / sync");
    CHECK(other.query("SELECT 1").text() == "1");

    client.send_params("SHOW statement_timeout", {});
    client.send_params("COMMIT", {});
    CHECK(client.sync_and_read() == "4242ms / COMMIT / sync");
}

TEST_CASE("integration/pipeline: Flush brings answers before any Sync")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.enter_pipeline();
    client.send_params("SELECT 1", {});
    client.request_flush();
    CHECK(client.next_result().value().text() == "1");
    CHECK_FALSE(client.next_result().has_value());

    client.send_params("SELECT 1/0", {});
    client.request_flush();
    CHECK(client.next_result().value().text() == "ERROR 22012");
    CHECK_FALSE(client.next_result().has_value());
    CHECK(client.sync_and_read() == "sync");
}

TEST_CASE("integration/pipeline: a thousand Syncs in one write are a thousand answers")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    constexpr int count = 1'000;
    client.send(repeated(one_query("SELECT 1") + message::sync(), count));

    for (int i = 0; i < count; ++i)
        REQUIRE(client.receive_until('Z') == "1 2 D(1) C(SELECT 1) Z(I)");
    CHECK(client.ask(message::query("SELECT 2")) == "T(1) D(2) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/pipeline: Syncs alone are answered too")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.send(repeated(message::sync(), 3));
    for (int i = 0; i < 3; ++i) CHECK(client.receive_until('Z') == "Z(I)");
}

TEST_CASE("integration/pipeline: simple and extended queries mix in one write")
{
    const Pgweir pgweir{trusting("2")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.send(
        message::query("SELECT 1") + one_query("SELECT 2") + message::sync()
        + message::query("SELECT 1/0; SELECT 3") + one_query("SELECT 4") + message::sync()
    );

    CHECK(client.receive_until('Z') == "T(1) D(1) C(SELECT 1) Z(I)");
    CHECK(client.receive_until('Z') == "1 2 D(2) C(SELECT 1) Z(I)");
    CHECK(client.receive_until('Z') == "E(22012) Z(I)");
    CHECK(client.receive_until('Z') == "1 2 D(4) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/pipeline: messages may arrive one byte at a time")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    const std::string bytes = message::query("SELECT 1") + message::parse("s", "SELECT 2")
                              + message::bind("s") + message::describe('P', "") + message::execute()
                              + message::sync();
    for (const char byte : bytes) client.send({&byte, 1});

    CHECK(client.receive_until('Z') == "T(1) D(1) C(SELECT 1) Z(I)");
    CHECK(client.receive_until('Z') == "1 2 T(1) D(2) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/pipeline: the server stays with the client until every Sync is answered")
{
    // Released after the first ReadyForQuery, the only server would serve the other client
    // between two answers of the first.
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.send(
        one_query("SELECT 1 FROM pg_sleep(0.2)") + message::sync()
        + one_query("SELECT 2 FROM pg_sleep(0.2)") + message::sync()
    );
    Connection other = pgweir.connect();
    CHECK(other.query("SELECT 3").text() == "3");
    CHECK(client.receive_until('Z') == "1 2 D(1) C(SELECT 1) Z(I)");
    CHECK(client.receive_until('Z') == "1 2 D(2) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/pipeline: pipelines of many clients over few servers stay apart")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "3", "--workers", "2"}}};
    constexpr int rounds = 20;
    std::vector<std::string> wrong(12);
    Parallel clients{static_cast<int>(wrong.size()), [&](int id) {
                         const std::string name = std::to_string(id);
                         const std::string good = name + " / 1 / " + name + " / sync";
                         const std::string failed = name + " / ERROR 22012 / aborted / sync";
                         Connection client = pgweir.connect();
                         client.enter_pipeline();
                         for (int round = 0; round < rounds; ++round) {
                             const bool fails = round % 3 == 0;
                             client.send_params("SELECT $1::text", {name});
                             client.send_params(fails ? "SELECT 1/0" : "SELECT 1", {});
                             client.send_params("SELECT $1::text", {name});
                             const std::string& expected = fails ? failed : good;
                             const std::string got = client.sync_and_read();
                             if (got != expected) wrong[static_cast<std::size_t>(id)] = got;
                         }
                     }};
    clients.join();
    for (const std::string& text : wrong) CHECK(text.empty());
}

TEST_CASE("integration/pipeline: megabytes in both directions do not lock each other up")
{
    // libpq sends and receives as either gets possible; a pooler that finishes writing one side
    // before it reads the other waits for ever here.
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection client = pgweir.connect();
    REQUIRE(PQsetnonblocking(client.raw(), 1) == 0);
    client.enter_pipeline();
    const std::string value(1'000'000, 'x');
    constexpr int count = 32;
    for (int i = 0; i < count; ++i) client.send_params("SELECT $1::text", {value});
    client.sync();

    int intact = 0;
    for (int i = 0; i < count; ++i) {
        intact += client.next_result().value().value() == value ? 1 : 0;
        CHECK_FALSE(client.next_result().has_value());
    }
    CHECK(intact == count);
    CHECK(client.read_until_sync() == "sync");
}
