// What is slow leaves servers to what is quick.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>

using namespace pgweir::test;

namespace {

Start three_servers(const std::string& reserve)
{
    return {.flags = {"--pool-size", "3", "--set", "pool.quick_reserve=" + reserve}};
}

/// Clients that run slow queries until they are cancelled, or leave.
class Sleepers {
public:
    Sleepers(const Pgweir& pgweir, int count, const std::string& front = "")
    {
        for (int i = 0; i < count; ++i) {
            Connection& client = clients_.emplace_back(pgweir.connect());
            if (!front.empty()) CHECK(client.query(front).sqlstate().empty());
            client.send("SELECT pg_sleep(60)");
            client.flush();
        }
    }

    /// Those that have a server.
    void cancel()
    {
        for (Connection& client : clients_) CHECK(client.cancel().empty());
    }

private:
    std::list<Connection> clients_;
};

} // namespace

TEST_CASE("integration/lanes: slow queries do not take the last server" * pooler_only())
{
    const Pgweir pgweir{three_servers("1")};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 'quick' WHERE 1 > 0").text() == "quick");
    const Sleepers sleepers{pgweir, 5};
    postgres().wait_for_sleepers(2);
    pgweir.wait_for_waiting(3);
    for (int i = 1; i < 10; ++i) {
        CHECK(client.query("SELECT 'quick' WHERE " + std::to_string(i) + " > 0").text() == "quick");
    }
    CHECK(
        client.query_params("SELECT 'quick' WHERE 2 > 0", {}).text() == "quick"
    ); // by whatever protocol
}

TEST_CASE("integration/lanes: nor do statements that nobody has seen before" * pooler_only())
{
    const Pgweir pgweir{three_servers("1")};
    const Sleepers sleepers{pgweir, 2};
    postgres().wait_for_sleepers(2);
    Connection client = pgweir.connect();
    client.send("SELECT 'what'::text AS is_this");
    client.flush();
    pgweir.wait_for_waiting(1);
    CHECK(client.has_result() == false);
}

TEST_CASE("integration/lanes: a transaction is what it begins with" * pooler_only())
{
    const Pgweir pgweir{three_servers("1")};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 'quick'").text() == "quick");
    CHECK(client.query("BEGIN").text() == "BEGIN");
    CHECK(client.query("SELECT 'quick'").text() == "quick");
    CHECK(client.query("COMMIT").text() == "COMMIT");
    const Sleepers sleepers{pgweir, 5, "BEGIN"};
    postgres().wait_for_sleepers(2);
    CHECK(client.query("SELECT 'quick'").text() == "quick");
    CHECK(client.query("BEGIN").text() == "BEGIN");
    CHECK(client.query("SELECT 'quick'").text() == "quick");
    CHECK(client.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/lanes: who keeps a server is no slow work" * pooler_only())
{
    const Pgweir pgweir{three_servers("1")};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.query("SELECT pg_advisory_lock(1)").sqlstate().empty());
    CHECK(second.query("SELECT pg_advisory_lock(2)").sqlstate().empty());
    wait_until([&] { return pgweir.pool_number("cl_waiting") == 0; }, "both are served");
    const Sleepers sleepers{pgweir, 1}; // never seen, and one server is left
    postgres().wait_for_sleepers(1);
    CHECK(first.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/lanes: without a reserve nobody is told apart" * pooler_only())
{
    const Pgweir pgweir{three_servers("0")};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 'quick'").text() == "quick");
    Sleepers sleepers{pgweir, 3};
    postgres().wait_for_sleepers(3);
    client.send("SELECT 'quick'");
    client.flush();
    pgweir.wait_for_waiting(1);
    sleepers.cancel();
    CHECK(client.only_result().text() == "quick");
}

TEST_CASE("integration/lanes: an operator sees what is slow, and whose it is" * pooler_only())
{
    const Pgweir pgweir{three_servers("auto")};
    Connection client = pgweir.connect("application_name=shop");
    CHECK(client.query("SELECT 'secret' WHERE 1 > 0").text() == "secret");
    CHECK(client.query_params("SELECT 'secret' || $1::text", {"x"}).text() == "secretx");
    client.prepare("p", "SELECT 'prepared'");
    CHECK(client.execute("p").text() == "prepared");

    Connection console = pgweir.console();
    const Result classes = console.query("SHOW CLASSES");
    std::string seen;
    for (int row = 0; row < classes.row_count(); ++row) {
        CHECK(classes.value(row, "application_name") == "shop");
        CHECK(classes.value(row, "database") == "app");
        seen += classes.value(row, "statement") + ';';
    }
    CAPTURE(seen);
    CHECK(seen.find("SELECT ? WHERE ? > ?;") != std::string::npos);
    CHECK(seen.find("SELECT ? || $1::text;") != std::string::npos);
    CHECK(seen.find("SELECT ?;") != std::string::npos);
    CHECK(seen.find("secret") == std::string::npos);
}
