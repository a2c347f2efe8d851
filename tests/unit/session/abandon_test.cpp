// A server that is gone in the middle of a transaction: what its client is told, and what it may
// say then.
#include <pgweir/session/abandon.hpp>

#include <doctest/doctest.h>

#include <string>
#include <support/session_script.hpp>

using namespace pgweir;
using namespace pgweir::test;

namespace {

struct Lost : SessionScript {
    Lost()
    {
        lend(0);
        forget_output();
    }

    /// What its client hears of it.
    std::string abandoned()
    {
        is_told = abandon({"ERROR", "08006", "gone", {}, {}});
        return to_client();
    }

    bool is_told = false;
};

} // namespace

TEST_CASE_FIXTURE(Lost, "session/abandon: each query that was sent is answered with the error")
{
    client(say::query("SELECT 1") + say::query("SELECT 2"));
    REQUIRE(session::may_abandon(server_state(), client_state()));
    CHECK(abandoned() == lines("ERROR 08006 gone", "Ready I", "ERROR 08006 gone", "Ready I"));
    CHECK(is_told);
    CHECK(server_state().replies.empty());
}

TEST_CASE_FIXTURE(Lost, "session/abandon: in the extended protocol it is once for each Sync")
{
    client(say::parse("a", "A") + say::bind("a") + say::execute() + say::sync());
    client(say::bind("a") + say::execute() + say::sync());
    CHECK(abandoned() == lines("ERROR 08006 gone", "Ready I", "ERROR 08006 gone", "Ready I"));
    CHECK_FALSE(client_state().statements->contains("a")); // PostgreSQL has not agreed to it
}

TEST_CASE_FIXTURE(Lost, "session/abandon: what comes before its Sync is skipped")
{
    client(say::parse("a", "A") + say::bind("a"));
    CHECK(abandoned() == lines("ERROR 08006 gone"));
    CHECK(client_state().is_skipping);
}

TEST_CASE_FIXTURE(Lost, "session/abandon: also when all so far was answered")
{
    client(say::parse("a", "A") + say::flush());
    server(reply::parsed());
    forget_output();
    CHECK(abandoned() == lines("ERROR 08006 gone"));
    CHECK(client_state().is_skipping);
}

TEST_CASE_FIXTURE(Lost, "session/abandon: a Sync alone may have been the commit")
{
    client(say::parse("a", "A") + say::sync());
    server(reply::parsed());
    forget_output();
    CHECK(abandoned() == lines("ERROR 08006 gone", "Ready I"));
}

TEST_CASE_FIXTURE(
    Lost, "session/abandon: a transaction block has failed, and is the client's to end"
)
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    client(say::query("SELECT 1"));
    forget_output();
    CHECK(abandoned() == lines("ERROR 08006 gone", "Ready E"));
    CHECK(client_state().status() == 'E');
}

TEST_CASE_FIXTURE(Lost, "session/abandon: who only thinks hears it with his next statement")
{
    client(say::query("BEGIN"));
    server(reply::complete("BEGIN") + reply::ready('T'));
    forget_output();
    CHECK(abandoned().empty());
    CHECK_FALSE(is_told);
    CHECK(client_state().status() == 'E');
    CHECK(session::only_rolls_back(client_state(), as_bytes(say::query("ROLLBACK"))));
    CHECK_FALSE(session::only_rolls_back(client_state(), as_bytes(say::query("COMMIT"))));
    CHECK_FALSE(session::only_rolls_back(client_state(), as_bytes(say::query("SELECT 1"))));
}

TEST_CASE_FIXTURE(Lost, "session/abandon: not what was said before is lost, but not known yet")
{
    client(say::query("SET search_path TO a") + say::query("SELECT 1"));
    CHECK(session::may_abandon(server_state(), client_state()));
    server(reply::complete("SET") + reply::ready());
    CHECK_FALSE(session::may_abandon(server_state(), client_state()));
}

TEST_CASE_FIXTURE(Lost, "session/abandon: who ends himself is ended")
{
    client(say::query("SELECT pg_catalog.PG_terminate_backend(pg_backend_pid())"));
    CHECK_FALSE(session::may_abandon(server_state(), client_state()));
}

TEST_CASE_FIXTURE(Lost, "session/abandon: … also when settings of his go in front of that")
{
    client_state().wanted = session::with_setting(*session::no_settings(), "a", "b");
    lend(0);
    client(say::query("SELECT pg_terminate_backend(pg_backend_pid())"));
    server(reply::complete("SET") + reply::ready());
    CHECK_FALSE(session::may_abandon(server_state(), client_state()));
}

TEST_CASE_FIXTURE(Lost, "session/abandon: nor is a message broken off")
{
    client(say::query("SELECT 1"));
    const std::string row = reply::row("a long value");
    server(row.substr(0, row.size() - 3));
    CHECK_FALSE(session::may_abandon(server_state(), client_state()));
}

TEST_CASE_FIXTURE(Lost, "session/abandon: nor is who is pinned given another server")
{
    client(say::query("SELECT 1"));
    client_state().pins |= session::Part::temp_objects;
    CHECK_FALSE(session::may_abandon(server_state(), client_state()));
}
