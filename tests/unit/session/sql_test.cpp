#include <pgweir/session/sql.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir::session;

namespace {

std::string read(std::string_view text)
{
    const SqlReading head = read_sql(text);
    switch (head.kind) {
    case SqlKind::other: return "other";
    case SqlKind::deallocate_one: return "deallocate " + head.name;
    case SqlKind::drops_all: return "drops all";
    case SqlKind::begins_transaction: return "begins transaction";
    }
    return {};
}

std::string joined(const auto& texts)
{
    std::string all;
    for (const auto& text : texts) {
        if (!all.empty()) all += ' ';
        all += text;
    }
    return all;
}

std::string changes(std::string_view text) { return names_of(read_sql(text).changes); }
std::string ends(std::string_view text) { return names_of(read_sql(text).ends); }
std::string calls(std::string_view text) { return joined(read_sql(text).calls); }
std::string customs(std::string_view text) { return joined(read_sql(text).customs); }
std::string strings(std::string_view text) { return joined(read_sql(text).strings); }

const std::string all_askable = names_of(askable_parts);

} // namespace

TEST_CASE("session/sql: DEALLOCATE is read with the name folded as PostgreSQL folds it")
{
    CHECK(read("DEALLOCATE Plan_1") == "deallocate plan_1");
    CHECK(read("deallocate prepare \"Plan\"\"x\" ; ") == "deallocate Plan\"x");
    CHECK(read("DEALLOCATE \"all\"") == "deallocate all");
}

TEST_CASE("session/sql: comments and white space stand where they may")
{
    CHECK(read(" \t\n-- why\n/* a /* nested */ one */DEALLOCATE/**/x--end") == "deallocate x");
    CHECK(read("/* open DEALLOCATE ALL") == "other");
    CHECK(read("-- DEALLOCATE ALL") == "other");
}

TEST_CASE("session/sql: ALL and DISCARD drop everything")
{
    CHECK(read("Deallocate Prepare ALL") == "drops all");
    CHECK(read("DEALLOCATE ALL; SELECT 1") == "drops all");
    CHECK(read("DISCARD PLANS") == "drops all");
}

TEST_CASE("session/sql: what it does not understand it leaves alone")
{
    CHECK(read("") == "other");
    CHECK(read("DEALLOCATE") == "other");
    CHECK(read("DEALLOCATE x; SELECT 1") == "other");
    CHECK(read("DEALLOCATE \"open") == "other");
    CHECK(read("DEALLOCATED x") == "other");
    CHECK(read("SELECT 'DEALLOCATE ALL'") == "other");
}

TEST_CASE("session/sql: the start of a transaction block is recognised")
{
    CHECK(read("begin;") == "begins transaction");
    CHECK(read("/* x */ START TRANSACTION READ ONLY") == "begins transaction");
    CHECK(read("start replication") == "other");
    CHECK(read("beginning") == "other");
    CHECK(read("commit") == "other");
}

TEST_CASE("session/sql: a name is quoted so that it is read back")
{
    CHECK(deallocate_sql("a\"b") == "DEALLOCATE \"a\"\"b\"");
    CHECK(read(deallocate_sql("A \"b\" ;--")) == "deallocate A \"b\" ;--");
}

TEST_CASE("session/sql: what may change is told, whichever statement of the text it is")
{
    CHECK(changes("SELECT 1") == "");
    CHECK(changes("SET a = 1") == "settings");
    CHECK(changes("SELECT 1; set role x; LISTEN n") == "settings, channels");
    CHECK(changes("SET TRANSACTION READ ONLY") == "");
    CHECK(changes("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY") == "settings");
    CHECK(changes("CREATE TEMPORARY VIEW v AS SELECT 1") == "temp_objects");
    CHECK(changes("CREATE TABLE pg_temp.t (i int)") == "temp_objects");
    CHECK(changes("SELECT pg_try_advisory_lock(1)") == "advisory_locks");
    CHECK(changes("UPDATE pg_settings SET setting = '1' WHERE name = 'x'") == "settings");
    CHECK(changes("CREATE EXTENSION x") == "catalog");
    CHECK(changes("DROP TRIGGER x ON t") == "catalog");
}

TEST_CASE("session/sql: what is certain to be over with the transaction changes nothing")
{
    CHECK(changes("SET LOCAL a = 1") == "");
    CHECK(changes("SET LOCAL a = 1 2") == "settings"); // not understood: it may be anything
    CHECK(changes("DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1") == "");
    CHECK(changes("DECLARE c CURSOR WITH HOLD FOR SELECT 1") == "held_cursors");
    CHECK(changes("SELECT set_config('a', 'b', true)") == "");
    CHECK(changes("SELECT set_config('a', 'b', true), f()") == "settings");
    CHECK(changes("SELECT set_config('a', 'b', $1)") == "settings");
}

TEST_CASE("session/sql: what may be taken away is told apart from what may be added")
{
    CHECK(ends("SET a = 1") == "");
    CHECK(ends("CLOSE c; UNLISTEN *") == "held_cursors, channels");
    CHECK(ends("DROP TABLE t") == "temp_objects");
    CHECK(ends("SELECT pg_advisory_unlock_shared(1)") == "advisory_locks");
    CHECK(ends("DEALLOCATE x") == "prepared_statements");
    CHECK(ends("DISCARD ALL") == names_of(pinning_parts));
    CHECK(ends("DISCARD PLANS") == "");
    CHECK(changes("DISCARD ALL; DROP TABLE t; CLOSE c; UNLISTEN n; DEALLOCATE x") == "");
}

TEST_CASE("session/sql: EXECUTE runs what was prepared, wherever it stands")
{
    CHECK(read_sql("EXECUTE p").executes);
    CHECK(read_sql("SELECT 1; EXECUTE p(1)").executes);
    CHECK(read_sql("EXPLAIN (ANALYZE) EXECUTE p").executes);
    CHECK(read_sql("CREATE TABLE t AS EXECUTE p").executes);
    CHECK_FALSE(read_sql("SELECT 'EXECUTE p'").executes);
    CHECK_FALSE(read_sql("PREPARE p AS SELECT 1").executes);
}

TEST_CASE("session/sql: a PREPARE tells what its statement may change once it is executed")
{
    CHECK(names_of(read_sql("PREPARE p AS SELECT 1").prepared) == "");
    const SqlReading reading = read_sql("PREPARE p AS SELECT set_config($1, $2, false)");
    CHECK(names_of(reading.prepared) == "settings");
    CHECK(reading.changes.has(Part::prepared_statements));
    CHECK(names_of(read_sql("SELECT pg_advisory_lock(1)").prepared) == "");
}

TEST_CASE("session/sql: rows are written by these, and by what WITH may hide")
{
    for (const std::string_view text :
         {"insert into t values (1)",
          "UPDATE t SET i = 1",
          "DELETE FROM t",
          "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
          "COPY t FROM STDIN",
          "WITH x AS (DELETE FROM t) SELECT 1",
          "SELECT 1; DELETE FROM t"}) {
        CAPTURE(text);
        CHECK(read_sql(text).writes);
    }
    for (const std::string_view text :
         {"SELECT 1", "SELECT 'DELETE FROM t'", "CREATE TABLE t (i int)", "TRUNCATE t", "BEGIN"}) {
        CAPTURE(text);
        CHECK_FALSE(read_sql(text).writes);
    }
}

TEST_CASE("session/sql: who reads pg_prepared_statements")
{
    CHECK(read_sql("SELECT 1; TABLE pg_catalog.PG_prepared_statements").reads_prepared);
    CHECK(read_sql("SELECT * FROM pg_prepared_statement()").reads_prepared);
    CHECK_FALSE(read_sql("SELECT 'pg_prepared_statements' -- pg_prepared_statements").reads_prepared
    );
    CHECK(may_read_catalog("x pg_"));
    CHECK_FALSE(may_read_catalog("g_ _pg a_g_"));
}

TEST_CASE("session/sql: a COPY may want rows from its client, unless it copies a query")
{
    CHECK(read_sql("COPY t FROM STDIN").may_copy_in);
    CHECK(read_sql("SELECT 1; COPY t (a) FROM STDIN").may_copy_in);
    CHECK_FALSE(read_sql("COPY /* ( */ (TABLE t) TO STDOUT").may_copy_in);
    CHECK_FALSE(read_sql("INSERT INTO t VALUES (1)").may_copy_in);
}

TEST_CASE("session/sql: calls are names before parentheses, without their schemas")
{
    CHECK(calls("SELECT 1") == "");
    CHECK(calls("SELECT Foo(bar . baz (1), 'no(1)') -- none()") == "Foo baz");
    CHECK(calls("SELECT \"Odd name\"(1); SELECT f()") == "Odd name f");
}

TEST_CASE("session/sql: custom parameters that are set are named, in lower case")
{
    CHECK(customs("SET My.Tenant = 'x'") == "my.tenant");
    CHECK(customs("SET \"My\".\"Tenant\" TO x; SET a.b = 1") == "my.tenant a.b");
    CHECK(customs("SELECT set_config('My.Tenant', 'x', false)") == "my.tenant");
    CHECK(customs("SET work_mem = '7MB'") == "");
    CHECK(customs("RESET my.tenant") == "");
    CHECK(customs("SELECT 'my.tenant'") == "");

    std::string many;
    for (int i = 0; i < 100; ++i) many += "SET a.b" + std::to_string(i) + " = 1;";
    CHECK(read_sql(many).customs.size() == 20);
}

TEST_CASE("session/sql: strings that look like one count where something is called")
{
    CHECK(strings("SELECT f('My.Tenant', 'x', 'no name.at all', 'a.b')") == "my.tenant a.b");
    CHECK(strings("CALL p('a.b')") == "a.b");
    CHECK(strings("WITH x AS (SELECT f('a.b')) SELECT 1") == "a.b");
    CHECK(strings("SELECT 'a.b'") == "");
    CHECK(strings("INSERT INTO t VALUES (f('a.b'))") == "");
    CHECK(strings("DO $$ BEGIN PERFORM set_config('a.b', 'x', false); END $$") == "a.b");
    CHECK(strings("DO $$ BEGIN EXECUTE 'SELECT f(''c.d'')'; END $$") == "c.d");
}

TEST_CASE("session/sql: behind the end of a cut text may stand anything")
{
    CHECK(names_of(read_sql("SELECT 1", true).changes) == all_askable);
    CHECK(names_of(read_sql("SELECT 1; ", true).changes) == all_askable);
    CHECK(names_of(read_sql("", true).changes) == all_askable);
    CHECK(names_of(read_sql("SELECT 1", false).changes) == "");
    CHECK(read_sql("DEALLOCATE x", true).kind == SqlKind::other);
}

TEST_CASE("session/sql: a plain SELECT calls nothing, and is alone")
{
    CHECK(is_plain_select("SELECT 1"));
    CHECK(is_plain_select("select *\n\tfrom t"));
    CHECK(is_plain_select("SeLeCt 1 ; \n"));
    CHECK(is_plain_select("SELECT 1 INTO TEMP t")); // the answer tells
    CHECK_FALSE(is_plain_select("SELECT f()"));
    CHECK_FALSE(is_plain_select("SELECT '('")); // not worth a longer look
    CHECK_FALSE(is_plain_select("SELECT 1; SET a = 1"));
    CHECK_FALSE(is_plain_select("SELECT 1;;"));
    CHECK_FALSE(is_plain_select("SELECT 1; -- end"));
    CHECK_FALSE(is_plain_select("SELECT ';' AS a"));
    CHECK(is_plain_select("SELECT a_b, _g, g_, mpg FROM pgbench_accounts"));
    CHECK_FALSE(is_plain_select("SELECT * FROM Pg_Prepared_Statements"));
    CHECK_FALSE(is_plain_select("SELECT * FROM \"pg_prepared_statements\""));
}

TEST_CASE("session/sql: wherever in a SELECT something stands, it is seen")
{
    for (std::size_t size = 1; size < 70; ++size) {
        const std::string words = std::string(size, 'x');
        CAPTURE(size);
        CHECK(is_plain_select("SELECT " + words));
        for (std::size_t at = 0; at < size; ++at) {
            CAPTURE(at);
            const auto with = [&](const char* what) {
                return "SELECT " + std::string{words}.replace(at, 1, what) + " x;";
            };
            CHECK_FALSE(is_plain_select(with("(")));
            CHECK_FALSE(is_plain_select(with("; ")));
            CHECK_FALSE(is_plain_select(with("pG_")));
        }
    }
}

TEST_CASE("session/sql: what only begins like a SELECT is read")
{
    CHECK_FALSE(is_plain_select(""));
    CHECK_FALSE(is_plain_select("select"));
    CHECK_FALSE(is_plain_select("selected 1"));
    CHECK_FALSE(is_plain_select("SELECT"));
    CHECK_FALSE(is_plain_select("SELECT* FROM t"));
    CHECK_FALSE(is_plain_select("SELECT/**/1"));
    CHECK_FALSE(is_plain_select(" SELECT 1")); // rare: a longer look does no harm
    CHECK_FALSE(is_plain_select("-- why\nSELECT 1"));
    CHECK_FALSE(is_plain_select("(SELECT 1)"));
    CHECK_FALSE(is_plain_select("TABLE t"));
    CHECK_FALSE(is_plain_select("SET a = 1"));
}
