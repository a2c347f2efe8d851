#include "support/daemon.hpp"
#include "support/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

Start sized(const std::string& size, const std::string& setting = "")
{
    Start start{.flags = {"--pool-size", size, "--workers", "1"}};
    if (!setting.empty()) start.flags.insert(start.flags.end(), {"--set", setting});
    return start;
}

// What the server knows under any name. The client asks in a simple query, so as not to be counted.
std::string kept_on_server(Connection& client, const std::string& statement)
{
    const std::string count = std::string{"SELECT count(*) FROM "} + prepared_on_server;
    return client.query(count + " WHERE statement = '" + statement + "'").text();
}

} // namespace

TEST_CASE("integration/prepared: a statement is there on whichever server comes next")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    CHECK(client.prepare("s", "SELECT $1::int * 2").text().empty());
    CHECK(client.execute("s", {"21"}).text() == "42");

    Connection holder = pgweir.connect();
    holder.query(begin_at_once); // takes the server that knows it
    CHECK(client.execute("s", {"4"}).text() == "8");
    CHECK(client.backend_pid() != holder.backend_pid());
    CHECK(client.execute("s", {"5"}).text() == "10");
}

TEST_CASE("integration/prepared: one name means something else to every client")
{
    const Pgweir pgweir{sized("1")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.prepare("s", "SELECT 'first'").text().empty());
    CHECK(second.prepare("s", "SELECT 'second'").text().empty());
    for (int i = 0; i < 3; ++i) {
        CHECK(first.execute("s").text() == "first");
        CHECK(second.execute("s").text() == "second");
    }
}

TEST_CASE(
    "integration/prepared: clients that prepare the same text share it on the server"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.prepare("a", "SELECT 'shared'").text().empty());
    CHECK(second.prepare("b", "SELECT 'shared'").text().empty());
    CHECK(first.execute("a").text() == "shared");
    CHECK(second.execute("b").text() == "shared");
    CHECK(kept_on_server(first, "SELECT ''shared''") == "1");

    // One of them closes it; the other goes on.
    CHECK(first.query("DEALLOCATE a").text() == "DEALLOCATE");
    CHECK(second.execute("b").text() == "shared");
}

TEST_CASE("integration/prepared: the same text with other parameter types is another statement")
{
    const Pgweir pgweir{sized("1")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    const auto prepare = [](Connection& client, Oid type) {
        const Result result{PQprepare(client.raw(), "s", "SELECT pg_typeof($1)", 1, &type)};
        CHECK_FALSE(result.is_error());
    };
    constexpr Oid int4 = 23;
    constexpr Oid text = 25;
    prepare(first, int4);
    prepare(second, text);
    CHECK(first.execute("s", {"1"}).text() == "integer");
    CHECK(second.execute("s", {"1"}).text() == "text");
    CHECK(first.execute("s", {"1"}).text() == "integer");
}

TEST_CASE("integration/prepared: Describe tells parameters and columns, on any server")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT $1::int AS number, $2::text AS word");
    Connection holder = pgweir.connect();
    holder.query(begin_at_once);

    const Result described = client.describe("s");
    CHECK(PQnparams(described.raw()) == 2);
    CHECK(described.columns() == std::vector<std::string>{"number", "word"});
    CHECK(client.describe("missing").text() == "ERROR 26000");
}

TEST_CASE("integration/prepared: a name in use is 42P05 and keeps its meaning")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK(client.prepare("taken", "SELECT 'old'").text().empty());
    const Result again = client.prepare("taken", "SELECT 'new'");
    CHECK(again.sqlstate() == "42P05");
    CHECK(again.message() == "prepared statement \"taken\" already exists");
    CHECK(client.execute("taken").text() == "old");
}

TEST_CASE("integration/prepared: a name that nobody prepared is 26000, named as the client did")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    const Result result = client.execute("my statement");
    CHECK(result.sqlstate() == "26000");
    CHECK(result.message() == "prepared statement \"my statement\" does not exist");
    CHECK(client.query("SELECT 1").text() == "1");

    Connection other = pgweir.connect();
    CHECK(other.prepare("theirs", "SELECT 1").text().empty());
    CHECK(client.execute("theirs").text() == "ERROR 26000");
}

TEST_CASE("integration/prepared: a statement that does not parse leaves its name free")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK(client.prepare("s", "SELEC 1").text() == "ERROR 42601");
    CHECK(client.execute("s").text() == "ERROR 26000");
    CHECK(client.prepare("s", "SELECT 'good'").text().empty());
    CHECK(client.execute("s").text() == "good");
}

TEST_CASE(
    "integration/prepared: a table that appears later makes the statement good" * pooler_only()
)
{
    // The text failed once; nobody may remember that about the next attempt.
    postgres().sql("DROP TABLE IF EXISTS later");
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    CHECK(client.prepare("s", "SELECT count(*) FROM later").text() == "ERROR 42P01");
    client.query("CREATE TABLE later (i int)");
    CHECK(client.prepare("s", "SELECT count(*) FROM later").text().empty());
    CHECK(client.execute("s").text() == "0");
}

TEST_CASE("integration/prepared: a rollback does not take a statement away")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    CHECK(client.prepare("s", "SELECT 'still here'").text().empty());
    client.query("ROLLBACK");
    CHECK(client.execute("s").text() == "still here");
}

TEST_CASE("integration/prepared: a statement of a failed transaction works after it")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT 'fine'");
    Connection holder = pgweir.connect();
    holder.query(begin_at_once); // so that the next server must learn it first
    client.query("BEGIN");
    CHECK(client.query("SELECT 1/0").text() == "ERROR 22012");
    CHECK(client.execute("s").text() == "ERROR 25P02");
    client.query("ROLLBACK");
    CHECK(client.execute("s").text() == "fine");
}

TEST_CASE(
    "integration/prepared: the server keeps no more than max_prepared_statements" * pooler_only()
)
{
    const Pgweir pgweir{sized("1", "pool.max_prepared_statements=2")};
    Connection client = pgweir.connect();
    const auto name = [](int i) { return "s" + std::to_string(i); };
    for (int i = 0; i < 6; ++i) client.prepare(name(i), "SELECT " + std::to_string(i));
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 6; ++i) CHECK(client.execute(name(i)).text() == std::to_string(i));
    }
    // A Bind that brings its statement along closes none (one extra message at most), so there may
    // be twice as many for a while; a use that brings nothing closes the oldest.
    const auto kept = [&] {
        const std::string count = std::string{"SELECT count(*) FROM "} + prepared_on_server;
        return std::stoi(client.query(count).value());
    };
    CHECK(kept() <= 4);
    for (int i = 0; i < 3; ++i) CHECK(client.execute(name(5)).text() == "5");
    CHECK(kept() == 2);
}

TEST_CASE("integration/prepared: eviction inside a pipeline still answers in order" * pooler_only())
{
    const Pgweir pgweir{sized("1", "pool.max_prepared_statements=2")};
    Connection client = pgweir.connect();
    client.enter_pipeline();
    std::string expected;
    for (int i = 0; i < 10; ++i) {
        client.send_prepare("s" + std::to_string(i), "SELECT " + std::to_string(i));
    }
    for (int i = 0; i < 10; ++i) {
        client.send_execute("s" + std::to_string(i));
        expected += std::to_string(i) + " / ";
    }
    CHECK(client.sync_and_read() == expected + "sync");
}

TEST_CASE("integration/prepared: many clients on few servers always meet their own statements")
{
    const Pgweir pgweir{
        {.flags = {"--pool-size", "3", "--workers", "4", "--set", "pool.max_prepared_statements=4"}}
    };
    std::atomic<int> right = 0;
    Parallel clients{12, [&](int id) {
                         Connection client = pgweir.connect();
                         const std::string own = std::to_string(id);
                         const std::string sum = std::to_string(id + 1'000);
                         client.prepare("own", "SELECT " + own);
                         client.prepare("shared", "SELECT $1::int + 1000");
                         for (int i = 0; i < 40; ++i) {
                             right += client.execute("own").text() == own ? 1 : 0;
                             right += client.execute("shared", {own}).text() == sum ? 1 : 0;
                         }
                     }};
    clients.join();
    CHECK(right == 12 * 40 * 2);
}
