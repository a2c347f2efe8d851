#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

std::string joined(const std::vector<std::string>& words)
{
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

// PgBouncer's names in PgBouncer's order: exporters and scripts depend on both. More may follow.
struct Table {
    std::string command;
    std::string columns;
};

const std::string connection_columns =
    "type user database replication state addr port local_addr local_port connect_time "
    "request_time wait wait_us close_needed ptr link remote_pid tls application_name "
    "prepared_statements id";

const std::vector<Table> tables{
    {"SHOW POOLS",
     "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active "
     "sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us "
     "pool_mode load_balance_hosts"},
    {"SHOW STATS",
     "database total_server_assignment_count total_xact_count total_query_count total_received "
     "total_sent total_xact_time total_query_time total_wait_time total_client_parse_count "
     "total_server_parse_count total_bind_count total_client_login_count "
     "avg_server_assignment_count avg_xact_count avg_query_count avg_recv avg_sent avg_xact_time "
     "avg_query_time avg_wait_time avg_client_parse_count avg_server_parse_count avg_bind_count "
     "avg_client_login_count"},
    {"SHOW CLIENTS", connection_columns},
    {"SHOW SERVERS", connection_columns},
    {"SHOW DATABASES",
     "name host port database force_user pool_size min_pool_size reserve_pool_size "
     "server_lifetime pool_mode load_balance_hosts max_connections current_connections "
     "max_client_connections current_client_connections paused disabled"},
    {"SHOW CONFIG", "key value default changeable"},
    {"SHOW VERSION", "version"},
};

// The first row in which a column has this value, or -1.
int find_row(const Result& table, const std::string& column, const std::string& value)
{
    for (int row = 0; row < table.row_count(); ++row) {
        if (table.value(row, column) == value) return row;
    }
    return -1;
}

Start two_users()
{
    return {
        .flags = {"--pool-size", "1"},
        .upstream = "-",
        .toml =
            "admin_users = [\"app_scram\"]\nstats_users = [\"app_md5\"]\n"
            "[databases.app]\nupstream = \"postgresql://127.0.0.1:"
            + std::to_string(postgres().port())
            + "/app\"\n[users.app_scram]\npassword = \"secret\"\n"
              "[users.app_md5]\npassword = \"secret\"\n[users.app_plain]\npassword = \"secret\"\n",
    };
}

} // namespace

TEST_CASE("integration/console: every table begins with PgBouncer's columns" * pooler_only())
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.query("SELECT 1");
    Connection console = pgweir.console();
    for (const Table& table : tables) {
        CAPTURE(table.command);
        const Result result = console.query(table.command);
        CHECK(joined(result.columns()).starts_with(table.columns));
        CHECK(result.row_count() > 0);
    }
}

TEST_CASE(
    "integration/console: commands are read in any case, with blanks and a semicolon"
    * pooler_only()
)
{
    const Pgweir pgweir;
    Connection console = pgweir.console();
    for (const std::string command : {"show version", "  Show\n\tVersion ;  ", "SHOW VERSION;"}) {
        CAPTURE(command);
        CHECK(console.query(command).text().find("pgweir") != std::string::npos);
    }
    CHECK(texts(console.query_all("")) == "PGRES_EMPTY_QUERY");
}

TEST_CASE("integration/console: SHOW HELP names every command" * pooler_only())
{
    const Pgweir pgweir;
    Connection console = pgweir.console();
    const std::string help = console.query("SHOW HELP").text() + console.notices();
    for (const std::string word :
         {"POOLS",
          "STATS",
          "CLIENTS",
          "SERVERS",
          "DATABASES",
          "CONFIG",
          "VERSION",
          "PAUSE",
          "RESUME",
          "RELOAD",
          "SHUTDOWN"}) {
        CAPTURE(word);
        CHECK(help.find(word) != std::string::npos);
    }
}

TEST_CASE(
    "integration/console: an unknown command is an error, and the console goes on" * pooler_only()
)
{
    const Pgweir pgweir;
    Connection console = pgweir.console();
    for (const std::string command : {"SHOW NOTHING", "SELECT 1", "DROP TABLE t", "SHOW", ";;x"}) {
        CAPTURE(command);
        CHECK(console.query(command).is_error());
    }
    CHECK(console.query("SHOW VERSION").row_count() == 1);
}

TEST_CASE("integration/console: POOLS, CLIENTS and SERVERS tell who does what" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection active = pgweir.connect("application_name=the_active_one");
    Connection waiting = pgweir.connect("application_name=the_waiting_one");
    active.query("BEGIN");
    const int server = active.backend_pid();
    waiting.send("SELECT 1");
    waiting.flush();
    pgweir.wait_for_waiting(1);
    Connection console = pgweir.console();

    const Result pools = console.query("SHOW POOLS");
    const int pool = find_row(pools, "user", "app_scram");
    REQUIRE(pool >= 0);
    CHECK(pools.value(pool, "database") == "app");
    CHECK(pools.value(pool, "cl_active") == "1");
    CHECK(pools.value(pool, "sv_active") == "1");
    CHECK(pools.value(pool, "sv_idle") == "0");
    CHECK(pools.value(pool, "pool_mode") == "transaction");

    const Result clients = console.query("SHOW CLIENTS");
    const int first = find_row(clients, "application_name", "the_active_one");
    const int second = find_row(clients, "application_name", "the_waiting_one");
    REQUIRE((first >= 0 && second >= 0));
    CHECK(clients.value(first, "state") == "active");
    CHECK(clients.value(second, "state") == "waiting");
    CHECK(clients.value(first, "user") == "app_scram");

    const Result servers = console.query("SHOW SERVERS");
    const int row = find_row(servers, "remote_pid", std::to_string(server));
    REQUIRE(row >= 0);
    CHECK(servers.value(row, "state") == "active");
    CHECK(servers.value(row, "port") == std::to_string(postgres().port()));

    active.query("COMMIT");
    CHECK(waiting.next_result().value().text() == "1");
}

TEST_CASE("integration/console: STATS count what was done" * pooler_only())
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    for (int i = 0; i < 10; ++i) client.query("SELECT 1");
    client.query("BEGIN");
    client.query("SELECT 2");
    client.query("COMMIT");
    Connection console = pgweir.console();
    // A worker may publish its numbers a moment after it has answered.
    wait_until(
        [&] {
            const Result stats = console.query("SHOW STATS");
            const int row = find_row(stats, "database", "app");
            return row >= 0 && stats.value(row, "total_xact_count") == "11"
                   && stats.value(row, "total_query_count") == "13";
        },
        "11 transactions and 13 queries are counted"
    );
}

TEST_CASE("integration/console: CONFIG shows what is in force, but no secret" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--pool-size", "7"}}};
    Connection console = pgweir.console();
    const Result config = console.query("SHOW CONFIG");
    const int row = find_row(config, "key", "pool.size");
    REQUIRE(row >= 0);
    CHECK(config.value(row, "value") == "7");
    CHECK(config.value(row, "default") == "20");
    CHECK(config.text().find("secret") == std::string::npos);
}

TEST_CASE(
    "integration/console: PAUSE finishes what runs, holds what comes, RESUME lets it go"
    * pooler_only()
)
{
    const Pgweir pgweir{{.flags = {"--pool-size", "2"}}};
    Connection running = pgweir.connect();
    Connection held = pgweir.connect();
    Connection console = pgweir.console();
    running.query(begin_at_once);
    console.send("PAUSE");
    console.flush();
    CHECK(running.query("SELECT 'goes on'").text() == "goes on");
    CHECK(running.query("COMMIT").text() == "COMMIT");
    CHECK(console.next_result().value().text() == "PAUSE");
    CHECK_FALSE(console.next_result().has_value());
    postgres().wait_for_server_count("app_scram", 0); // so that PostgreSQL may be restarted

    held.send("SELECT 'held'");
    held.flush();
    pgweir.wait_for_waiting(1);
    CHECK_FALSE(held.has_result());
    CHECK(console.query("RESUME").text() == "RESUME");
    CHECK(held.next_result().value().text() == "held");
}

TEST_CASE("integration/console: a PAUSE that waits is ended by RESUME" * pooler_only())
{
    const Pgweir pgweir;
    Connection running = pgweir.connect();
    Connection console = pgweir.console();
    Connection other = pgweir.console();
    running.query(begin_at_once);
    console.send("PAUSE");
    console.flush();
    const auto is_paused = [&] {
        const Result state = other.query("SHOW STATE");
        return state.value(find_row(state, "key", "paused"), "value") == "yes";
    };
    wait_until(is_paused, "the pool is paused");
    CHECK(other.query("RESUME").text() == "RESUME");
    const auto ended = console.next_result();
    REQUIRE(ended.has_value());
    CHECK(ended->sqlstate() == "57014");
    CHECK(ended->message() == "PAUSE was ended by a RESUME");
    CHECK(running.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/console: RELOAD reads the file again" * pooler_only())
{
    Start start = two_users();
    start.flags.clear();
    const Pgweir pgweir{start};
    Connection console = pgweir.console();
    const auto pool_size = [&] {
        const Result config = console.query("SHOW CONFIG");
        return config.value(find_row(config, "key", "pool.size"), "value");
    };
    CHECK(pool_size() == "20");
    pgweir.write_config(start.toml + "[pool]\nsize = 3\n");
    CHECK(console.query("RELOAD").text() == "RELOAD");
    wait_until([&] { return pool_size() == "3"; }, "the new size is in force");

    pgweir.write_config(start.toml + "[pool]\nsizes = 4\n");
    CHECK(console.query("RELOAD").is_error());
    CHECK(pool_size() == "3");
}

TEST_CASE("integration/console: SHUTDOWN ends the daemon" * pooler_only())
{
    Pgweir pgweir;
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
    Connection console = pgweir.console();
    console.send("SHUTDOWN");
    console.flush();
    pgweir.expect_exit(0);
}

TEST_CASE(
    "integration/console: who may only look cannot command, and others do not get in"
    * pooler_only()
)
{
    const Pgweir pgweir{two_users()};
    Connection viewer = pgweir.connect("dbname=pgweir user=app_md5");
    CHECK(viewer.query("SHOW POOLS").columns().size() > 10);
    for (const std::string command : {"PAUSE", "RESUME", "RELOAD", "SHUTDOWN"}) {
        CAPTURE(command);
        CHECK(viewer.query(command).sqlstate() == "42501");
    }
    const std::string error = login_error(pgweir.conninfo("dbname=pgweir user=app_plain"));
    CAPTURE(error);
    CHECK_FALSE(error.empty());
    CHECK(pgweir.process().is_running());
    CHECK_FALSE(login_error(pgweir.conninfo("dbname=pgweir password=wrong")).empty());
}
