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
