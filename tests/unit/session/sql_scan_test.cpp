#include <pgweir/session/sql_statement.hpp>

#include "support/sql_words.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir::session;
using pgweir::test::describe;

TEST_CASE("session/sql_scan: calls of functions of the session")
{
    CHECK(describe("select nextval('s')") == "select {advances_sequence}");
    CHECK(describe("select pg_catalog . NextVal /* x */ ('s')") == "select {advances_sequence}");
    CHECK(describe("select \"nextval\" -- x\n ('s')") == "select {advances_sequence}");
    CHECK(
        describe("select currval('s') + lastval(), setval('s', 1), setseed(0)")
        == "select {reads_sequence,sets_sequence,seeds_random}"
    );
    CHECK(describe("select pg_notify('a', 'b')") == "select {notifies}");
    CHECK(describe("select current_setting('a')") == "select {reads_settings}");
    CHECK(describe("insert into t values (nextval('s'))") == "insert {advances_sequence}");
}

TEST_CASE("session/sql_scan: advisory locks of the session, not of the transaction")
{
    for (const std::string_view name :
         {"pg_advisory_lock",
          "pg_advisory_lock_shared",
          "pg_try_advisory_lock",
          "pg_try_advisory_lock_shared"}) {
        CHECK(describe("select " + std::string{name} + "(1)") == "select {takes_advisory_lock}");
    }
    for (const std::string_view name :
         {"pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"}) {
        CHECK(describe("select " + std::string{name} + "(1)") == "select {frees_advisory_lock}");
    }
    CHECK(describe("select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(1)") == "select");
}

TEST_CASE("session/sql_scan: names that are not called, or stand in strings and comments")
{
    CHECK(describe("select nextval, 'nextval(1)', $$nextval(1)$$ /* nextval(1) */") == "select");
    CHECK(describe("select nextval.x(1), 'nextval' (1), xnextval(1), nextvalx(1)") == "select");
    CHECK(describe("select 'pg_cursors', xpg_cursors, pg_cursors_x --pg_cursors") == "select");
    CHECK(describe("select E'\\' nextval(1)'") == "select");
}

TEST_CASE("session/sql_scan: a place before which nothing may be called")
{
    CHECK(describe("select nextval 'x' (1)") == "select");
    CHECK(describe("select nextval $$x$$ (1)") == "select");
    CHECK(describe("select nextval; (select 1)") == "select; select");
}

TEST_CASE("session/sql_scan: views of the session")
{
    CHECK(
        describe("select * from pg_settings; table pg_catalog.PG_CURSORS")
        == "select {reads_settings}; select {reads_cursors}"
    );
    CHECK(
        describe("select * from \"pg_prepared_statements\", pg_listening_channels()")
        == "select {reads_prepared,reads_channels}"
    );
    CHECK(
        describe("update pg_settings set setting = 1 where name = 'a'")
        == "update {sets_config,reads_settings}"
    );
}

TEST_CASE("session/sql_scan: everything that makes something temporary")
{
    for (const std::string_view text :
         {"create temp table t (a int)",
          "CREATE TEMPORARY TABLE t AS SELECT 1",
          "create local temp view v as select 1",
          "create global temporary table t ()",
          "create or replace temp view v as select 1",
          "create or replace temp recursive view v(a) as select 1",
          "create/**/temp/**/sequence s",
          "create temp table if not exists t ()"}) {
        CHECK(describe(text) == "ddl {creates_temp}");
    }
    CHECK(describe("create table pg_temp.t ()") == "ddl {creates_temp,names_temp_schema}");
    CHECK(
        describe("create function pg_temp_12.f() language sql as ''")
        == "ddl {creates_temp,names_temp_schema,changes_functions}"
    );
    CHECK(
        describe("create materialized view \"pg_temp\".t as select 1")
        == "ddl {creates_temp,names_temp_schema}"
    );
    CHECK(
        describe("select 1 into temp t; select 1 INTO LOCAL TEMPORARY TABLE t")
        == "select {creates_temp}; select {creates_temp}"
    );
    CHECK(describe("explain analyze create temp table t as select 1") == "explain {creates_temp}");
    CHECK(
        describe("create table pg_temp.t as execute p")
        == "ddl executed=p {creates_temp,names_temp_schema}"
    );
    CHECK(
        describe("explain analyze create table pg_temp.t as select 1")
        == "explain {creates_temp,names_temp_schema}"
    );
}

TEST_CASE("session/sql_scan: what is only called temp")
{
    CHECK(
        describe(
            "insert into temp values (1); select temp from temporary; create table temp (a int)"
        )
        == "insert; select; ddl"
    );
    CHECK(
        describe("create template; select into_temp; create unlogged table t ()")
        == "ddl; select; ddl"
    );
    CHECK(
        describe("select * from pg_temp.t; drop table pg_temp.t")
        == "select {names_temp_schema}; ddl {names_temp_schema}"
    );
}

TEST_CASE("session/sql_scan: set_config with literals is taken down")
{
    CHECK(
        describe("SELECT pg_catalog.set_config('search_path', '', false);")
        == "select config('search_path','' alone) {sets_config}"
    );
    CHECK(
        describe("select set_config('a', 'b', TRUE) as x; select set_config('a','b',true) y")
        == "select config('a','b' local alone) {sets_config}; "
           "select config('a','b' local alone) {sets_config}"
    );
    CHECK(
        describe("select set_config('a', 'b', false) from t")
        == "select config('a','b') {sets_config}"
    );
    CHECK(
        describe("select 1, set_config('a', 'b', false)") == "select config('a','b') {sets_config}"
    );
    CHECK(
        describe("select set_config('a', 'b', false), set_config('c', 'd', false)")
        == "select {sets_config}"
    );
    CHECK(
        describe("select app.set_config('a', 'b', false)") == "select config('a','b') {sets_config}"
    );
    CHECK(describe("select set_config('a', x, false)") == "select {sets_config}");
    CHECK(describe("select set_config($1, $2, $3)") == "select {sets_config}");
    CHECK(describe("select set_config('a', 'b' || 'c', false)") == "select {sets_config}");
    CHECK(
        describe("select set_config('a', 'b', false); select 1")
        == "select config('a','b' alone) {sets_config}; select"
    );
}

TEST_CASE("session/sql_scan: whatever may be called is told")
{
    std::vector<std::string_view> calls;
    SqlReader reader{"select app.MY_SET (1), \"f\"(x) from g where h in (1)", {.calls = &calls}};
    REQUIRE(reader.next() != nullptr);
    CHECK(calls == std::vector<std::string_view>{"MY_SET", "f", "in"});
}

TEST_CASE("session/sql_scan: names with Unicode escapes and open quotes are uncertain")
{
    CHECK(describe("select U&\"\\006eextval\"(1)") == "select uncertain");
    CHECK(describe("select U&\"nextval\"(1)") == "select {advances_sequence}");
    CHECK(describe("select 'open") == "select uncertain");
}

TEST_CASE("session/sql_scan: backslashes in plain strings, where they are switched on")
{
    const SqlOptions options{.escapes_in_strings = true};
    CHECK(describe("select 'a\\'; begin; --'; commit", options) == "select; commit");
    CHECK(describe("select b'a\\'; begin", options) == "select; begin");
    CHECK(describe("select n'a\\'; begin'", options) == "select");
    CHECK(describe("select 'a\\'; begin; --'; commit") == "select; begin");
    CHECK(describe("set a to 'x\\n'", options) == "set name=a value='x\\n' uncertain");
    CHECK(
        describe("create function f() as 'x\\'; begin'; commit", options)
        == "ddl {changes_functions} uncertain"
    );
}
