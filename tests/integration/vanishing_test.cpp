#include "support/catalog_lock.hpp"
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

// The server that every client of a pool of one shares, and proof that it is clean.
struct OneServer {
    explicit OneServer(const std::string& listen = "127.0.0.1:0")
        : pgweir{
              {.flags = {"--pool-size", "1", "--workers", "1", "--set", "auth.method=trust"},
               .user = "app_trust",
               .listen = {listen}}
          }
    {
    }

    Pgweir pgweir;
    std::string pid = pid_now();

    std::string pid_now() { return std::to_string(pgweir.connect().backend_pid()); }

    WireClient client()
    {
        WireClient client{pgweir.target()};
        client.log_in("app_trust");
        return client;
    }

    // Served soon, by the same server, which is in no transaction and runs nothing else.
    void expect_clean()
    {
        Connection next = pgweir.connect();
        CHECK(next.query("SELECT 'served'").text() == "served");
        CHECK(std::to_string(next.backend_pid()) == pid);
        CHECK(next.transaction_status() == PQTRANS_IDLE);
        const std::string busy = postgres().sql(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app_trust' AND state <> 'idle'"
        );
        CHECK(busy == "0");
    }

    void wait_until_active() const
    {
        wait_until(
            [&] {
                return postgres().sql("SELECT state FROM pg_stat_activity WHERE pid = " + pid)
                       == "active";
            },
            "the query runs"
        );
    }
};

void create_table()
{
    postgres().sql("DROP TABLE IF EXISTS traces; CREATE TABLE traces (i int)");
    postgres().sql("GRANT ALL ON traces TO PUBLIC");
}

std::string traces() { return postgres().sql("SELECT count(*) FROM traces"); }

} // namespace

TEST_CASE(
    "integration/vanishing: the query of a client that is gone is cancelled, its server kept"
    * pooler_only()
)
{
    OneServer one;
    WireClient client = one.client();
    client.send(message::query("SELECT pg_sleep(600)"));
    one.wait_until_active();
    client.stream().reset();
    one.expect_clean();
}

TEST_CASE(
    "integration/vanishing: a FIN in the middle of a query counts like a reset" * pooler_only()
)
{
    OneServer one;
    WireClient client = one.client();
    client.send(message::query("SELECT pg_sleep(600)"));
    one.wait_until_active();
    client.stream().close();
    one.expect_clean();
}

TEST_CASE(
    "integration/vanishing: a query and the FIN right behind it are both seen" * pooler_only()
)
{
    // They arrive in one wake-up of the socket.
    create_table();
    OneServer one;
    for (int i = 0; i < 20; ++i) {
        WireClient client = one.client();
        client.send(message::query("SELECT pg_sleep(600)"));
        client.stream().close();
    }
    one.expect_clean();
}

TEST_CASE("integration/vanishing: an open transaction is rolled back" * pooler_only())
{
    create_table();
    OneServer one;
    for (const bool is_polite : {true, false}) {
        CAPTURE(is_polite);
        WireClient client = one.client();
        client.ask(message::query("BEGIN"));
        client.ask(message::query("INSERT INTO traces VALUES (1)"));
        if (is_polite) client.send(message::terminate());
        client.stream().close();
        one.expect_clean();
        CHECK(traces() == "0");
    }
}

TEST_CASE(
    "integration/vanishing: a query that ignores being cancelled for a while is waited for"
    * pooler_only()
)
{
    OneServer one;
    WireClient client = one.client();
    client.send(
        message::query("DO $$ BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN "
                       "PERFORM pg_sleep(0.5); END $$")
    );
    one.wait_until_active();
    client.stream().reset();
    one.expect_clean();
}

TEST_CASE(
    "integration/vanishing: a large result that nobody reads any more is drained" * pooler_only()
)
{
    OneServer one;
    WireClient client = one.client();
    client.send(message::query("SELECT repeat('x', 100000) FROM generate_series(1, 10000)"));
    static_cast<void>(client.stream().read_exactly(100'000));
    client.stream().reset();
    one.expect_clean();
}

TEST_CASE("integration/vanishing: pipelines that were not read to their end" * pooler_only())
{
    OneServer one;
    WireClient client = one.client();
    std::string pipeline;
    for (int i = 0; i < 5; ++i) {
        pipeline += message::parse("", "SELECT pg_sleep(10)") + message::bind("")
                    + message::execute() + message::sync();
    }
    client.send(pipeline);
    one.wait_until_active();
    client.stream().reset();
    one.expect_clean();
}

TEST_CASE("integration/vanishing: in the middle of COPY in, nothing is stored" * pooler_only())
{
    create_table();
    OneServer one;
    WireClient client = one.client();
    client.send(message::query("COPY traces FROM STDIN"));
    CHECK(client.receive_until('G') == "G");
    client.send(message::copy_data("1\n"));
    client.stream().reset();
    one.expect_clean();
    CHECK(traces() == "0");
}

TEST_CASE("integration/vanishing: who leaves the queue is not served" * pooler_only())
{
    create_table();
    OneServer one;
    WireClient holder = one.client();
    holder.ask(message::query(begin_at_once));
    {
        WireClient waiting = one.client();
        waiting.send(message::query("INSERT INTO traces VALUES (1)"));
        one.pgweir.wait_for_waiting(1);
        waiting.stream().reset();
    }
    one.pgweir.wait_for_waiting(0);
    holder.ask(message::query("COMMIT"));
    holder.stream().close();
    one.expect_clean();
    CHECK(traces() == "0");
}

TEST_CASE("integration/vanishing: half a message ends with its client" * pooler_only())
{
    // The server may have seen that half, so it need not survive; the next client must.
    OneServer one;
    WireClient client = one.client();
    const std::string query = message::query("SELECT '" + std::string(200'000, 'x') + "'");
    client.send(std::string_view{query}.substr(0, 150'000));
    client.stream().reset();
    CHECK(one.pgweir.connect().query("SELECT 'served'").text() == "served");
    CHECK(postgres().server_count("app_trust") <= 1);
}

TEST_CASE(
    "integration/vanishing: while the server is asked what a query has done, it is kept"
    * pooler_only()
)
{
    OneServer one;
    {
        CatalogLock lock{"pg_depend"};
        WireClient client = one.client();
        client.ask(message::query("DO $$ BEGIN END $$"));
        lock.wait_for_somebody(); // the question
        client.stream().reset();
        lock.wait_for_nobody();
    }
    one.expect_clean();
}

TEST_CASE(
    "integration/vanishing: who says good-bye at that time by a unix socket is not cut off"
    * pooler_only()
)
{
    const TempDirectory directory;
    OneServer one{directory.path()};
    {
        CatalogLock lock{"pg_depend"};
        WireClient client = one.client();
        client.ask(message::query("DO $$ BEGIN END $$"));
        lock.wait_for_somebody(); // the question
        client.send(message::terminate());
        client.stream().close();
        const WireClient later = one.client(); // whose login the worker hears of behind that
    }
    one.expect_clean();
    CHECK(metric(one.pgweir.metrics(), {"pgweir_cancels_total"}) == 0);
}

TEST_CASE(
    "integration/vanishing: a crowd that vanishes at once leaves every server in place"
    * pooler_only()
)
{
    const Pgweir pgweir{{
        .flags = {"--pool-size", "3", "--workers", "2", "--set", "auth.method=trust"},
        .user = "app_trust",
    }};
    const std::string pids = "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity "
                             "WHERE usename = 'app_trust'";
    std::vector<WireClient> crowd;
    for (int i = 0; i < 30; ++i) {
        crowd.emplace_back(pgweir.target()).log_in("app_trust");
        crowd.back().send(message::query("SELECT pg_sleep(600)"));
    }
    postgres().wait_for_server_count("app_trust", 3);
    pgweir.wait_for_waiting(27);
    const std::string before = postgres().sql(pids);
    for (WireClient& client : crowd) client.stream().reset();

    std::vector<Connection> next;
    for (int i = 0; i < 3; ++i) {
        next.push_back(pgweir.connect());
        CHECK(next.back().query(begin_at_once).text() == "1");
    }
    CHECK(postgres().sql(pids) == before);
}
