// A primary and its standby, and what happens when they change places.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

struct Pair {
    Postgres primary;
    Postgres standby{primary};

    [[nodiscard]] Start start(const std::string& wanted) const
    {
        const std::string first = std::to_string(primary.port());
        const std::string second = std::to_string(standby.port());
        return {
            .flags =
                {"--pool-size",
                 "3",
                 "--set",
                 "pool.server_login_retry=100ms",
                 "--set",
                 "pool.failover_wait=1min",
                 "--set",
                 "pool.query_wait_timeout=1min"},
            .upstream = "postgresql://app_scram:secret@127.0.0.1:" + first + ",127.0.0.1:" + second
                        + "/app?target_session_attrs=" + wanted,
        };
    }
};

std::string role_of(Connection& client)
{
    return client.query("SELECT pg_is_in_recovery()").text() == "t" ? "standby" : "primary";
}

int port_of(Connection& client)
{
    return std::stoi(client.query("SELECT current_setting('port')").text());
}

} // namespace

TEST_CASE(
    "integration/failover: the primary dies, and the pool goes with the standby" * pooler_only()
)
{
    Pair pair;
    pair.primary.sql("CREATE TABLE t (i int); GRANT ALL ON t TO PUBLIC");
    const Pgweir pgweir{pair.start("read-write")};
    std::vector<Connection> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(pgweir.connect());
        CHECK(port_of(clients.back()) == pair.primary.port());
    }
    Connection& running = clients[0];
    Connection& open = clients[1];
    running.send("SELECT pg_sleep(600)");
    running.flush();
    open.query("BEGIN; INSERT INTO t VALUES (1)");
    pair.primary.wait_for_sleepers(1);
    pair.standby.catch_up(pair.primary);
    pair.primary.kill();

    // What was in flight has failed, once.
    const std::string error = running.only_result().sqlstate();
    CAPTURE(error);
    CHECK((error == "08006" || error == "57P02"));
    for (std::size_t i = 2; i < clients.size(); ++i) { // what has not begun waits
        clients[i].send("INSERT INTO t VALUES (2) RETURNING i");
        clients[i].flush();
    }
    pgweir.wait_for_waiting(4);
    pair.standby.promote();
    for (std::size_t i = 2; i < clients.size(); ++i) {
        CHECK(clients[i].only_result().text() == "2");
        CHECK(port_of(clients[i]) == pair.standby.port());
    }
    CHECK(pgweir.connect().query("SELECT count(*) FROM t").text() == "4");
    CHECK(pair.standby.server_count("app_scram") <= 3);
}

TEST_CASE(
    "integration/failover: … also when it stops in order, and comes back as a standby"
    * pooler_only()
)
{
    Pair pair;
    const Pgweir pgweir{pair.start("primary")};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    CHECK(port_of(client) == pair.primary.port());
    pair.primary.stop();
    client.send("SELECT pg_is_in_recovery()");
    client.flush();
    pair.standby.promote();
    CHECK(client.only_result().text() == "f");
    // An old primary that was started again, first in the list as it is, is left alone.
    pair.primary.start();
    CHECK(pgweir.console().query("RECONNECT").text() == "RECONNECT");
    CHECK(port_of(client) == pair.standby.port());
    CHECK(port_of(other) == pair.standby.port());
}

TEST_CASE(
    "integration/failover: a standby that was promoted is left by who wants a standby"
    * pooler_only()
)
{
    Pair pair;
    const Pgweir wants{pair.start("standby")};
    const Pgweir prefers{pair.start("prefer-standby")};
    Connection strict = wants.connect();
    Connection lenient = prefers.connect();
    CHECK(role_of(strict) == "standby");
    CHECK(role_of(lenient) == "standby");
    // What pgweir asks behind a first call of a function would be answered by a primary, else.
    const auto is_at_rest = [](const Pgweir& pgweir) { return pgweir.pool_number("sv_idle") == 1; };
    wait_until([&] { return is_at_rest(wants) && is_at_rest(prefers); }, "all is asked");
    pair.standby.promote();
    // PostgreSQL says so with its next answer, which still comes from there.
    CHECK(strict.query("SELECT 1").text() == "1");
    wait_until([&] { return pair.standby.server_count("app_scram") <= 1; }, "its server is closed");
    strict.send("SELECT 2");
    strict.flush();
    wants.wait_for_waiting(1);
    CHECK_FALSE(strict.has_result());

    CHECK(lenient.query("SELECT 1").text() == "1"); // any other will do, if there is no standby
    wait_until([&] { return role_of(lenient) == "primary"; }, "it is told so");
    const int server = lenient.backend_pid();
    CHECK(lenient.query("SELECT 2").text() == "2");
    CHECK(lenient.backend_pid() == server); // and is no reason to go away again
}

TEST_CASE(
    "integration/failover: a primary that may only be read is looked at again" * pooler_only()
)
{
    Pair pair;
    pair.primary.sql("CREATE TABLE t (i int); GRANT ALL ON t TO PUBLIC");
    const Pgweir pgweir{pair.start("read-write")};
    Connection client = pgweir.connect();
    const int before = client.backend_pid();
    CHECK(client.query("BEGIN READ ONLY; INSERT INTO t VALUES (1)").sqlstate() == "25006");
    client.query("ROLLBACK");
    CHECK(client.backend_pid() == before); // that was the client's own wish

    pair.standby.catch_up(pair.primary);
    pair.primary.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    pair.primary.sql("SELECT pg_reload_conf()");
    wait_until(
        [&] { return client.query("INSERT INTO t VALUES (2)").sqlstate() == "25006"; },
        "it is closed"
    );
    client.send("INSERT INTO t VALUES (3) RETURNING i");
    client.flush();
    pair.standby.promote();
    const std::string answer = client.only_result().text();
    CAPTURE(answer);
    CHECK((answer == "3" || answer == "ERROR 25006"));
    wait_until([&] { return port_of(client) == pair.standby.port(); }, "the pool has moved");
    CHECK(client.query("INSERT INTO t VALUES (4) RETURNING i").text() == "4");
}
