// The question itself, and what its answer means for the server, the client and the database.
#include <pgweir/session/question.hpp>

#include <pgweir/wire/frame.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;
using pgweir::test::lines;

namespace {

constexpr Parts all_asked = askable_parts;

std::string text_of(const Settings& settings)
{
    std::string text;
    for (const auto& [name, value] : settings.entries()) text += name + "=" + value + "\n";
    return text;
}

std::string text_of(const SqlPreparedRef& prepared)
{
    if (!prepared) return "none";
    std::string text;
    for (const auto& [name, sql] : *prepared) text += name + ": " + sql + "\n";
    return text;
}

SettingsRef settings(std::vector<Settings::Entry> entries)
{
    return std::make_shared<const Settings>(std::move(entries));
}

struct Row {
    const char* mark;
    const char* name;
    const char* value;
};

struct Asking {
    Asking() { knowledge.catalog = std::make_shared<const Catalog>(); }

    // The question and the whole of its answer.
    void answer(Parts asked, const std::vector<Row>& rows)
    {
        server.doubts |= asked;
        Gather to_server;
        ask(server, knowledge, to_server);
        server.replies.clear();
        for (const Row& row : rows) {
            const std::string message = test::reply::answer_row(row.mark, row.name, row.value);
            REQUIRE(
                take_answer_row(*server.answer, as_bytes(message).subspan(wire::frame_header_size))
            );
        }
        take_answer(server, client, knowledge);
    }

    ServerState server;
    ClientState client;
    Knowledge knowledge;
};

} // namespace

TEST_CASE_FIXTURE(Asking, "session/question: it is one hidden query about what is in doubt")
{
    server.doubts = Parts{Part::channels} | Part::held_cursors | Part::libraries;
    server.unnamed_owner = ClientId{7};
    Gather to_server;
    ask(server, knowledge, to_server);
    const Bytes sent = to_server.bytes(to_server.runs().front());
    const Parts asked = Parts{Part::channels} | Part::held_cursors;
    CHECK(as_text(sent).substr(0, 1) == "Q");
    CHECK(as_text(sent).find(question_about(asked, knowledge)) == wire::frame_header_size);
    CHECK(names_of(server.answer->asked) == "held_cursors, channels");
    REQUIRE(server.replies.size() == 1);
    CHECK(server.replies.front().is_hidden);
    CHECK_FALSE(server.replies.front().is_tolerated);
    CHECK(server.replies.front_is(Reply::query));
    CHECK(server.unnamed_owner == ClientId{}); // PostgreSQL drops it at a simple query
    CHECK(server.segment == 2);
    CHECK(names_of(server.doubts) == "held_cursors, channels, libraries"); // not answered yet
}

TEST_CASE_FIXTURE(Asking, "session/question: what nobody can tell is not asked, and pins")
{
    server.doubts = Parts{Part::libraries} | Part::random_seed;
    Gather to_server;
    ask(server, knowledge, to_server);
    CHECK(to_server.empty());
    CHECK(server.replies.empty());
    take_answer(server, client, knowledge);
    CHECK(names_of(client.pins) == "libraries, random_seed");
    CHECK(server.doubts.empty());

    answer(all_asked, {});
    CHECK(names_of(client.pins) == "libraries, random_seed"); // and never comes to an end
}

TEST_CASE_FIXTURE(Asking, "session/question: settings become the server's, and the client's wish")
{
    server.settings = settings({{"work_mem", "1MB"}, {"gone", "x"}});
    client.wanted = server.settings;
    answer(
        Part::settings,
        {{"setting", "work_mem", "7MB"},
         {"setting", "TimeZone", "Asia/Tokyo"},
         {"setting", "role", "none"}}
    );
    CHECK(text_of(*server.settings) == lines("timezone=Asia/Tokyo", "work_mem=7MB"));
    CHECK(client.wanted == server.settings); // one value, found equal at a glance
    CHECK(server.answer == nullptr);
    CHECK(server.doubts.empty());
    CHECK(client.pins.empty());
}

TEST_CASE_FIXTURE(Asking, "session/question: without settings all are the one that has none")
{
    server.settings = settings({{"work_mem", "1MB"}});
    client.wanted = server.settings;
    answer(Part::settings, {{"setting", "role", "none"}});
    CHECK(server.settings == no_settings());
    CHECK(client.wanted == no_settings());
}

TEST_CASE_FIXTURE(
    Asking, "session/question: what was prepared beside a temporary table stays where that was"
)
{
    client.sql_prepared = std::make_shared<const SqlPrepared>(SqlPrepared{{"p", "x"}});
    server.sql_prepared = client.sql_prepared;
    client.pins = Part::temp_objects;
    answer(Part::temp_objects, {});
    CHECK(names_of(client.pins) == "temp_objects");
    answer(Parts{Part::temp_objects} | Part::prepared_statements, {});
    CHECK(client.pins.empty());
}

TEST_CASE_FIXTURE(Asking, "session/question: what was not asked stays as it was")
{
    server.settings = settings({{"work_mem", "1MB"}});
    client.wanted = server.settings;
    client.sql_prepared = std::make_shared<const SqlPrepared>(SqlPrepared{{"p", "x"}});
    server.sql_prepared = client.sql_prepared;
    client.pins = Parts{Part::temp_objects} | Part::channels;
    answer(Part::channels, {});
    CHECK(text_of(*server.settings) == lines("work_mem=1MB"));
    CHECK(text_of(*client.wanted) == lines("work_mem=1MB"));
    CHECK(text_of(client.sql_prepared) == lines("p: x"));
    CHECK(text_of(server.sql_prepared) == lines("p: x"));
    CHECK(names_of(client.pins) == "temp_objects");
}

TEST_CASE_FIXTURE(Asking, "session/question: after RESET the startup packet's values come back")
{
    client.startup = settings({{"timezone", "Asia/Tokyo"}, {"work_mem", "7MB"}});
    client.wanted = client.startup;
    server.settings = client.startup;
    answer(Part::settings, {{"setting", "work_mem", "9MB"}, {"setting", "role", "none"}});
    CHECK(text_of(*server.settings) == lines("work_mem=9MB")); // so the other is replayed
    CHECK(text_of(*client.wanted) == lines("timezone=Asia/Tokyo", "work_mem=9MB"));

    answer(Part::settings, {{"setting", "work_mem", "9MB"}, {"setting", "TimeZone", "Asia/Tokyo"}});
    CHECK(client.wanted == server.settings); // nothing is missing, and nothing is made anew
}

TEST_CASE_FIXTURE(Asking, "session/question: a role is a setting, none is not")
{
    answer(Part::settings, {{"setting", "role", "boss"}});
    CHECK(text_of(*client.wanted) == lines("role=boss"));
    answer(Part::settings, {{"setting", "role", "none"}});
    CHECK(text_of(*client.wanted) == lines());
}

TEST_CASE_FIXTURE(Asking, "session/question: a session authorization is known without asking")
{
    server.settings = settings({{"session_authorization", "boss"}, {"work_mem", "1MB"}});
    answer(Part::settings, {{"setting", "role", "none"}});
    CHECK(text_of(*server.settings) == lines("session_authorization=boss"));
    CHECK(text_of(*client.wanted) == lines("session_authorization=boss"));
}

TEST_CASE_FIXTURE(Asking, "session/question: a custom parameter with a value is the client's")
{
    answer(Part::settings, {{"setting", "my.tenant", "x"}, {"setting", "my.unknown", nullptr}});
    CHECK(text_of(*client.wanted) == lines("my.tenant=x"));
}

TEST_CASE_FIXTURE(Asking, "session/question: an empty one only if it has named it, or had it")
{
    // PostgreSQL never forgets one: empty is also what RESET leaves for the next client.
    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*client.wanted) == lines());

    server.named = {"my.tenant"};
    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*client.wanted) == lines("my.tenant="));
    CHECK(server.named.empty());

    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*client.wanted) == lines("my.tenant="));
}

TEST_CASE_FIXTURE(Asking, "session/question: the database's default of a custom one is no setting")
{
    auto catalog = std::make_shared<Catalog>();
    catalog->custom_defaults = {{"my.tenant", "default"}};
    knowledge.catalog = catalog;
    answer(Part::settings, {{"setting", "my.tenant", "default"}, {"setting", "my.other", "x"}});
    CHECK(text_of(*client.wanted) == lines("my.other=x"));
    answer(Part::settings, {{"setting", "my.tenant", "own"}});
    CHECK(text_of(*client.wanted) == lines("my.tenant=own"));
    client.wanted = no_settings();
    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*client.wanted) == lines("my.tenant="));
}

TEST_CASE_FIXTURE(Asking, "session/question: one that has become empty is as at the start again")
{
    client.startup = settings({{"my.tenant", "start"}});
    client.wanted = settings({{"my.tenant", "x"}});
    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*server.settings) == lines());
    CHECK(text_of(*client.wanted) == lines("my.tenant=start"));

    server.named = {"my.tenant"}; // SET my.tenant = ''
    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*client.wanted) == lines("my.tenant="));
    answer(Part::settings, {{"setting", "my.tenant", ""}});
    CHECK(text_of(*client.wanted) == lines("my.tenant="));
}

TEST_CASE_FIXTURE(Asking, "session/question: custom parameters that the server has are asked again")
{
    server.settings = settings({{"my.tenant", "x"}, {"work_mem", "1MB"}});
    answer(Part::channels, {});
    CHECK(knowledge.customs.empty());
    answer(Part::settings, {});
    CHECK(knowledge.customs == std::vector<std::string>{"my.tenant"});
}

TEST_CASE_FIXTURE(Asking, "session/question: pins come with what is there, and go with it")
{
    answer(all_asked, {{"temp_objects", "", ""}, {"channels", "", ""}});
    CHECK(names_of(client.pins) == "temp_objects, channels");
    answer(Part::temp_objects, {});
    CHECK(names_of(client.pins) == "channels");
    answer(all_asked, {{"held_cursors", "", ""}, {"advisory_locks", "", ""}});
    CHECK(names_of(client.pins) == "held_cursors, advisory_locks");
    answer(all_asked, {});
    CHECK(client.pins.empty());
}

TEST_CASE_FIXTURE(Asking, "session/question: what was PREPAREd is kept as it can be said again")
{
    answer(
        Part::prepared_statements,
        {{"prepared", "q", "PREPARE q (int) AS SELECT $1"},
         {"prepared", "p", "SELECT 1; prepare P as select 2 ; PREPARE q AS SELECT 3"},
         {"prepared", "Odd \"one\"", "PREPARE \"Odd \"\"one\"\"\" AS SELECT ';'"}}
    );
    CHECK(
        text_of(client.sql_prepared)
        == lines(
            "Odd \"one\": PREPARE \"Odd \"\"one\"\"\" AS SELECT ';'",
            "p: prepare P as select 2",
            "q: PREPARE q (int) AS SELECT $1"
        )
    );
    CHECK(server.sql_prepared == client.sql_prepared);
    CHECK(client.pins.empty());

    answer(Part::prepared_statements, {});
    CHECK(text_of(client.sql_prepared) == "none");
    CHECK(text_of(server.sql_prepared) == "none");
}

TEST_CASE_FIXTURE(Asking, "session/question: of two PREPAREs of one name the last one counts")
{
    answer(
        Part::prepared_statements,
        {{"prepared", "p", "PREPARE p AS SELECT 1; DEALLOCATE p; PREPARE p AS SELECT 2"}}
    );
    CHECK(text_of(client.sql_prepared) == lines("p: PREPARE p AS SELECT 2"));
}

TEST_CASE_FIXTURE(Asking, "session/question: a PREPARE that cannot be found pins, as long as it is")
{
    for (const char* const text : {"DO $$ … $$", "PREPARE other AS SELECT 1", "PREPARE p", ""}) {
        CAPTURE(text);
        client.pins = {};
        answer(
            Part::prepared_statements,
            {{"prepared", "p", text}, {"prepared", "q", "PREPARE q AS SELECT 1"}}
        );
        CHECK(names_of(client.pins) == "prepared_statements");
        answer(Part::prepared_statements, {{"prepared", "q", "PREPARE q AS SELECT 1"}});
        CHECK(client.pins.empty());
    }
}

TEST_CASE_FIXTURE(Asking, "session/question: the catalog is learned, with its custom parameters")
{
    knowledge.catalog = nullptr;
    answer(
        Part::catalog,
        {{"function", "Sets", "1"},
         {"trigger", "on_write", "36"},
         {"custom", "my.own", ""},
         {"custom_default", "My.Tenant", "x"}}
    );
    REQUIRE(knowledge.catalog);
    CHECK(names_of(knowledge.catalog->functions.find("sets")) == "settings");
    CHECK(names_of(knowledge.catalog->functions.find("on_write")) == "temp_objects, channels");
    CHECK(names_of(knowledge.catalog->by_triggers) == "temp_objects, channels");
    CHECK(knowledge.customs == std::vector<std::string>{"my.own", "my.tenant"});
    REQUIRE(knowledge.catalog->find_custom_default("my.tenant") != nullptr);
    CHECK(*knowledge.catalog->find_custom_default("my.tenant") == "x");
    CHECK(server.doubts.empty());
}

TEST_CASE_FIXTURE(Asking, "session/question: parameters that the catalog names are asked for anew")
{
    knowledge.catalog = nullptr;
    server.settings = settings({{"work_mem", "1MB"}});
    client.wanted = server.settings;
    server.named = {"my.empty"};
    answer(
        Parts{Part::settings} | Part::temp_objects | Part::catalog,
        {{"setting", "work_mem", "7MB"}, {"temp_objects", "", ""}, {"custom", "my.own", ""}}
    );
    CHECK(names_of(server.doubts) == "settings, temp_objects");
    CHECK(text_of(*client.wanted) == lines("work_mem=1MB")); // nothing is taken by halves
    CHECK(client.pins.empty());
    CHECK(server.answer == nullptr);

    answer(
        {},
        {{"setting", "my.own", "x"},
         {"setting", "my.empty", ""},
         {"setting", "work_mem", "7MB"},
         {"temp_objects", "", ""}}
    );
    CHECK(server.doubts.empty());
    CHECK(text_of(*client.wanted) == lines("my.empty=", "my.own=x", "work_mem=7MB"));
    CHECK(names_of(client.pins) == "temp_objects");
}

TEST_CASE_FIXTURE(Asking, "session/question: the catalog counts for the settings beside it")
{
    knowledge.catalog = nullptr;
    knowledge.add_custom("my.tenant");
    answer(
        Parts{Part::settings} | Part::catalog,
        {{"setting", "my.tenant", "x"}, {"custom_default", "my.tenant", "x"}}
    );
    CHECK(server.doubts.empty());
    CHECK(text_of(*client.wanted) == lines());
}

TEST_CASE_FIXTURE(Asking, "session/question: a question without an answer is not asked again")
{
    knowledge.catalog = nullptr;
    client.wanted = settings({{"work_mem", "1MB"}});
    server.doubts = Parts{Part::settings} | Part::catalog;
    server.named = {"my.tenant"};
    Gather to_server;
    ask(server, knowledge, to_server);
    give_up_question(server, knowledge);
    CHECK(server.answer == nullptr);
    CHECK(server.named.empty());
    CHECK_FALSE(server.doubts.empty()); // nobody may be given this server as it is
    CHECK(text_of(*client.wanted) == lines("work_mem=1MB"));
    REQUIRE(knowledge.catalog);
    CHECK(knowledge.catalog->functions.find("f").empty());

    const auto known = knowledge.catalog;
    give_up_question(server, knowledge);
    CHECK(knowledge.catalog == known);
}
