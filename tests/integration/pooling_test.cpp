#include "support/daemon.hpp"
#include "support/parallel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

struct Crowd {
    int clients;
    int transactions;
    std::string workers;
    std::string pool_size;
};

struct Observed {
    int servers_max = 0;       // at any moment, as PostgreSQL saw it
    std::set<int> server_pids; // that ever served anybody
    int mistakes = 0;          // transactions that saw what another client had set
};

// One client: transactions of three round trips, each of which must meet its own value again.
void run_transactions(
    const Pgweir& pgweir, const Crowd& crowd, const std::string& id, Observed& mine
)
{
    Connection client = pgweir.connect();
    for (int i = 0; i < crowd.transactions; ++i) {
        client.query("BEGIN");
        client.query_params("SELECT set_config('test.client', $1, true)", {id});
        mine.server_pids.insert(client.backend_pid());
        mine.mistakes += client.query("SHOW test.client").text() == id ? 0 : 1;
        client.query("COMMIT");
    }
}

Observed observe(const Pgweir& pgweir, const Crowd& crowd)
{
    std::vector<Observed> each(static_cast<std::size_t>(crowd.clients));
    Parallel clients{crowd.clients, [&](int i) {
                         Observed& mine = each[static_cast<std::size_t>(i)];
                         run_transactions(pgweir, crowd, std::to_string(i), mine);
                     }};
    Observed all;
    while (clients.is_running()) {
        all.servers_max = std::max(all.servers_max, postgres().server_count("app_scram"));
    }
    clients.join();
    for (const Observed& mine : each) {
        all.server_pids.insert(mine.server_pids.begin(), mine.server_pids.end());
        all.mistakes += mine.mistakes;
    }
    return all;
}

Start sized(const std::string& size, const std::string& workers = "1")
{
    return {.flags = {"--pool-size", size, "--workers", workers}};
}

} // namespace

TEST_CASE(
    "integration/pooling: the bound holds for many clients, with one worker and with four"
    * pooler_only()
)
{
    for (const std::string workers : {"1", "4"}) {
        CAPTURE(workers);
        const Crowd crowd{.clients = 24, .transactions = 25, .workers = workers, .pool_size = "3"};
        const Pgweir pgweir{sized(crowd.pool_size, crowd.workers)};
        const Observed seen = observe(pgweir, crowd);
        CHECK(seen.servers_max <= 3);
        CHECK(seen.server_pids.size() <= 3); // none was thrown away for another
        CHECK(seen.mistakes == 0);
    }
}

TEST_CASE(
    "integration/pooling: one server serves the clients of every worker in turn" * pooler_only()
)
{
    const Crowd crowd{.clients = 12, .transactions = 25, .workers = "4", .pool_size = "1"};
    const Pgweir pgweir{sized(crowd.pool_size, crowd.workers)};
    const Observed seen = observe(pgweir, crowd);
    CHECK(seen.servers_max == 1);
    CHECK(seen.server_pids.size() == 1);
    CHECK(seen.mistakes == 0);
}

TEST_CASE("integration/pooling: clients that come and go leave the bound as it is" * pooler_only())
{
    const Pgweir pgweir{sized("2", "2")};
    std::atomic<int> served = 0;
    Parallel clients{8, [&](int /*index*/) {
                         for (int i = 0; i < 15; ++i) {
                             served += pgweir.connect().query("SELECT 1").text() == "1" ? 1 : 0;
                         }
                     }};
    int servers_max = 0;
    while (clients.is_running()) {
        servers_max = std::max(servers_max, postgres().server_count("app_scram"));
    }
    clients.join();
    CHECK(served == 8 * 15);
    CHECK(servers_max <= 2);
}

TEST_CASE("integration/pooling: who has waited longest is served first" * pooler_only())
{
    postgres().sql("DROP SEQUENCE IF EXISTS served; CREATE SEQUENCE served");
    postgres().sql("GRANT ALL ON SEQUENCE served TO PUBLIC");
    const Pgweir pgweir{sized("1")};
    Connection holder = pgweir.connect();
    holder.query(begin_at_once);

    std::vector<Connection> queue;
    for (int i = 1; i <= 6; ++i) {
        queue.push_back(pgweir.connect());
        queue.back().send("SELECT nextval('served')");
        queue.back().flush();
        pgweir.wait_for_waiting(i);
    }
    holder.query("COMMIT");

    std::string order;
    for (Connection& client : queue) order += client.next_result().value().text() + " ";
    CHECK(order == "1 2 3 4 5 6 ");
}

TEST_CASE(
    "integration/pooling: a client gets the server that it had last, if it is free" * pooler_only()
)
{
    const Pgweir pgweir{sized("3")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.backend_pid() > 0); // now the database has been asked about its functions
    first.query(begin_at_once);
    second.query(begin_at_once);
    const int warm = second.backend_pid();
    CHECK(first.backend_pid() != warm);
    first.query("COMMIT");
    second.query("COMMIT");

    for (int i = 0; i < 10; ++i) {
        CHECK(second.backend_pid() == warm);
        CHECK(first.backend_pid() != warm);
    }
}

TEST_CASE(
    "integration/pooling: a server goes back when its transaction is over, not before"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection holder = pgweir.connect();
    Connection other = pgweir.connect();
    holder.query("BEGIN");
    CHECK(holder.query("SELECT 1/0").text() == "ERROR 22012");

    other.send("SELECT 'served'");
    other.flush();
    pgweir.wait_for_waiting(1);
    for (int i = 0; i < 5; ++i) CHECK(holder.query("SELECT 1").text() == "ERROR 25P02");
    CHECK_FALSE(other.has_result());

    holder.query("ROLLBACK");
    CHECK(other.next_result().value().text() == "served");
}

TEST_CASE(
    "integration/pooling: min_size is there before anybody asks, and again after a loss"
    * pooler_only()
)
{
    Start start = sized("4");
    start.flags.insert(start.flags.end(), {"--set", "pool.min_size=2"});
    const Pgweir pgweir{start};
    postgres().wait_for_server_count("app_scram", 2);

    const std::string all = "SELECT min(pid) FROM pg_stat_activity WHERE usename = 'app_scram'";
    const std::string lost = postgres().sql(all);
    postgres().sql("SELECT pg_terminate_backend(" + lost + ")");
    wait_until(
        [&] {
            const bool is_gone = postgres().sql(
                                     "SELECT count(*) FROM pg_stat_activity WHERE pid = " + lost
                                 )
                                 == "0";
            return is_gone && postgres().server_count("app_scram") == 2;
        },
        "the lost server is replaced"
    );
}

TEST_CASE("integration/pooling: every user has a pool of its own" * pooler_only())
{
    const std::string database = "postgresql://127.0.0.1:" + std::to_string(postgres().port());
    const Pgweir pgweir{{
        .upstream = "-",
        .toml = "[pool]\nsize = 1\n[databases.app]\nupstream = \"" + database
                + "/app\"\n[users.app_scram]\npassword = \"secret\"\n"
                  "[users.app_md5]\npassword = \"secret\"\n",
    }};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect("user=app_md5");
    CHECK(first.query("BEGIN").text() == "BEGIN");
    CHECK(second.query("BEGIN").text() == "BEGIN"); // would wait if they shared a pool
    CHECK(first.backend_pid() != second.backend_pid());
}

TEST_CASE("integration/pooling: a server that is idle for too long is closed" * pooler_only())
{
    Start start = sized("3");
    start.flags.insert(start.flags.end(), {"--set", "pool.server_idle_timeout=200ms"});
    const Pgweir pgweir{start};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    postgres().wait_for_server_count("app_scram", 0);
    CHECK(client.query("SELECT 2").text() == "2");
}

TEST_CASE(
    "integration/pooling: a server that is old is replaced between transactions" * pooler_only()
)
{
    Start start = sized("1");
    start.flags.insert(start.flags.end(), {"--set", "pool.server_lifetime=300ms"});
    const Pgweir pgweir{start};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    const int old = client.backend_pid();
    client.query("SELECT pg_sleep(1)");
    CHECK(client.backend_pid() == old); // not inside a transaction
    client.query("COMMIT");
    wait_until([&] { return client.backend_pid() != old; }, "the old server is replaced");
}
