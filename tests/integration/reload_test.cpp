#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

using namespace pgweir::test;

namespace {

std::string config(const std::string& pool, const std::string& users)
{
    return "[pool]\n" + pool + "\n[databases.app]\nupstream = \"postgresql://127.0.0.1:"
           + std::to_string(postgres().port()) + "/app\"\n" + users;
}

constexpr const char* scram = "[users.app_scram]\npassword = \"secret\"\n";
constexpr const char* md5 = "[users.app_md5]\npassword = \"secret\"\n";

// How many transactions can be open at once, up to three.
int room(const Pgweir& pgweir)
{
    std::vector<Connection> holders;
    int open = 0;
    for (int i = 0; i < 3; ++i) {
        holders.push_back(pgweir.connect());
        open += holders.back().query(begin_at_once).text() == "1" ? 1 : 0;
    }
    return open;
}

Start configured(const std::string& toml) { return {.upstream = "-", .toml = toml}; }

} // namespace

TEST_CASE("integration/reload: SIGHUP makes a new pool size count, both ways" * pooler_only())
{
    const std::string wait = "query_wait_timeout = \"300ms\"\nsize = ";
    const Pgweir pgweir{configured(config(wait + "1", scram))};
    CHECK(room(pgweir) == 1);
    pgweir.write_config(config(wait + "3", scram));
    pgweir.signal(SIGHUP);
    wait_until([&] { return room(pgweir) == 3; }, "three servers are allowed");

    pgweir.write_config(config(wait + "2", scram));
    pgweir.signal(SIGHUP);
    wait_until([&] { return room(pgweir) == 2; }, "only two servers are allowed");
    postgres().wait_for_server_count("app_scram", 2);
}

TEST_CASE("integration/reload: users come and go, and who is connected stays" * pooler_only())
{
    const Pgweir pgweir{configured(config("size = 2", scram))};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "1");
    CHECK(login_error(pgweir.conninfo("user=app_md5")).starts_with("28P01 "));

    pgweir.write_config(config("size = 2", std::string{scram} + md5));
    pgweir.signal(SIGHUP);
    wait_until(
        [&] { return login_error(pgweir.conninfo("user=app_md5")).empty(); }, "the user is known"
    );
    CHECK(client.query("SELECT 2").text() == "2");

    pgweir.write_config(config("size = 2", scram));
    pgweir.signal(SIGHUP);
    wait_until(
        [&] { return !login_error(pgweir.conninfo("user=app_md5")).empty(); }, "the user is gone"
    );
    CHECK(client.query("SELECT 3").text() == "3");
}

TEST_CASE("integration/reload: a bad file changes nothing and is explained" * pooler_only())
{
    const std::string wait = "query_wait_timeout = \"300ms\"\nsize = 1";
    const Pgweir pgweir{configured(config(wait, scram))};
    // Half of it would be good: all or nothing.
    pgweir.write_config(config("size = 3\nno_such_key = 1", scram));
    pgweir.signal(SIGHUP);
    wait_until(
        [&] { return pgweir.log().find("no_such_key") != std::string::npos; },
        "the problem is in the log"
    );
    CHECK(room(pgweir) == 1);
    CHECK(http_get(pgweir.http(), "/readyz").status == 200);
}

TEST_CASE("integration/reload: a transaction that is open does not notice" * pooler_only())
{
    const Pgweir pgweir{configured(config("size = 2", scram))};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    const int server = client.backend_pid();
    pgweir.write_config(config("size = 2\nquery_timeout = \"300ms\"", scram));
    pgweir.signal(SIGHUP);
    wait_until(
        [&] { return pgweir.connect().query("SELECT pg_sleep(5)").text() == "ERROR 57014"; },
        "the new timeout counts"
    );
    CHECK(client.backend_pid() == server);
    CHECK(client.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/reload: a hundred signals while clients work" * pooler_only())
{
    const Pgweir pgweir{configured(config("size = 2", scram))};
    Connection client = pgweir.connect();
    for (int i = 0; i < 100; ++i) {
        pgweir.signal(SIGHUP);
        CHECK(client.query("SELECT 1").text() == "1");
    }
}
