// What has been said to change settings, before it is known what became of it, and how statements
// are called that are parsed meanwhile.
#include <pgweir/session/unknown_settings.hpp>

#include <pgweir/session/sql.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::session;
using namespace pgweir::test;

namespace {

SettingsChange change_of(std::string_view text) { return read_sql(text).settings_change; }

struct Parsing : SessionScript {
    Parsing() { knowledge.catalog = std::make_shared<const Catalog>(); }

    void sql(std::string_view text, char status = 'T')
    {
        client(say::query(text));
        server(reply::complete("OK") + reply::ready(status));
    }

    /// What A is called on the server; it is parsed there if it was not yet.
    std::string name_of_a()
    {
        const std::string name = "statement" + std::to_string(++count);
        forget_output();
        client(say::parse(name, "A") + say::bind(name) + say::sync());
        const std::string sent = to_server();
        has_parsed = sent.starts_with("Parse ");
        const char status = server_state().status;
        server((has_parsed ? reply::parsed() : "") + reply::bound() + reply::ready(status));
        const std::string bind = "Bind - ";
        const std::size_t at = sent.find(bind);
        REQUIRE(at != std::string::npos);
        return sent.substr(at + bind.size(), sent.find('\n', at) - at - bind.size());
    }

    std::string name_behind(std::string_view text)
    {
        sql("BEGIN");
        sql(text);
        std::string name = name_of_a();
        sql("ROLLBACK", 'I');
        server_state().doubts = {};
        server_state().unknown_settings.become_known();
        return name;
    }

    int count = 0;
    bool has_parsed = false;
};

} // namespace

TEST_CASE("session/unknown_settings: what texts do to the settings that others are parsed by")
{
    for (const std::string_view text :
         {"SET search_path TO a",
          "SET LOCAL search_path TO a",
          "SET TIME ZONE 'UTC'",
          "RESET DateStyle",
          "RESET ALL",
          "SET ROLE somebody",
          "SELECT set_config('search_path', 'a', true)",
          "BEGIN; SET LOCAL search_path TO a"}) {
        CAPTURE(text);
        CHECK(change_of(text) == SettingsChange::as_said);
    }
    for (const std::string_view text :
         {"SET search_path FROM CURRENT",
          "SELECT set_config('search_path', $1, true)",
          "SELECT set_config($1, 'a', true)",
          "SELECT set_config('a.b', 'c', true), set_config('search_path', 'a', true)",
          "SELECT set_config('search_path', 'a', true), set_config('a.b', 'c', true)",
          "SET search_path TO a; COMMIT",
          "DO $$ BEGIN NULL; END $$",
          "CALL p()"}) {
        CAPTURE(text);
        CHECK(change_of(text) == SettingsChange::unknown);
    }
    for (const std::string_view text : {"COMMIT", "END", "ROLLBACK", "ABORT", "ROLLBACK TO s"}) {
        CAPTURE(text);
        CHECK(change_of(text) == SettingsChange::ends_transaction);
    }
    for (const std::string_view text :
         {"SELECT 1",
          "SET LOCAL app.tenant = '7'",
          "SET statement_timeout = 7",
          "SET application_name = 'me'",
          "SELECT set_config('app.tenant', $1, false)",
          "SELECT set_config('a.b', $1, true), set_config('a.c', $2, true)",
          "SELECT set_config('statement_timeout', '7', true)",
          "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
          "SAVEPOINT s",
          "DISCARD ALL", // who parses behind it waits for its answer
          "BEGIN"}) {
        CAPTURE(text);
        CHECK(change_of(text) == SettingsChange::none);
    }
    CHECK(read_sql("SELECT 1 FROM t", true).settings_change == SettingsChange::unknown);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: the same behind the same is shared")
{
    const std::string plain = name_of_a();
    const std::string a = name_behind("SET LOCAL search_path TO a");
    const std::string b = name_behind("SET LOCAL search_path TO b");
    CHECK(a != plain);
    CHECK(b != plain);
    CHECK(a != b);
    serve(1);
    CHECK(name_behind("SET LOCAL search_path TO a") == a);
    CHECK_FALSE(has_parsed);
    CHECK(name_of_a() == plain);
    CHECK_FALSE(has_parsed);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: what nobody can tell is shared with nobody")
{
    const std::string text = "DO $$ BEGIN PERFORM 1; END $$";
    const std::string first = name_behind(text);
    CHECK(name_behind(text) != first);
    CHECK(has_parsed);
    lend(1);
    server_state().serial = 2;
    CHECK(name_behind(text) != first);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: an unnamed statement passes as it is then")
{
    sql("BEGIN");
    sql("DO $$ BEGIN PERFORM 1; END $$");
    for (int i = 0; i < 3; ++i) {
        forget_output();
        client(say::parse("", "A") + say::bind("") + say::sync());
        CHECK(to_server() == lines("Parse - A", "Bind - -", "Sync"));
        server(reply::parsed() + reply::bound() + reply::ready('T'));
    }
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: what cannot matter changes no name")
{
    const std::string plain = name_of_a();
    CHECK(name_behind("SET LOCAL app.tenant = '7'") == plain);
    CHECK(name_behind("SET statement_timeout = 7") == plain);
    CHECK(name_behind("SAVEPOINT s") == plain);
    CHECK(name_behind("ROLLBACK TO s") == plain);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: SET LOCAL is over with its transaction")
{
    const std::string plain = name_of_a();
    sql("BEGIN");
    sql("SET LOCAL search_path TO a");
    const std::string a = name_of_a();
    sql("COMMIT", 'I');
    CHECK(server_state().doubts.empty());
    CHECK(name_of_a() == plain);
    client(say::bind("statement2") + say::sync()); // it was parsed there, and still is
    CHECK(to_server().find("Bind - " + a) != std::string::npos);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: SET is known when it was asked for")
{
    const std::string plain = name_of_a();
    sql("BEGIN");
    sql("SET transform_null_equals = on");
    const std::string in_block = name_of_a();
    sql("COMMIT", 'I');
    CHECK_FALSE(server_state().unknown_settings.are_known());
    ask();
    server(
        reply::answer_row("setting", "transform_null_equals", "on") + reply::complete("SELECT 1")
        + reply::ready()
    );
    take_answer();
    CHECK(server_state().unknown_settings.are_known());
    const std::string behind = name_of_a();
    CHECK(behind != plain);
    CHECK(behind != in_block);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: ROLLBACK TO leads back to nobody knows what")
{
    const std::string a = name_behind("SET LOCAL search_path TO a");
    sql("BEGIN");
    sql("SAVEPOINT s");
    sql("SET LOCAL search_path TO a");
    CHECK(name_of_a() == a);
    sql("ROLLBACK TO s");
    const std::string behind = name_of_a();
    CHECK(behind != a);
    sql("SET LOCAL search_path TO a");
    CHECK(name_of_a() != a);
    CHECK(name_of_a() != behind);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: in one segment they fail together")
{
    const std::string a = name_behind("SET LOCAL search_path TO a");
    client(
        say::parse("set", "SET LOCAL search_path TO a") + say::bind("set") + say::execute()
        + say::parse("mine", "A") + say::bind("mine") + say::sync()
    );
    CHECK(to_server().find("Bind - " + a) != std::string::npos);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: another segment may come behind a failure")
{
    const std::string a = name_behind("SET LOCAL search_path TO a");
    forget_output();
    client(say::query("SET search_path TO a") + say::parse("mine", "A") + say::sync());
    const std::string sent = to_server();
    CHECK(sent.find("Parse ") != std::string::npos);
    CHECK(sent.find(a) == std::string::npos);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: a transaction may end in the same pipeline")
{
    sql("BEGIN");
    sql("SET LOCAL search_path TO a");
    const std::string a = name_of_a();
    forget_output();
    client(say::query("COMMIT") + say::parse("mine", "A") + say::bind("mine") + say::sync());
    CHECK(to_server().find(a) == std::string::npos);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: an error leaves nothing that is shared")
{
    sql("SET search_path TO a", 'I'); // in session mode nobody asks
    const std::string a = name_of_a();
    server_state().unknown_settings.become_known();
    client(say::query("SET search_path TO a"));
    server(reply::error("22023", "invalid") + reply::ready());
    CHECK(name_of_a() != a);
}

TEST_CASE_FIXTURE(Parsing, "session/unknown_settings: before a database was asked, any call counts")
{
    const std::string plain = name_of_a();
    CHECK(name_behind("SELECT f(1)") == plain);
    knowledge.catalog = nullptr;
    CHECK(name_behind("SELECT f(1)") != plain);
    knowledge.is_asked = false;
    CHECK(name_behind("SELECT f(1)") == plain);
}

TEST_CASE("session/unknown_settings: a hash is the same as long as nothing is said")
{
    UnknownSettings unknown;
    CHECK(unknown.parse_hash(7, 1, 1) == 7);
    unknown.change(SettingsChange::unknown, "f()", 1, 1);
    const std::uint64_t hash = unknown.parse_hash(7, 1, 1);
    CHECK(hash != 7);
    CHECK(unknown.parse_hash(7, 1, 1) == hash);
    CHECK(unknown.parse_hash(8, 1, 1) != hash);
    unknown.settle();
    CHECK(unknown.parse_hash(7, 1, 5) == hash);
}
