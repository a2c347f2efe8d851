// What a process of PostgreSQL keeps although it was reset: who would notice gets a new one.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

Start one_server() { return {.flags = {"--pool-size", "1", "--workers", "1"}}; }

// PL/pgSQL is loaded there from now on.
void use_library(Connection& client)
{
    REQUIRE_FALSE(client.query("DO $$ BEGIN NULL; END $$").is_error());
}

void let_other_use_library(const Pgweir& pgweir)
{
    Connection other = pgweir.connect();
    use_library(other);
}

std::string set_unknown(Connection& client)
{
    return client.query("SET plpgsql.no_such_thing = 'on'").sqlstate();
}

} // namespace

TEST_CASE("integration/new_process: a temporary schema is made for each session")
{
    const Pgweir pgweir{one_server()};
    {
        Connection earlier = pgweir.connect();
        REQUIRE_FALSE(earlier.query("CREATE TEMP TABLE of_the_first ()").is_error());
    }
    Connection client = pgweir.connect();
    for (int i = 0; i < 2; ++i) {
        CAPTURE(i);
        REQUIRE_FALSE(client.query("SET search_path TO 'pg_temp'").is_error());
        REQUIRE_FALSE(client.query("BEGIN").is_error());
        CHECK(client.query("SELECT current_schema() ~ '^pg_temp_'").text() == "t");
        // It has made one: that is an operation on temporary objects. Rolled back, it is gone.
        CHECK(client.query("PREPARE TRANSACTION 'temporary'").sqlstate() == "0A000");
        REQUIRE_FALSE(client.query("ROLLBACK").is_error());
    }
}

TEST_CASE("integration/new_process: a library that others use reserves no names")
{
    const Pgweir pgweir{one_server()};
    let_other_use_library(pgweir);
    Connection client = pgweir.connect();
    CHECK(set_unknown(client).empty());
    CHECK(client.query("SHOW plpgsql.no_such_thing").text() == "on");
    use_library(client);
    CHECK(client.notices().find("removing it") != std::string::npos);
    CHECK(set_unknown(client) == "42602");
}

TEST_CASE("integration/new_process: one's own does")
{
    const Pgweir pgweir{one_server()};
    Connection client = pgweir.connect();
    use_library(client);
    CHECK(set_unknown(client) == "42602");
    CHECK(client.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/new_process: a name that is none anywhere costs its client nothing")
{
    const Pgweir pgweir{one_server()};
    Connection client = pgweir.connect();
    for (int i = 0; i < 2; ++i) {
        CHECK(client.query("SET special.\"weird name\" = 'x'").sqlstate() == "42602");
    }
    Connection other = pgweir.connect();
    CHECK(other.query("SELECT 1").text() == "1");
    CHECK(client.query("SELECT 2").text() == "2");
}

TEST_CASE("integration/new_process: nothing is said twice that has been answered in part")
{
    const Pgweir pgweir{one_server()};
    let_other_use_library(pgweir);
    Connection client = pgweir.connect();
    const std::string both = "SELECT 1; SET plpgsql.no_such_thing = 'on'";
    if (is_direct()) {
        CHECK_FALSE(client.query(both).is_error());
    } else {
        CHECK(client.query(both).sqlstate() == "42602");
    }
}

TEST_CASE("integration/new_process: sessions that look at how many there were are among them")
{
    const Pgweir pgweir{one_server()};
    const std::string sessions = "SELECT sessions FROM pg_stat_database WHERE datname = "
                                 "current_database()";
    const auto look = [&] {
        Connection client = pgweir.connect();
        client.query("SET app.mine = '7'");
        const int count = std::stoi(client.query(sessions).text());
        const int server = client.backend_pid();
        CHECK(client.query("SHOW app.mine").text() == "7");
        client.query_params(sessions, {});
        CHECK(client.backend_pid() == server); // once is enough
        return count;
    };
    const int before = look();
    CHECK(look() > before);
}
