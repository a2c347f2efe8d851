// Caps that pools share: of a database, of a user, and what is guaranteed.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <list>
#include <string>

using namespace pgweir::test;

namespace {

std::string url()
{
    return "\"postgresql://127.0.0.1:" + std::to_string(postgres().port()) + "/app\"\n";
}

/// Two users of one database, which is there under a second name as well.
Start two_users(const std::string& caps, const std::string& pool = "", const std::string& rest = "")
{
    return {
        .upstream = "-",
        .toml = "admin_users = [\"app_scram\"]\n" + caps + "[pool]\nsize = 5\n" + pool
                + "[databases.app]\nupstream = " + url() + "[databases.second]\nupstream = " + url()
                + "[users.app_scram]\npassword = \"secret\"\n[users.app_md5]\npassword = "
                  "\"secret\"\n"
                + rest
    };
}

int servers() { return postgres().server_count("app_scram") + postgres().server_count("app_md5"); }

/// Clients that have a transaction open, each in a server of its own.
class Holders {
public:
    Holders(const Pgweir& pgweir, int count, const std::string& more = "")
    {
        for (int i = 0; i < count; ++i) {
            clients_.push_back(pgweir.connect(more));
            CHECK(clients_.back().query(begin_at_once).text() == "1");
        }
    }
    void let_go()
    {
        for (Connection& client : clients_) CHECK(client.query("COMMIT").sqlstate().empty());
    }
    Connection& front() { return clients_.front(); }

private:
    std::list<Connection> clients_;
};

constexpr const char* other = "user=app_md5";

} // namespace

TEST_CASE("integration/caps: idle servers of one user go when another one waits" * pooler_only())
{
    const Pgweir pgweir{two_users("max_db_connections = 2\n")};
    Holders first{pgweir, 2};
    first.let_go();
    CHECK(servers() == 2);

    Holders second{pgweir, 2, other}; // its login has to wait for a place as well
    CHECK(postgres().server_count("app_md5") == 2);
    postgres().wait_for_server_count("app_scram", 0);
    second.let_go();
    CHECK(first.front().query("SELECT 1").text() == "1");
    CHECK(
        pgweir.metrics().find("pgweir_servers_closed_total{database=\"app\",user=\"app_scram\","
                              "reason=\"evicted\"} 2")
        != std::string::npos
    );
}

TEST_CASE("integration/caps: who comes late is served after one transaction" * pooler_only())
{
    const Pgweir pgweir{two_users("max_db_connections = 3\n")};
    Connection late = pgweir.connect(other);
    CHECK(late.query("SELECT 1").text() == "1");
    Holders first{pgweir, 3};
    std::list<Connection> crowd;
    for (int i = 0; i < 3; ++i) {
        Connection& client = crowd.emplace_back(pgweir.connect());
        client.send("SELECT pg_sleep(0.1)");
        client.flush();
    }
    pgweir.wait_for_waiting(3);

    late.send("SELECT 2");
    late.flush();
    pgweir.wait_for_waiting(4);
    CHECK(first.front().query("COMMIT").sqlstate().empty());
    CHECK(late.only_result().text() == "2");
    CHECK_FALSE(crowd.back().has_result()); // those wait on
    first.let_go();
    for (Connection& client : crowd) CHECK(client.only_result().text() == "");
    CHECK(servers() <= 3);
}

TEST_CASE("integration/caps: what is guaranteed is left free" * pooler_only())
{
    const Pgweir pgweir{two_users(
        "max_db_connections = 3\n",
        "query_wait_timeout = \"300ms\"\n",
        "[users.app_md5.pool]\nguaranteed_size = 2\n"
    )};
    Connection privileged = pgweir.connect(other); // or nobody knows of it
    Holders first{pgweir, 1};
    Connection second = pgweir.connect();
    const Result refused = second.query("SELECT 1");
    CHECK(refused.sqlstate() == "53300");
    CHECK(
        refused.field(PG_DIAG_MESSAGE_DETAIL)
        == "Pool app/app_scram: 1 of 3 server connections open, 0 clients waiting. Database app: "
           "2 of 3 (max_db_connections) in use, 1 of them by 1 other user, 1 guaranteed to others."
    );
    Holders third{pgweir, 2, other};
    CHECK(servers() == 3);
}

TEST_CASE("integration/caps: a user's cap counts in all databases" * pooler_only())
{
    const Pgweir pgweir{
        two_users("", "query_wait_timeout = \"1500ms\"\n", "max_user_connections = 2\n")
    };
    Connection here = pgweir.connect(other);
    Connection there = pgweir.connect(std::string{other} + " dbname=second");
    CHECK(here.query(begin_at_once).text() == "1");
    CHECK(there.query(begin_at_once).text() == "1");
    Connection third = pgweir.connect(std::string{other} + " dbname=second");
    const Result refused = third.query("SELECT 1");
    CHECK(refused.sqlstate() == "53300");
    CHECK(
        refused.field(PG_DIAG_MESSAGE_DETAIL)
        == "Pool second/app_md5: 1 of 2 server connections open, 0 clients waiting. User app_md5: "
           "2 of 2 (max_user_connections) in use, 1 of them by 1 other database."
    );
    CHECK(postgres().server_count("app_md5") == 2);
    CHECK(here.query("COMMIT").sqlstate().empty());
    CHECK(third.query("SELECT 3").text() == "3"); // once the other has rested
    const Holders others{pgweir, 3};              // have no cap
}

TEST_CASE("integration/caps: a reload changes them, and the console shows them" * pooler_only())
{
    const Start wide = two_users("max_db_connections = 4\n");
    const Pgweir pgweir{wide};
    Holders first{pgweir, 3};
    Connection console = pgweir.connect("dbname=pgweir");
    const auto shown = [&](const std::string& what, const std::string& name, const char* column) {
        const Result table = console.query("SHOW " + what);
        for (int row = 0; row < table.row_count(); ++row) {
            if (table.value(row, "name") == name) return table.value(row, column);
        }
        return std::string{"no such row"};
    };
    CHECK(shown("DATABASES", "app", "max_connections") == "4");
    CHECK(shown("DATABASES", "app", "current_connections") == "3");
    CHECK(shown("USERS", "app_scram", "max_user_connections") == "0");
    CHECK(shown("USERS", "app_scram", "current_connections") == "3");

    const Start narrow = two_users("max_db_connections = 1\nmax_user_connections = 7\n");
    pgweir.write_config(narrow.toml);
    pgweir.signal(SIGHUP);
    wait_until(
        [&] { return shown("DATABASES", "app", "max_connections") == "1"; }, "the cap has changed"
    );
    CHECK(shown("USERS", "app_md5", "max_user_connections") == "7");
    CHECK(servers() == 3); // nobody loses his transaction
    first.let_go();
    postgres().wait_for_server_count("app_scram", 1);
}
