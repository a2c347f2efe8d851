#include <pgweir/session/block_edge.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::test;
using session::BlockEdge;

namespace {

std::string edge_of(std::string_view text)
{
    switch (session::read_block_edge(text)) {
    case BlockEdge::none: return "none";
    case BlockEdge::begin: return "begin";
    case BlockEdge::start_transaction: return "start transaction";
    case BlockEdge::commit: return "commit";
    case BlockEdge::rollback: return "rollback";
    }
    return "unknown";
}

bool may_be_edge(std::string_view text)
{
    return session::may_be_block_edge(as_bytes(say::query(text)));
}

} // namespace

TEST_CASE("session/block_edge: a BEGIN alone in its text is one, with modes that cannot fail")
{
    for (const char* const text : {
             "BEGIN",
             "begin;",
             " BEGIN ;; ",
             "BEGIN WORK",
             "BEGIN TRANSACTION",
             "BEGIN ISOLATION LEVEL REPEATABLE READ",
             "begin isolation level read committed, read only",
             "BEGIN READ ONLY DEFERRABLE",
             "BEGIN NOT DEFERRABLE",
         }) {
        CAPTURE(text);
        CHECK(edge_of(text) == "begin");
        CHECK(may_be_edge(text));
    }
    CHECK(edge_of("START TRANSACTION") == "start transaction");
    CHECK(edge_of("start\ntransaction\tREAD ONLY") == "start transaction");
    CHECK(may_be_edge("start transaction"));
}

TEST_CASE("session/block_edge: an end is one without a chain, a name or a savepoint")
{
    for (const char* const text : {"COMMIT", "END", "commit work;", "END TRANSACTION"}) {
        CAPTURE(text);
        CHECK(edge_of(text) == "commit");
        CHECK(may_be_edge(text));
    }
    for (const char* const text : {"ROLLBACK", "ABORT", "rollback transaction", "ABORT WORK;"}) {
        CAPTURE(text);
        CHECK(edge_of(text) == "rollback");
        CHECK(may_be_edge(text));
    }
    CHECK(edge_of("COMMIT AND NO CHAIN") == "commit");
    for (const char* const text : {
             "COMMIT AND CHAIN",
             "ROLLBACK AND CHAIN",
             "COMMIT PREPARED 'x'",
             "ROLLBACK TO s",
             "ROLLBACK TO SAVEPOINT s",
             "COMMIT twice",
         }) {
        CAPTURE(text);
        CHECK(edge_of(text) == "none");
    }
}

TEST_CASE("session/block_edge: what PostgreSQL may refuse, or is not certain, is none")
{
    for (const char* const text : {
             "",
             ";",
             "BEGIN; SELECT",
             "BEGIN; COMMIT",
             "BEGIN READ ONLY,",
             "BEGIN, READ ONLY",
             "BEGIN READ",
             "BEGIN ATOMIC",
             "BEGIN ISOLATION LEVEL",
             "BEGIN ISOLATION LEVEL SNAPSHOT",
             "BEGIN ISOLATION LEVEL SERIALIZABLE", // not on a standby
             "BEGIN READ WRITE",                   // likewise
             "BEGIN READ ONLY, ISOLATION LEVEL SERIALIZABLE",
             "BEGIN -- a comment",
             "BEGIN /* a comment */",
             "BEGIN \"x\"",
             "BEGIN\v",
             "BEGIN \xa0",
             "START",
             "START TRANSACTION WORK",
             "SAVEPOINT s",
             "SET TRANSACTION READ ONLY",
             "SELECT",
         }) {
        CAPTURE(text);
        CHECK(edge_of(text) == "none");
    }
    CHECK(edge_of({"BEGIN\0", 6}) == "none");
}

TEST_CASE("session/block_edge: a glance tells most other messages")
{
    for (const char* const text : {"SELECT 1", "insert into t", "UPDATE t", "DELETE", "WITH x"}) {
        CAPTURE(text);
        CHECK_FALSE(may_be_edge(text));
    }
    CHECK_FALSE(may_be_edge("BEGIN" + std::string(300, ' ')));
    CHECK_FALSE(session::may_be_block_edge(as_bytes(say::bind(""))));
    CHECK(session::may_be_block_edge(as_bytes(say::query("SELECT 1").substr(0, 5))));
}
