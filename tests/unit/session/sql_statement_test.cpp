#include <pgweir/session/sql_statement.hpp>

#include "support/sql_words.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir::session;
using pgweir::test::describe;

namespace {

std::string texts(std::string_view text)
{
    SqlReader reader{text};
    std::string lines;
    while (const SqlStatement* const statement = reader.next()) {
        lines += '[';
        lines += statement->text;
        lines += ']';
    }
    return lines;
}

} // namespace

TEST_CASE("session/sql_statement: a text is cut into its statements")
{
    CHECK(texts("") == "");
    CHECK(texts(" ; -- x\n;;") == "");
    CHECK(texts("a; b ;c") == "[a][b][c]");
    CHECK(texts("/* 1; */ a /* 2; */; b -- 3;") == "[a /* 2; */][b -- 3;]");
    CHECK(texts("a ';' \";\" $x$;$x$ E'\\';' b; c") == "[a ';' \";\" $x$;$x$ E'\\';' b][c]");
    CHECK(
        texts("create rule r as on insert to t do (a; b); c")
        == "[create rule r as on insert to t do (a; b)][c]"
    );
    CHECK(texts("a 'open; b") == "[a 'open; b]");
    CHECK(texts("a) ; b") == "[a)][b]");
}

TEST_CASE("session/sql_statement: the body of a routine may have semicolons of its own")
{
    const std::string body = "create or replace function f(a int) returns int begin atomic "
                             "select 1; select case when a then 2 end; end";
    CHECK(texts(body + "; select 2") == '[' + body + "][select 2]");
    CHECK(
        texts("CREATE PROCEDURE p() BEGIN ATOMIC END; c")
        == "[CREATE PROCEDURE p() BEGIN ATOMIC END][c]"
    );
    CHECK(
        texts("create function f() as 'x; begin'; b") == "[create function f() as 'x; begin'][b]"
    );
    CHECK(
        texts("create function begin() as $$ ; $$; b") == "[create function begin() as $$ ; $$][b]"
    );
    CHECK(texts("create table begin (atomic int); b") == "[create table begin (atomic int)][b]");
    CHECK(
        describe("create function f() begin atomic select nextval('s'); end; commit")
        == "ddl {advances_sequence,changes_functions}; commit"
    );
}

TEST_CASE("session/sql_statement: queries are told apart")
{
    CHECK(describe("SELECT abalance FROM pgbench_accounts WHERE aid = 123;") == "select");
    CHECK(describe("(select 1) union select 2; values (1); table t") == "select; select; select");
    CHECK(
        describe("Insert into t values (1); update t set a = 1; delete from t")
        == "insert; update; delete"
    );
    CHECK(
        describe(
            "with x as (select 1) select * from x; merge into t using u on true; copy t from stdin"
        )
        == "with; merge; copy"
    );
    CHECK(describe("vacuum t; selected; \"select\"; 'select'") == "other; other; other; other");
}

TEST_CASE("session/sql_statement: transactions are read to their last word")
{
    CHECK(
        describe("BEGIN; begin work; Begin Transaction; start transaction")
        == "begin; begin; begin; begin"
    );
    CHECK(
        describe("begin isolation level repeatable read, read only not deferrable")
        == "begin value=isolation level repeatable read, read only not deferrable"
    );
    CHECK(
        describe("START TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        == "begin value=ISOLATION LEVEL SERIALIZABLE {needs_primary}"
    );
    CHECK(describe("begin read write") == "begin value=read write {needs_primary}");
    CHECK(describe("begin isolation level read") == "begin value=isolation level read uncertain");
    CHECK(describe("begin read only,") == "begin value=read only, uncertain");
    CHECK(describe("begin atomic") == "begin value=atomic uncertain");
    CHECK(describe("start replication") == "other");
    CHECK(
        describe("commit; commit work; END TRANSACTION; end") == "commit; commit; commit; commit"
    );
    CHECK(
        describe("commit and chain; end and no chain; commit and")
        == "commit chain; commit; commit chain uncertain"
    );
    CHECK(
        describe("rollback; abort work; rollback and chain; abort and no chain")
        == "rollback; rollback; rollback chain; rollback"
    );
    CHECK(
        describe("prepare transaction 'a'; commit prepared 'a'; rollback prepared 'a'")
        == "prepare_transaction value='a'; commit_prepared value='a'; rollback_prepared value='a'"
    );
}

TEST_CASE("session/sql_statement: savepoints have names, even odd ones")
{
    CHECK(describe("savepoint A; savepoint \"x y\"") == "savepoint name=A; savepoint name=\"x y\"");
    CHECK(
        describe("release a; release savepoint a; release savepoint")
        == "release name=a; release name=a; release name=savepoint"
    );
    CHECK(
        describe("rollback to a; rollback work to savepoint a; rollback to savepoint")
        == "rollback_to name=a; rollback_to name=a; rollback_to name=savepoint"
    );
    CHECK(
        describe("savepoint; savepoint a b") == "savepoint uncertain; savepoint name=a uncertain"
    );
}

TEST_CASE("session/sql_statement: prepared statements of SQL")
{
    CHECK(describe("prepare p as select nextval('s')") == "prepare name=p {advances_sequence}");
    CHECK(describe("prepare \"P\" (int, numeric(3,2)) as select $1") == "prepare name=\"P\"");
    CHECK(describe("prepare transaction as select 1") == "prepare name=transaction");
    CHECK(
        describe("prepare p; prepare p as") == "prepare name=p uncertain; prepare name=p uncertain"
    );
    CHECK(
        describe("execute p; execute p (1, ')', (2))") == "execute executed=p; execute executed=p"
    );
    CHECK(
        describe("explain execute p; explain analyze verbose execute p(1)")
        == "explain executed=p; explain executed=p"
    );
    CHECK(
        describe("explain (analyze, buffers off) execute p; explain (select 1); explain select 1")
        == "explain executed=p; explain; explain"
    );
    CHECK(describe("create table t as execute p (1) with no data") == "ddl executed=p");
    CHECK(
        describe("create temp table t on commit drop as execute p")
        == "ddl executed=p {creates_temp}"
    );
    CHECK(describe("explain analyze create table t as execute p") == "explain executed=p");
    CHECK(
        describe("deallocate p; deallocate prepare p; deallocate prepare; deallocate all")
        == "deallocate name=p; deallocate name=p; deallocate name=prepare; deallocate_all"
    );
    CHECK(
        describe("deallocate prepare all; deallocate \"all\"; deallocate")
        == "deallocate_all; deallocate name=\"all\"; deallocate uncertain"
    );
    CHECK(describe("deallocate U&\"a\"") == "deallocate uncertain");
}

TEST_CASE("session/sql_statement: channels")
{
    CHECK(
        describe("listen a; unlisten \"B\"; unlisten *; unlisten")
        == "listen name=a; unlisten name=\"B\"; unlisten_all; unlisten uncertain"
    );
    CHECK(
        describe("notify a; notify a, 'it''s'; notify a, b")
        == "notify name=a; notify name=a value='it''s'; notify name=a uncertain"
    );
}

TEST_CASE("session/sql_statement: cursors, and whether they outlive the transaction")
{
    CHECK(describe("declare c cursor for select 1") == "declare name=c");
    CHECK(
        describe("declare c no scroll binary cursor with hold for select 1")
        == "declare name=c hold"
    );
    CHECK(describe("declare c cursor without hold for select 1") == "declare name=c");
    CHECK(describe("declare c cursor with") == "declare name=c uncertain");
    CHECK(describe("close c; close all") == "close name=c; close_all");
    CHECK(
        describe("fetch c; fetch 10 from \"C\"; move backward all in c")
        == "fetch name=c; fetch name=\"C\"; fetch name=c"
    );
}

TEST_CASE("session/sql_statement: what discards, loads, and makes databases")
{
    CHECK(
        describe("discard all; discard plans; discard sequences; discard temp; discard temporary")
        == "discard_all; discard_plans; discard_sequences; discard_temp; discard_temp"
    );
    CHECK(
        describe("discard; discard everything") == "discard_all uncertain; discard_all uncertain"
    );
    CHECK(describe("load 'auto_explain'; load x") == "load value='auto_explain'; load uncertain");
    CHECK(
        describe(
            "create database a template b; drop database if exists \"A\"; drop database a (force)"
        )
        == "create_database name=a value=b; drop_database name=\"A\"; drop_database name=a"
    );
    CHECK(
        describe("alter database a owner to b; create table t (a int); drop view v")
        == "ddl; ddl; ddl"
    );
}

TEST_CASE("session/sql_statement: new defaults of a database or a role")
{
    CHECK(
        describe("alter database a set x = 1; alter database a set tablespace t")
        == "alter_defaults name=a; alter_database name=a"
    );
    CHECK(
        describe("alter role r set x to 1; alter user \"R\" in database a reset all")
        == "alter_defaults value=r; alter_defaults name=a value=\"R\""
    );
    CHECK(
        describe("alter role all set x = 1; alter user current_user reset x")
        == "alter_defaults; alter_defaults"
    );
    CHECK(
        describe("alter role r password 'x'; alter user mapping for r server s options (set a 'b')")
        == "ddl; ddl"
    );
}

TEST_CASE("session/sql_statement: changes of functions are told from other DDL")
{
    CHECK(
        describe("create or replace procedure p() language sql as 'x'") == "ddl {changes_functions}"
    );
    CHECK(
        describe("drop routine f; alter function f() set x = 1; create extension e")
        == "ddl {changes_functions}; ddl {changes_functions}; ddl {changes_functions}"
    );
    CHECK(describe("create index i on f (x)") == "ddl");
    CHECK(
        describe("create function f() returns int as 'lib', 'f' language C strict")
        == "ddl {changes_functions,loads_library}"
    );
    CHECK(
        describe("create function f(c int) returns int language sql as 'select c'")
        == "ddl {changes_functions}"
    );
    CHECK(
        describe("create trigger t after insert on t execute function f()")
        == "ddl {changes_functions}"
    );
}

TEST_CASE("session/sql_statement: a block or a procedure may do anything")
{
    CHECK(
        describe("do $$begin perform set_config('a','b',false); end$$")
        == "do {sets_config} uncertain"
    );
    CHECK(
        describe("do language plpgsql $x$ create temp table t(); $x$")
        == "do {creates_temp} uncertain"
    );
    CHECK(describe("do 'begin end'") == "do uncertain");
    CHECK(
        describe("call s.\"P\"(nextval('x'))") == "call name=\"P\" {advances_sequence} uncertain"
    );
}

TEST_CASE("session/sql_statement: the last statement of a cut text is uncertain")
{
    constexpr SqlOptions cut{.calls = nullptr, .is_cut = true, .escapes_in_strings = false};
    CHECK(describe("begin; select 1, 'op", cut) == "begin; select uncertain");
    CHECK(describe("begin; ", cut) == "begin; other uncertain");
    CHECK(describe("", cut) == "other uncertain");
    CHECK(describe("begin; --", cut) == "begin; other uncertain");
    CHECK(describe("set a = 1", cut) == "set name=a value=1 uncertain");
}
