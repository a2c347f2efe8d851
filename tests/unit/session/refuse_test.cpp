#include "support/session_script.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::test;
using session::ClientState;
using session::Gather;
using session::Step;
using session::Stop;

namespace {

const wire::ErrorText no_room{"ERROR", "53300", "no room", {}, {}};

struct Refusing {
    ClientState client;
    Step step;

    std::string refuse(std::string_view input)
    {
        Gather out;
        step = session::refuse(client, as_bytes(input), no_room, out);
        std::string text;
        for (const auto& run : out.runs()) text += as_text(out.bytes(run));
        return text_of_server_messages(text);
    }
};

} // namespace

TEST_CASE_FIXTURE(Refusing, "session/refuse: a query is refused, what follows may be tried again")
{
    const std::string query = say::query("SELECT 1");
    CHECK(refuse(query + say::query("SELECT 2")) == lines("ERROR 53300 no room", "Ready I"));
    CHECK(step.stop == Stop::need_server);
    CHECK(step.consumed == query.size());
}

TEST_CASE_FIXTURE(Refusing, "session/refuse: extended messages are refused once, up to Sync")
{
    const std::string request = say::parse("", "A") + say::bind("") + say::execute() + say::sync();
    CHECK(refuse(request + say::query("B")) == lines("ERROR 53300 no room", "Ready I"));
    CHECK(step.stop == Stop::need_server);
    CHECK(step.consumed == request.size());
    CHECK_FALSE(client.is_skipping);
}

TEST_CASE_FIXTURE(Refusing, "session/refuse: until the Sync has come it goes on")
{
    CHECK(refuse(say::parse("", "A")) == lines("ERROR 53300 no room"));
    CHECK(step.stop == Stop::need_input);
    CHECK(client.is_skipping);
    CHECK(refuse(say::bind("") + say::query("skipped, too")) == lines());
    CHECK(refuse(say::sync()) == lines("Ready I"));
    CHECK(step.stop == Stop::need_server);
}

TEST_CASE_FIXTURE(Refusing, "session/refuse: of a message in part the rest is dropped as well")
{
    const std::string query = say::query(std::string(1'000, 'x'));
    CHECK(refuse(query.substr(0, 10)) == lines("ERROR 53300 no room", "Ready I"));
    CHECK(refuse(query.substr(10)) == lines());
    CHECK(step.consumed == query.size() - 10);
    CHECK(client.stream.remaining == 0);
}

TEST_CASE_FIXTURE(Refusing, "session/refuse: half a header must wait")
{
    CHECK(refuse(say::query("A").substr(0, 4)) == lines());
    CHECK(step.wanted == 5);
    CHECK(step.consumed == 0);
}

TEST_CASE_FIXTURE(Refusing, "session/refuse: who says good-bye is not refused")
{
    CHECK(refuse(say::terminate()) == lines());
    CHECK(step.stop == Stop::terminate);
}

TEST_CASE_FIXTURE(Refusing, "session/refuse: an impossible length is a violation")
{
    CHECK(refuse(std::string{"Q\0\0\0\3", 5}) == lines());
    CHECK(step.stop == Stop::violation);
}
