// COPY FROM STDIN turns the meaning of Sync round: a server that copies does not answer it.
#include "support/session_script.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;
using session::Stop;

namespace {

struct Copy : SessionScript {
    // As libpq sends it: the Sync is ignored if this is a COPY.
    void start()
    {
        client(say::parse("", "COPY") + say::bind("") + say::execute() + say::sync());
        server(reply::parsed() + reply::bound());
        forget_output();
    }
};

} // namespace

TEST_CASE_FIXTURE(Copy, "session/copy: a simple COPY ends with the query's ReadyForQuery")
{
    client(say::query("COPY t FROM STDIN"));
    server(reply::copy_in());
    CHECK(server_state().is_copying_in);
    client(say::copy_data("1") + say::copy_done());
    CHECK(to_server() == lines("Query COPY t FROM STDIN", "CopyData 1", "CopyDone"));
    server(reply::complete("COPY 1") + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Copy, "session/copy: everything may be sent before the server asks for it")
{
    client(say::query("COPY t FROM STDIN") + say::copy_data("1") + say::copy_done());
    server(reply::copy_in() + reply::complete("COPY 1") + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Copy, "session/copy: what follows a blind CopyDone is no part of the COPY")
{
    client(say::query("COPY t FROM STDIN") + say::copy_data("1") + say::copy_done());
    client(say::bind("x"));
    server(reply::copy_in());
    CHECK_FALSE(server_state().is_copying_in);
    client(say::sync());
    server(reply::complete("COPY 1") + reply::ready() + reply::bound() + reply::ready());
    CHECK(server_stop == Stop::need_input);
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Copy, "session/copy: a Sync in front of the data is not answered")
{
    start();
    server(reply::copy_in());
    client(say::copy_data("1") + say::sync() + say::copy_done() + say::sync());
    CHECK(to_server() == lines("CopyData 1", "Sync", "CopyDone", "Sync"));
    server(reply::complete("COPY 1"));
    CHECK_FALSE(server_state().is_idle());
    server(reply::ready());
    CHECK(server_state().is_idle());
    CHECK(to_client() == lines("CopyIn", "Complete COPY 1", "Ready I"));
}

TEST_CASE_FIXTURE(Copy, "session/copy: CopyDone sent blindly ends it just the same")
{
    start();
    client(say::copy_data("1") + say::copy_done() + say::sync());
    server(reply::copy_in() + reply::complete("COPY 1") + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Copy, "session/copy: CopyDone sent blindly to a failed Execute means nothing")
{
    start();
    client(say::copy_data("1") + say::copy_done());
    server(reply::error("42P01", "no such table") + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Copy, "session/copy: after an error in the data the server waits for a Sync")
{
    start();
    server(reply::copy_in());
    client(say::copy_data("x"));
    server(reply::error("22P02", "bad integer"));
    CHECK_FALSE(server_state().is_quiet());

    client(say::copy_data("y") + say::copy_done() + say::sync());
    server(reply::ready());
    CHECK(server_state().is_idle());
    CHECK(to_client() == lines("CopyIn", "ERROR 22P02 bad integer", "Ready I"));
}

TEST_CASE_FIXTURE(Copy, "session/copy: an error before the first data ends with the Sync in front")
{
    start();
    server(reply::copy_in() + reply::error("42809", "cannot copy to view") + reply::ready());
    CHECK(to_client() == lines("CopyIn", "ERROR 42809 cannot copy to view", "Ready I"));
    CHECK(server_state().is_idle());

    take_back();
    client(say::copy_data("1") + say::copy_done());
    CHECK(client_stop == Stop::need_input);
    client(say::sync());
    CHECK(client_stop == Stop::need_server);
}

TEST_CASE_FIXTURE(Copy, "session/copy: CopyFail is answered with an error")
{
    client(say::query("COPY t FROM STDIN"));
    server(reply::copy_in());
    client(say::copy_fail());
    CHECK_FALSE(server_state().is_copying_in);
    server(reply::error("57014", "COPY failed") + reply::ready());
    CHECK(server_state().is_idle());
}

TEST_CASE_FIXTURE(Copy, "session/copy: nobody is sent to copy who has not asked")
{
    server(reply::copy_in());
    CHECK(server_stop == Stop::violation);
}
