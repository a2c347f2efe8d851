#include "integration/support/daemon.hpp"
#include "integration/support/fake_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <string_view>

using namespace pgweir::test;

namespace {

std::string shutdown_words()
{
    constexpr char fields[] = "SFATAL\0VFATAL\0C57P01\0Mterminating connection\0";
    return message::typed('E', std::string_view{fields, sizeof fields});
}

// The settings of its first client are tried alone, in front of its query.
void answer_until(Stream& stream, const std::string& query)
{
    for (;;) {
        const Message message = read_message(stream);
        if (message.type == 'Q') stream.write(polite_answer());
        if (message.body == query + '\0') return;
    }
}

Pgweir one_server() { return Pgweir{{.flags = {"--pool-size", "1"}}}; }

// A table that others may change, for as long as the test runs.
struct Table {
    explicit Table(const std::string& name) : drop{"DROP TABLE IF EXISTS " + name + " CASCADE"}
    {
        postgres().sql(drop);
        postgres().sql("CREATE TABLE " + name + " AS SELECT 1 AS a");
        postgres().sql("GRANT ALL ON " + name + " TO PUBLIC");
    }
    ~Table() { postgres().sql(drop); }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    std::string drop;
};

} // namespace

TEST_CASE("integration/retry: a server that has not read the query is replaced" * pooler_only())
{
    std::atomic<int> count = 0;
    FakeServer server{[&](Stream& stream) {
        if (++count > 1) return serve_politely(stream);
        accept_login(stream);
        answer_until(stream, "SELECT 1");
        stream.wait_readable();
        stream.write(shutdown_words());
    }};
    const Pgweir pgweir{in_front_of(server)};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    CHECK(client.query("SELECT 2").text() == "1");
    CHECK(count == 2);
    CHECK(
        http_get(pgweir.http(), "/metrics").body.find("pgweir_retries_total{") != std::string::npos
    );
}

TEST_CASE("integration/retry: what a server has read is not said to another" * pooler_only())
{
    std::atomic<int> count = 0;
    FakeServer server{[&](Stream& stream) {
        if (++count > 1) return serve_politely(stream);
        accept_login(stream);
        answer_until(stream, "SELECT 1");
        static_cast<void>(read_message(stream));
        stream.write(shutdown_words());
    }};
    const Pgweir pgweir{in_front_of(server)};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    client.send("SELECT 2");
    CHECK(client.next_result().value().sqlstate() == "57P01");
    CHECK_FALSE(client.next_result());
    CHECK(count == 1);
}

TEST_CASE("integration/retry: a column that is added is seen, not refused" * pooler_only())
{
    const Table table{"retry_columns"};
    const Pgweir pgweir = one_server();
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT * FROM retry_columns");
    CHECK(client.execute("s").text() == "1");
    postgres().sql("ALTER TABLE retry_columns ADD b int DEFAULT 2");
    CHECK(client.execute("s").text() == "1|2");
    CHECK(client.execute("s").text() == "1|2");
}

TEST_CASE("integration/retry: in a transaction a changed result is an error, as it was")
{
    const Table table{"retry_block"};
    const Pgweir pgweir = one_server();
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT * FROM retry_block");
    CHECK(client.execute("s").text() == "1");
    postgres().sql("ALTER TABLE retry_block ADD b int DEFAULT 2");
    client.query("BEGIN");
    CHECK(client.query("SELECT 1").text() == "1");
    CHECK(client.execute("s").text() == "ERROR 0A000");
    client.query("ROLLBACK");
}

TEST_CASE("integration/retry: a statement that was deallocated unseen is there" * pooler_only())
{
    const Pgweir pgweir = one_server();
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT 'here'");
    CHECK(client.execute("s").text() == "here");
    client.query("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
    CHECK(client.execute("s").text() == "here");
}

TEST_CASE("integration/retry: a type that was made anew is found" * pooler_only())
{
    postgres().sql("DROP TYPE IF EXISTS retry_mood");
    postgres().sql("CREATE TYPE retry_mood AS ENUM ('fine')");
    const Pgweir pgweir = one_server();
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT $1::retry_mood");
    CHECK(client.execute("s", {"fine"}).text() == "fine");
    postgres().sql("DROP TYPE retry_mood");
    postgres().sql("CREATE TYPE retry_mood AS ENUM ('fine')");
    CHECK(client.execute("s", {"fine"}).text() == "fine");
    postgres().sql("DROP TYPE retry_mood");
}
