#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

struct Copied {
    std::size_t bytes = 0;
    std::string first_line;
};

Copied read_copy(Connection& client)
{
    Copied copied;
    for (;;) {
        char* line = nullptr;
        const int size = PQgetCopyData(client.raw(), &line, 0);
        if (size < 0) return copied; // how it ended is for next_result() to tell
        if (copied.bytes == 0) copied.first_line.assign(line, static_cast<std::size_t>(size));
        copied.bytes += static_cast<std::size_t>(size);
        PQfreemem(line);
    }
}

void write_copy(Connection& client, const std::string& data)
{
    REQUIRE(PQputCopyData(client.raw(), data.data(), static_cast<int>(data.size())) == 1);
}

std::string end_copy(Connection& client, const char* failure = nullptr)
{
    REQUIRE(PQputCopyEnd(client.raw(), failure) == 1);
    const std::string outcome = client.next_result().value().text();
    CHECK_FALSE(client.next_result().has_value());
    return outcome;
}

Connection with_table(const Pgweir& pgweir)
{
    postgres().sql("DROP TABLE IF EXISTS numbers");
    Connection client = pgweir.connect();
    client.query("CREATE TABLE numbers (i int)");
    return client;
}

std::string stored() { return postgres().sql("SELECT count(*), coalesce(sum(i), 0) FROM numbers"); }

Start one_server() { return {.flags = {"--pool-size", "1"}}; }

Start trusting()
{
    return {.flags = {"--pool-size", "1", "--set", "auth.method=trust"}, .user = "app_trust"};
}

} // namespace

TEST_CASE("integration/copy: rows come out, and the connection goes on")
{
    const Pgweir pgweir{one_server()};
    Connection client = pgweir.connect();
    const Result start = client.query("COPY (SELECT generate_series(1, 1000)) TO STDOUT");
    CHECK(start.text() == "PGRES_COPY_OUT");
    const Copied copied = read_copy(client);
    CHECK(copied.first_line == "1\n");
    CHECK(copied.bytes == 3'893); // every number and its newline
    CHECK(client.next_result().value().text() == "COPY 1000");
    CHECK_FALSE(client.next_result().has_value());
    CHECK(client.query("SELECT 'after'").text() == "after");
}

TEST_CASE("integration/copy: rows go in, by simple and by extended query")
{
    const Pgweir pgweir{one_server()};
    Connection client = with_table(pgweir);

    CHECK(client.query("COPY numbers FROM STDIN").text() == "PGRES_COPY_IN");
    write_copy(client, "1\n2\n");
    write_copy(client, "3\n");
    CHECK(end_copy(client) == "COPY 3");

    client.send_params("COPY numbers FROM STDIN", {});
    CHECK(client.next_result().value().text() == "PGRES_COPY_IN");
    write_copy(client, "4\n");
    CHECK(end_copy(client) == "COPY 1");
    CHECK(stored() == "4|10");
}

TEST_CASE("integration/copy: the client may give up, and nothing was stored")
{
    const Pgweir pgweir{one_server()};
    Connection client = with_table(pgweir);

    CHECK(client.query("COPY numbers FROM STDIN").text() == "PGRES_COPY_IN");
    write_copy(client, "1\n");
    CHECK(end_copy(client, "changed my mind") == "ERROR 57014");
    CHECK(client.query("SELECT 'after'").text() == "after");
    CHECK(stored() == "0|0");
}

TEST_CASE("integration/copy: a bad row ends it while the client still sends megabytes")
{
    const Pgweir pgweir{one_server()};
    Connection client = with_table(pgweir);

    CHECK(client.query("COPY numbers FROM STDIN").text() == "PGRES_COPY_IN");
    write_copy(client, "not a number\n");
    std::string more;
    for (int i = 0; i < 100'000; ++i) more += "1234567890\n";
    for (int i = 0; i < 8; ++i) write_copy(client, more);
    CHECK(end_copy(client) == "ERROR 22P02");
    CHECK(client.query("SELECT 'after'").text() == "after");
    CHECK(stored() == "0|0");
}

TEST_CASE("integration/copy: messages that come after the error are swallowed")
{
    const Pgweir pgweir{trusting()};
    with_table(pgweir).query("GRANT ALL ON numbers TO PUBLIC");
    WireClient client{pgweir.target()};
    client.log_in("app_trust");

    client.send(message::query("COPY numbers FROM STDIN"));
    CHECK(client.receive_until('G') == "G");
    client.send(message::copy_data("x\n"));
    CHECK(client.receive_until('Z') == "E(22P02) Z(I)");
    client.send(message::copy_data("2\n") + message::copy_data("3\n") + message::copy_done());
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");

    WireClient other{pgweir.target()};
    other.log_in("app_trust");
    CHECK(other.ask(message::query("SELECT 2")) == "T(1) D(2) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/copy: by extended query an error waits for the Sync")
{
    const Pgweir pgweir{trusting()};
    with_table(pgweir).query("GRANT ALL ON numbers TO PUBLIC");
    WireClient client{pgweir.target()};
    client.log_in("app_trust");

    client.send(
        message::parse("", "COPY numbers FROM STDIN") + message::bind("") + message::execute()
        + message::flush()
    );
    CHECK(client.receive_until('G') == "1 2 G");
    client.send(message::copy_data("x\n") + message::copy_data("2\n") + message::copy_done());
    CHECK(client.receive_until('E') == "E(22P02)");
    CHECK(client.ask(message::sync()) == "Z(I)");
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/copy: Sync and Flush in the middle of data do not end it")
{
    // PostgreSQL ignores both there, because a client that used the extended protocol may already
    // have sent them. The real Sync comes after CopyDone.
    const Pgweir pgweir{trusting()};
    with_table(pgweir).query("GRANT ALL ON numbers TO PUBLIC");
    WireClient client{pgweir.target()};
    client.log_in("app_trust");

    client.send(
        message::parse("", "COPY numbers FROM STDIN") + message::bind("") + message::execute()
        + message::sync()
    );
    CHECK(client.receive_until('G') == "1 2 G");
    client.send(message::copy_data("1\n") + message::flush() + message::copy_data("2\n"));
    CHECK(client.ask(message::copy_done() + message::sync()) == "C(COPY 2) Z(I)");
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
    CHECK(stored() == "2|3");
}

TEST_CASE("integration/copy: an error in the middle of rows that come out is an ordinary error")
{
    const Pgweir pgweir{one_server()};
    Connection client = pgweir.connect();
    CHECK(
        client.query("COPY (SELECT 1 / (5000 - i) FROM generate_series(1, 9000) i) TO STDOUT")
            .text()
        == "PGRES_COPY_OUT"
    );
    CHECK(read_copy(client).bytes > 0);
    CHECK(client.next_result().value().text() == "ERROR 22012");
    CHECK_FALSE(client.next_result().has_value());
    CHECK(client.query("SELECT 'after'").text() == "after");
}

TEST_CASE("integration/copy: several in one query, in and out")
{
    const Pgweir pgweir{one_server()};
    Connection client = with_table(pgweir);
    client.send("COPY numbers FROM STDIN; COPY numbers TO STDOUT; SELECT 'end'");

    CHECK(client.next_result().value().text() == "PGRES_COPY_IN");
    write_copy(client, "7\n");
    REQUIRE(PQputCopyEnd(client.raw(), nullptr) == 1);
    CHECK(client.next_result().value().text() == "COPY 1");
    CHECK(client.next_result().value().text() == "PGRES_COPY_OUT");
    CHECK(read_copy(client).first_line == "7\n");
    CHECK(client.next_result().value().text() == "COPY 1");
    CHECK(client.next_result().value().text() == "end");
    CHECK_FALSE(client.next_result().has_value());
}

TEST_CASE("integration/copy: a hundred megabytes pass out in bounded memory")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1", "--workers", "1"}}};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    const auto before = pgweir.peak_memory();

    client.query("COPY (SELECT repeat('x', 999999) FROM generate_series(1, 100)) TO STDOUT");
    CHECK(read_copy(client).bytes == 100'000'000);
    CHECK(client.next_result().value().text() == "COPY 100");
    constexpr std::size_t megabyte = 1U << 20U;
    if (before) CHECK(*pgweir.peak_memory() - *before < 24 * megabyte);
}

TEST_CASE("integration/copy: a client that leaves in the middle costs nobody a server")
{
    const Pgweir pgweir{one_server()};
    int server = 0;
    {
        Connection client = with_table(pgweir);
        server = client.backend_pid();
        CHECK(client.query("COPY numbers FROM STDIN").text() == "PGRES_COPY_IN");
        write_copy(client, "1\n");
        client.flush();
    }
    Connection next = pgweir.connect();
    CHECK(next.query("SELECT 'served'").text() == "served");
    if (!is_direct()) CHECK(next.backend_pid() == server);
    CHECK(stored() == "0|0");
}
