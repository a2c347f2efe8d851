#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

using namespace pgweir::test;

namespace {

Start sized(const std::string& size)
{
    Start start{.flags = {"--pool-size", size}};
    start.flags.insert(start.flags.end(), {"--set", "pool.query_wait_timeout=500ms"});
    return start;
}

int walsenders() { return std::stoi(postgres().sql("SELECT count(*) FROM pg_stat_replication")); }

// Empty: the stream is over.
std::optional<std::string> read_change(Connection& client)
{
    char* data = nullptr;
    const int size = PQgetCopyData(client.raw(), &data, 0);
    if (size < 0) return std::nullopt;
    std::string message(data, static_cast<std::size_t>(size));
    PQfreemem(data);
    return message;
}

} // namespace

TEST_CASE("integration/replication: a replication connection speaks the replication protocol")
{
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect("replication=database");
    const Result system = client.query("IDENTIFY_SYSTEM");
    CHECK(
        system.columns() == std::vector<std::string>{"systemid", "timeline", "xlogpos", "dbname"}
    );
    CHECK(system.value(0, "dbname") == "app");
    CHECK(client.query("SELECT 1").text() == "1"); // with a database, SQL as well

    Connection physical = pgweir.connect("replication=true");
    CHECK(physical.query("IDENTIFY_SYSTEM").row_count() == 1);
    CHECK(physical.query("SELECT 1").is_error());
}

TEST_CASE(
    "integration/replication: it counts in the bound, and its server ends with it" * pooler_only()
)
{
    const Pgweir pgweir{sized("1")};
    Connection ordinary = pgweir.connect();
    CHECK(ordinary.query("SELECT 1").text() == "1");
    {
        Connection replication = pgweir.connect("replication=database");
        CHECK(replication.query("IDENTIFY_SYSTEM").row_count() == 1);
        CHECK(postgres().server_count("app_scram") == 1);
        CHECK(ordinary.query("SELECT 1").sqlstate() == "53300");
    }
    wait_until([] { return walsenders() == 0; }, "the walsender is gone");
    CHECK(ordinary.query("SELECT 2").text() == "2");
}

TEST_CASE(
    "integration/replication: an ordinary server never serves replication, nor the reverse"
    * pooler_only()
)
{
    const Pgweir pgweir{sized("2")};
    Connection ordinary = pgweir.connect();
    const int server = ordinary.backend_pid();
    Connection replication = pgweir.connect("replication=database");
    CHECK(replication.backend_pid() != server);
    CHECK(ordinary.query("IDENTIFY_SYSTEM").text() == "ERROR 42601");
}

TEST_CASE("integration/replication: logical decoding streams changes, and ends in order")
{
    postgres().sql("DROP TABLE IF EXISTS watched; CREATE TABLE watched (i int)");
    const Pgweir pgweir{sized("2")};
    Connection client = pgweir.connect("replication=database");
    CHECK_FALSE(client.query("CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL test_decoding").is_error()
    );
    postgres().sql("INSERT INTO watched VALUES (42)");
    CHECK(client.query("START_REPLICATION SLOT s LOGICAL 0/0").text() == "PGRES_COPY_BOTH");

    std::string seen;
    wait_until(
        [&] {
            seen += read_change(client).value(); // a change, or a sign of life
            return seen.find("i[integer]:42") != std::string::npos;
        },
        "the change arrives"
    );
    REQUIRE(PQputCopyEnd(client.raw(), nullptr) == 1);
    while (read_change(client)) {
    }
    CHECK_FALSE(client.next_result().value().is_error());
    while (client.next_result()) {
    }
    CHECK(client.query("IDENTIFY_SYSTEM").row_count() == 1);
}

TEST_CASE("integration/replication: pg_basebackup copies the cluster")
{
    if (!std::filesystem::exists(Postgres::program("pg_basebackup"))) {
        MESSAGE("skipped: pg_basebackup is not installed");
        return;
    }
    const Pgweir pgweir{sized("3")};
    const TempDirectory directory;
    const Target target = pgweir.target();
    run({
        .arguments =
            {Postgres::program("pg_basebackup"),
             "--host=" + target.host,
             "--port=" + std::to_string(target.port),
             "--username=app_scram",
             "--no-password",
             "--no-sync",
             "--checkpoint=fast",
             "--wal-method=stream", // a second connection beside the first
             "--pgdata=" + (directory / "copy").string()},
        .environment = {{"PGPASSWORD", "secret"}},
    });
    CHECK(std::filesystem::exists(directory / "copy/PG_VERSION"));
    CHECK(std::filesystem::exists(directory / "copy/backup_manifest"));
}
