// Statements of SQL's PREPARE: what the next server has follows what the client has made.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

using namespace pgweir;
using namespace pgweir::test;
using session::SqlPrepared;
using session::SqlPreparedRef;

namespace {

const std::string a_one = "PREPARE a AS SELECT 1";
const std::string a_two = "PREPARE a AS SELECT 2";
const std::string b_one = "PREPARE b AS SELECT 1";

SqlPreparedRef prepared(SqlPrepared all)
{
    return std::make_shared<const SqlPrepared>(std::move(all));
}

struct Replaying : SessionScript {
    Replaying() { knowledge.catalog = std::make_shared<const session::Catalog>(); }

    [[nodiscard]] std::string doubts() { return names_of(server_state().doubts); }
};

const std::string prepared_reply = reply::complete("PREPARE") + reply::ready();
const std::string deallocated_reply = reply::complete("DEALLOCATE") + reply::ready();

} // namespace

TEST_CASE_FIXTURE(Replaying, "session/reconcile: what a client has prepared is prepared again")
{
    client_state().sql_prepared = prepared({{"a", a_one}, {"b", b_one}});
    lend(1);
    client(say::query("EXECUTE a"));
    CHECK(to_server() == lines("Query " + a_one, "Query " + b_one, "Query EXECUTE a"));
    server(prepared_reply + prepared_reply + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(counts.ready == 1);
    CHECK(server_state().sql_prepared == client_state().sql_prepared);
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: what the last client has left is taken away")
{
    server_state().sql_prepared = prepared({{"a", a_one}, {"odd \"x\"", "PREPARE …"}});
    lend(0);
    CHECK(to_server() == lines("Query DEALLOCATE \"a\"", "Query DEALLOCATE \"odd \"\"x\"\"\""));
    CHECK_FALSE(server_state().sql_prepared);
    server(deallocated_reply + deallocated_reply);
    CHECK(to_client() == lines());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: of two sets only the difference is said")
{
    server_state().sql_prepared = prepared({{"a", a_one}, {"b", b_one}});
    client_state().sql_prepared = prepared({{"a", a_two}, {"b", b_one}});
    lend(0);
    CHECK(to_server() == lines("Query DEALLOCATE \"a\"", "Query " + a_two));
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: nothing is said where both are equal")
{
    server_state().sql_prepared = prepared({{"a", a_one}});
    client_state().sql_prepared = prepared({{"a", a_one}});
    lend(0);
    CHECK(to_server() == lines());
    CHECK(server_state().sql_prepared == client_state().sql_prepared); // equal at a glance now
    CHECK(server_state().replies.empty());
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: settings come first: a text may depend on them")
{
    client_state().sql_prepared = prepared({{"a", a_one}});
    client_state().wanted = session::with_setting(*session::no_settings(), "work_mem", "7MB");
    lend(0);
    CHECK(to_server() == lines("Query SET \"work_mem\" TO '7MB';", "Query " + a_one));
    CHECK_FALSE(server_state().replies.front().is_tolerated);
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: a replay raises no doubt of what it says")
{
    server_state().sql_prepared = prepared({{"b", b_one}});
    client_state().sql_prepared = prepared({{"a", a_one}});
    lend(0);
    server(deallocated_reply + prepared_reply);
    CHECK(doubts() == "");
    CHECK_FALSE(server_state().hidden_error);
    client(say::query("SELECT 1"));
    server(prepared_reply); // not a replay: somebody's function, perhaps
    CHECK(doubts() == "prepared_statements");
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: a replay that fails is tolerated, and asked about")
{
    client_state().sql_prepared = prepared({{"a", a_one}, {"b", b_one}});
    lend(0);
    client(say::query("SELECT 1"));
    forget_output();
    CHECK(server_state().replies.front().is_tolerated);
    server(reply::error("42P01", "relation does not exist") + reply::ready());
    CHECK(doubts() == "prepared_statements");
    CHECK_FALSE(server_state().hidden_error);
    server(prepared_reply + reply::complete("SELECT 1") + reply::ready());
    CHECK(to_client() == lines("Complete SELECT 1", "Ready I"));
    CHECK(server_state().errors.empty());

    ask();
    server(
        reply::shape() + reply::answer_row("prepared", "b", b_one.c_str())
        + reply::complete("SELECT 1") + reply::ready()
    );
    take_answer();
    REQUIRE(client_state().sql_prepared);
    CHECK(*client_state().sql_prepared == SqlPrepared{{"b", b_one}});
}

TEST_CASE_FIXTURE(Replaying, "session/reconcile: a server that dies of a replay dies of it for all")
{
    client_state().sql_prepared = prepared({{"a", a_one}});
    lend(0);
    server(reply::error("57P01", "terminating connection", "FATAL"));
    REQUIRE(server_state().last_words);
    CHECK(server_state().last_words->sqlstate == "57P01");
}

TEST_CASE_FIXTURE(
    Replaying, "session/reconcile: DEALLOCATE ALL and DISCARD ALL leave nothing to replay"
)
{
    for (const char* const text : {"DEALLOCATE ALL", "DISCARD ALL"}) {
        CAPTURE(text);
        client_state().sql_prepared = prepared({{"a", a_one}});
        server_state().sql_prepared = client_state().sql_prepared;
        client(say::query(text));
        CHECK(client_state().sql_prepared); // it may fail
        server(reply::complete(text) + reply::ready());
        CHECK_FALSE(client_state().sql_prepared);
        CHECK_FALSE(server_state().sql_prepared);
        forget_output();
        lend(1);
        CHECK(to_server() == lines());
        lend(0);
    }
}

TEST_CASE("session/reconcile: servers with the same statements have the same hash")
{
    const session::Settings none;
    const SqlPreparedRef one = prepared({{"a", a_one}});
    const auto hash = [&](const SqlPreparedRef& all) { return session::state_hash(none, all); };
    CHECK(hash(nullptr) == none.hash());
    CHECK(hash(one) == hash(prepared({{"a", a_one}})));
    CHECK(hash(one) != hash(nullptr));
    CHECK(hash(one) != hash(prepared({{"a", a_two}})));
    CHECK(hash(one) != hash(prepared({{"b", a_one}})));
}
