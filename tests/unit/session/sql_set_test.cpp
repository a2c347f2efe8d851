#include <pgweir/session/sql_statement.hpp>

#include "support/sql_words.hpp"

#include <doctest/doctest.h>

using pgweir::test::describe;

TEST_CASE("session/sql_set: a value is a literal, a word, a number, or a list of them")
{
    CHECK(describe("set a = 1") == "set name=a value=1");
    CHECK(describe("SET SESSION My.Var TO 'x'") == "set name=My.Var value='x'");
    CHECK(
        describe("set search_path to \"$user\", public ")
        == "set name=search_path value=\"$user\", public"
    );
    CHECK(describe("set local a to -1.5") == "set local name=a value=-1.5");
    CHECK(
        describe("set a to default; set local a = default")
        == "set name=a default; set local name=a default"
    );
    CHECK(
        describe("set a to E'\\n'; set a to E'\\u0041'")
        == "set name=a value=E'\\n'; set name=a value=E'\\u0041' uncertain"
    );
    CHECK(describe("set a from current") == "set name=a uncertain");
    CHECK(describe("set a to b c") == "set name=a value=b c uncertain");
    CHECK(describe("set a = 1,") == "set name=a value=1, uncertain");
    CHECK(describe("set a") == "set uncertain");
}

TEST_CASE("session/sql_set: words that stand for a parameter are mapped to it")
{
    CHECK(
        describe("set time zone 'UTC'; set time zone utc; set time zone -7")
        == "set name=timezone value='UTC'; set name=timezone value=utc; set name=timezone value=-7"
    );
    CHECK(
        describe("set time zone local; set time zone default; set local time zone 'x'")
        == "set name=timezone default; set name=timezone default; set local name=timezone value='x'"
    );
    CHECK(
        describe("set time zone interval '1' hour to minute")
        == "set name=timezone value=interval '1' hour to minute uncertain"
    );
    CHECK(
        describe("set names 'UTF8'; set names; set names default")
        == "set name=client_encoding value='UTF8'; set name=client_encoding default; "
           "set name=client_encoding default"
    );
    CHECK(
        describe("set schema 'a'; set schema a")
        == "set name=search_path value='a'; "
           "set name=search_path uncertain"
    );
    CHECK(describe("set xml option document") == "set name=xmloption value=document");
}

TEST_CASE("session/sql_set: roles have commands of their own, in every spelling")
{
    CHECK(
        describe("set role a; set role none; set local role 'a'; set session role a")
        == "set_role name=role value=a; set_role name=role value=none; "
           "set_role local name=role value='a'; set_role name=role value=a"
    );
    CHECK(
        describe("set role to a; set \"ROLE\" = a")
        == "set_role name=role value=a; set_role name=\"ROLE\" value=a"
    );
    CHECK(
        describe("set session authorization a; set session authorization default")
        == "set_session_authorization name=session_authorization value=a; "
           "set_session_authorization name=session_authorization default"
    );
    CHECK(
        describe("set local session authorization a; set session session authorization a")
        == "set_session_authorization local name=session_authorization value=a; "
           "set_session_authorization name=session_authorization value=a"
    );
}

TEST_CASE("session/sql_set: modes of transactions")
{
    CHECK(describe("set transaction read only") == "set_transaction value=read only");
    CHECK(
        describe("set transaction; set transaction snapshot '1'")
        == "set_transaction uncertain; set_transaction value='1'"
    );
    CHECK(
        describe("set session characteristics as transaction isolation level read committed")
        == "set_session_characteristics value=isolation level read committed"
    );
    CHECK(describe("set constraints all deferred") == "set_constraints");
}

TEST_CASE("session/sql_set: words with a meaning may be names all the same")
{
    CHECK(
        describe("set session = 1; set local to 1; set local.a = 1; set session.a to 1")
        == "set name=session value=1; set name=local value=1; set name=local.a value=1; "
           "set name=session.a value=1"
    );
    CHECK(
        describe("set time = 1; set names to 1; set transaction.x = 1")
        == "set name=time value=1; set name=names value=1; set name=transaction.x value=1"
    );
}

TEST_CASE("session/sql_set: RESET and SHOW know the same words")
{
    CHECK(
        describe("reset a; reset A.b; reset all; reset time zone; reset session authorization")
        == "reset name=a; reset name=A.b; reset_all; reset name=timezone; "
           "reset name=session_authorization"
    );
    CHECK(
        describe("reset transaction isolation level; reset role; reset; reset a b")
        == "reset name=transaction_isolation; reset name=role; reset uncertain; "
           "reset name=a uncertain"
    );
    CHECK(
        describe("show a; show all; show time zone; show transaction isolation level")
        == "show name=a; show; show name=timezone; show name=transaction_isolation"
    );
}

TEST_CASE("session/sql_set: a search path with the temporary schema in it is marked")
{
    CHECK(
        describe("set search_path = a, PG_TEMP")
        == "set name=search_path value=a, PG_TEMP {names_temp_schema}"
    );
    CHECK(
        describe("set search_path = 'pg_temp'")
        == "set name=search_path value='pg_temp' {names_temp_schema}"
    );
}
