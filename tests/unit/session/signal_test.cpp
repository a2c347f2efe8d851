#include <pgweir/session/signal.hpp>

#include <pgweir/session/sql.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;

namespace {

std::string reading(std::string_view sql)
{
    const auto call = read_signal_call(sql);
    if (!call) return "nothing";
    const std::string whom = call->process_id ? std::to_string(*call->process_id) : "$1";
    return (call->terminates ? "terminate " : "cancel ") + whom;
}

Buffer bytes_of(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

std::string bound(std::string_view body)
{
    const Buffer bytes = bytes_of(body);
    const auto process_id = bound_process_id(bytes);
    return process_id ? std::to_string(*process_id) : "nothing";
}

} // namespace

TEST_CASE("session/signal: a call with a literal or the parameter, and nothing else")
{
    CHECK(reading("select pg_terminate_backend(1073741830)") == "terminate 1073741830");
    CHECK(reading("SELECT PG_Catalog . PG_Cancel_Backend ( $1 ) ;") == "cancel $1");
    CHECK(reading("select pg_terminate_backend($1::int)") == "terminate $1");
    CHECK(
        reading("select pg_terminate_backend('1073741830'::int4) as ended")
        == "terminate 1073741830"
    );
    CHECK(reading("select /* it */ pg_cancel_backend(7::integer) \"Is it\" -- so") == "cancel 7");
    CHECK(reading("select pg_terminate_backend(7, 5000)") == "terminate 7");
}

TEST_CASE("session/signal: what might be called more or less than once is left alone")
{
    for (const char* const sql :
         {"",
          "select",
          "select pg_terminate_backend",
          "select pg_terminate_backend(",
          "select pg_terminate_backend()",
          "select pg_terminate_backend(pid) from pg_stat_activity",
          "select pg_terminate_backend(7) from generate_series(1, 2)",
          "select pg_terminate_backend(7) where false",
          "select pg_terminate_backend(7) as ended where false",
          "select not pg_terminate_backend(7)",
          "select pg_terminate_backend(7)::text",
          "select pg_terminate_backend(7), 1",
          "select pg_terminate_backend(7); select 1",
          "select 1, pg_terminate_backend(7)",
          "select pg_terminate_backend(7 + 1)",
          "select pg_terminate_backend(7::bigint)",
          "select pg_terminate_backend(7:int)",
          "select pg_terminate_backend(-7)",
          "select pg_terminate_backend(99999999999)",
          "select pg_terminate_backend('7 ')",
          "select pg_terminate_backend($2)",
          "select pg_terminate_backend(7, -1)",
          "select pg_cancel_backend(7, 1)",
          "select other.pg_terminate_backend(7)",
          "select pg_catalog pg_terminate_backend(7)",
          "explain select pg_terminate_backend(7)"}) {
        CAPTURE(sql);
        CHECK(reading(sql) == "nothing");
    }
}

TEST_CASE("session/signal: the reading of a text says that a closer look is worth it")
{
    CHECK(read_sql("select pg_catalog.PG_terminate_backend($1)").uses_process_id);
    CHECK(read_sql("select 1; select pg_cancel_backend(1)").uses_process_id);
    CHECK(read_sql("select pg_backend_pid()").uses_process_id);
    CHECK(!read_sql("select pg_blocking_pids(7), 'pg_cancel_backend(1)'").uses_process_id);
}

TEST_CASE("session/signal: the value of $1, as text or as four bytes")
{
    using namespace std::string_view_literals;
    constexpr auto as_text_digits = "\0\0\0\1\0\0\0\n1073741830"sv;
    constexpr auto by_format = "\0\1\0\0\0\1\0\0\0\n1073741830"sv;
    constexpr auto as_int4 = "\0\1\0\1\0\1\0\0\0\4\x40\0\0\6\0\1\0\1"sv;
    for (const std::string_view body : {as_text_digits, by_format, as_int4}) {
        CHECK(bound(body) == "1073741830");
    }
    CHECK(bound("\0\0\0\1\xff\xff\xff\xff\0\0"sv) == "nothing"); // NULL
    CHECK(bound("\0\0\0\1\0\0\0\2x1\0\0"sv) == "nothing");
    CHECK(bound("\0\1\0\1\0\1\0\0\0\2\0\7\0\0"sv) == "nothing"); // of another type
    CHECK(bound("\0\0\0\2\0\0\0\1\x37\0\0\0\1\x37\0\0"sv) == "nothing");
    CHECK(bound("\0\0\0\0\0\0"sv) == "nothing");
    for (std::size_t size = 0; size < as_int4.size() - 4; ++size) {
        CHECK(bound(as_int4.substr(0, size)) == "nothing");
    }
}

TEST_CASE("session/signal: the statement asks for the permission, in the place of the call")
{
    constexpr std::string_view sql = "select pg_terminate_backend($1::int) as x";
    const std::string asked = permission_sql(sql, *read_signal_call(sql), "o'n\\e");
    CAPTURE(asked);
    CHECK(asked.starts_with("select (SELECT CASE WHEN "));
    CHECK(asked.ends_with("current_user) as x"));
    CHECK(asked.find("($1::int)::pg_catalog.int4 IS NOT NULL THEN true") != std::string::npos);
    CHECK(asked.find("AS pg_terminate_backend FROM") != std::string::npos);
    CHECK(asked.find("E'o''n\\\\e'") != std::string::npos);
    CHECK(!read_signal_call(asked)); // and is not read like that again
}

TEST_CASE("session/signal: to oneself it is sent by the server")
{
    constexpr std::string_view sql = "select pg_cancel_backend(7);";
    CHECK(
        own_signal_sql(sql, *read_signal_call(sql))
        == "select pg_cancel_backend(CASE WHEN (7)::pg_catalog.int4 IS NOT NULL"
           " THEN pg_catalog.pg_backend_pid() END);"
    );
}

TEST_CASE("session/signal: a client's own number stands in place of the call")
{
    const auto told = [](std::string_view sql) -> std::string {
        const auto call = read_own_id_call(sql);
        return call ? own_id_sql(sql, *call, 1'073'741'830) : "nothing";
    };
    CHECK(
        told("SELECT pg_backend_pid()") == "SELECT 1073741830::pg_catalog.int4 AS pg_backend_pid"
    );
    CHECK(
        told("select pg_catalog.pg_backend_pid() as \"P\" ; ")
        == "select 1073741830::pg_catalog.int4 as \"P\" ; "
    );
    for (const std::string_view sql :
         {"select pg_backend_pid() + 0",
          "select pg_backend_pid(), 1",
          "select other.pg_backend_pid()",
          "select pg_backend_pid(); select 1",
          "select pg_backend_pid() from t",
          "select 1 where pg_backend_pid() = 1"}) {
        CAPTURE(sql);
        CHECK(told(sql) == "nothing");
    }
}
