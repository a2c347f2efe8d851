#include <pgweir/session/new_process.hpp>

#include <pgweir/session/state.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <support/session_script.hpp>

using namespace pgweir;
using namespace pgweir::test;

namespace {

bool makes_temp_schema(const char* search_path)
{
    return session::Settings{{{"search_path", search_path}}}.makes_temp_schema();
}

bool may_be_reserved(const std::string& said, std::string_view sqlstate = "42602")
{
    wire::ErrorFields fields;
    fields.sqlstate = sqlstate;
    return session::may_be_reserved_here({}, as_bytes(said), fields);
}

} // namespace

TEST_CASE("session/new_process: a search_path that makes a temporary schema begins with pg_temp")
{
    for (const char* const path : {"pg_temp", " pg_temp", "\"pg_temp\"", "pg_temp, public"}) {
        CAPTURE(path);
        CHECK(makes_temp_schema(path));
    }
    for (const char* const path : {"", "public", "public, pg_temp", "pg_temp_3", "\"$user\""}) {
        CAPTURE(path);
        CHECK_FALSE(makes_temp_schema(path));
    }
}

TEST_CASE("session/new_process: a process makes its temporary schema for one client")
{
    session::ServerState server;
    session::ClientState first;
    first.id = ClientId{1};
    session::ClientState second;
    second.id = ClientId{2};
    CHECK(session::may_make_temp_schema(server, first));
    CHECK(session::may_make_temp_schema(server, first));
    CHECK_FALSE(session::may_make_temp_schema(server, second));
}

TEST_CASE("session/new_process: who looks at sessions is to be counted")
{
    const auto looks = [](const std::string& said) {
        return session::looks_at_sessions(as_bytes(said));
    };
    CHECK(looks(say::query("SELECT sessions FROM pg_stat_database")));
    CHECK(looks(say::query("select * from PG_CATALOG.Pg_Stat_Database where datid = 5")));
    CHECK(looks(say::parse("", "SELECT pg_stat_get_db_sessions(5)") + say::sync()));
    CHECK_FALSE(looks(say::query("SELECT 1") + say::query("SELECT 1 FROM pg_stat_database")));
    CHECK_FALSE(looks(say::query("SELECT * FROM pg_stat_activity")));
    CHECK_FALSE(looks(say::query("SELECT my_stat_database")));
    CHECK_FALSE(looks(say::sync()));
    CHECK_FALSE(looks(""));
}

TEST_CASE("session/new_process: only a SET, alone in its message, is tried elsewhere")
{
    CHECK(may_be_reserved(say::query("SET plpgsql.x = 'on'")));
    CHECK(may_be_reserved(say::query("SET plpgsql.x = 'on';\n")));
    CHECK_FALSE(may_be_reserved(say::query("SET plpgsql.x = 'on'"), "22023"));
    for (const std::string text : {
             "SELECT 1; SET plpgsql.x = 'on'",
             "SET plpgsql.x = 'on'; SELECT 1",
             "SET plpgsql.x = 'on'; SET plpgsql.y = 'on'",
             "SET work_mem = '1MB'",
             "SELECT 1",
             "",
             ";",
         }) {
        CAPTURE(text);
        CHECK_FALSE(may_be_reserved(say::query(text)));
    }
    CHECK_FALSE(may_be_reserved(""));
    CHECK_FALSE(may_be_reserved(say::parse("", "SET plpgsql.x = 'on'")));
}
