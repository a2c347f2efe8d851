#include <pgweir/admin/command.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace pgweir::admin;

namespace {

// Each command as a line, or the error.
std::string parsed(std::string_view text)
{
    const Parsed result = parse_commands(text);
    if (result.error) return result.error->sqlstate + ' ' + result.error->message;
    std::string lines;
    for (const Command& command : result.commands) {
        if (!lines.empty()) lines += " / ";
        lines += tag_of(command);
        if (const auto* show = std::get_if<ShowCommand>(&command)) {
            lines += ' ' + std::to_string(static_cast<int>(show->what));
        }
        const auto* action = std::get_if<ActionCommand>(&command);
        if (action != nullptr && action->database) lines += ' ' + *action->database;
    }
    return lines;
}

std::string shown(Show what) { return "SHOW " + std::to_string(static_cast<int>(what)); }

} // namespace

TEST_CASE("admin/command: case, blanks, comments and a semicolon do not matter")
{
    CHECK(parsed("SHOW POOLS") == shown(Show::pools));
    CHECK(parsed("  show\n\tPools ;  ") == shown(Show::pools));
    CHECK(parsed("/* a /* nested */ one */ SHOW -- and\n pools;") == shown(Show::pools));
}

TEST_CASE("admin/command: nothing is no command")
{
    CHECK(parsed("") == "");
    CHECK(parsed(" ; ;; -- nothing") == "");
}

TEST_CASE("admin/command: one text may hold several")
{
    CHECK(
        parsed("PAUSE orders; SHOW VERSION;RESUME")
        == "PAUSE orders / " + shown(Show::version) + " / RESUME"
    );
}

TEST_CASE("admin/command: one that is wrong spoils them all")
{
    CHECK(parsed("SHUTDOWN; NONSENSE") == "42601 the console does not know \"NONSENSE\"");
    CHECK(parse_commands("SHUTDOWN; NONSENSE").commands.empty());
}

TEST_CASE("admin/command: a database may be quoted")
{
    CHECK(parsed("PAUSE \"My; \"\"Db\"\"\"") == "PAUSE My; \"Db\"");
    CHECK(parsed("PAUSE my-db") == "42601 syntax error at or near \"-\"");
    CHECK(parsed("PAUSE 'orders'") == "42601 syntax error at or near \"orders\"");
    CHECK(parsed("PAUSE \"orders") == "42601 a quoted string or a comment does not end");
    CHECK(parsed("PAUSE /* orders") == "42601 a quoted string or a comment does not end");
}

TEST_CASE("admin/command: what it does not take is a syntax error")
{
    CHECK(parsed("SHOW") == "42601 SHOW needs to know what to show");
    CHECK(parsed("SHOW NOTHING") == "42601 there is no SHOW NOTHING");
    CHECK(parsed("SHOW POOLS app") == "42601 syntax error at or near \"app\"");
    CHECK(parsed("SELECT 1") == "42601 the console does not know \"SELECT\"");
    CHECK(parsed("\"SHOW\" POOLS") == "42601 the console does not know \"SHOW\"");
    CHECK(parsed("RELOAD now") == "42601 syntax error at or near \"now\"");
    CHECK(parsed("PAUSE a b") == "42601 syntax error at or near \"b\"");
    CHECK(
        parsed(std::string_view{"SHOW\0POOLS", 10})
        == std::string_view{"42601 syntax error at or near \"POOLS\""}
    );
}

TEST_CASE("admin/command: what PgBouncer has and we have not is told apart from nonsense")
{
    CHECK(parsed("SHOW FDS") == "0A000 SHOW FDS is not supported");
    CHECK(parsed("KILL app") == "0A000 KILL is not supported");
    CHECK(
        parsed("SET default_pool_size = 7")
        == "0A000 the console cannot change \"default_pool_size\""
    );
}

TEST_CASE("admin/command: what drivers say unasked is agreed to")
{
    CHECK(parsed("SET extra_float_digits = 3") == "SET");
    CHECK(parsed("SET SESSION application_name TO 'PostgreSQL JDBC Driver'") == "SET");
    CHECK(parsed("SET TIME ZONE 'UTC'") == "SET");
    CHECK(
        parsed("BEGIN; COMMIT; ROLLBACK; START TRANSACTION READ ONLY; END; ABORT")
        == "BEGIN / COMMIT / ROLLBACK / START TRANSACTION / COMMIT / ROLLBACK"
    );
}

TEST_CASE("admin/command: prepared statements may be dropped by name, or all of them")
{
    const auto dropped = [](const char* text) {
        const Parsed result = parse_commands(text);
        REQUIRE(result.commands.size() == 1);
        const auto* deallocate = std::get_if<Deallocate>(&result.commands.front());
        REQUIRE(deallocate != nullptr);
        return deallocate->tag + ' ' + deallocate->name.value_or("*");
    };
    CHECK(dropped("DEALLOCATE _PG3_0") == "DEALLOCATE _pg3_0");
    CHECK(dropped("DEALLOCATE PREPARE \"Mine\"") == "DEALLOCATE Mine");
    CHECK(dropped("DEALLOCATE ALL") == "DEALLOCATE ALL *");
    CHECK(dropped("DISCARD ALL") == "DISCARD ALL *");
    CHECK(parsed("DEALLOCATE 'x'") == "42601 syntax error at or near \"x\"");
    CHECK(parsed("DISCARD PLANS") == "42601 syntax error at or near \"PLANS\"");
}

TEST_CASE("admin/command: only an admin may do more than look")
{
    const auto sqlstate = [](const char* text, Access access) {
        const Parsed result = parse_commands(text);
        REQUIRE(result.commands.size() == 1);
        const auto refused = refusal(result.commands.front(), access);
        return refused ? refused->sqlstate : std::string{"yes"};
    };
    for (const char* text : {"PAUSE", "RESUME", "RECONNECT", "RELOAD", "SHUTDOWN"}) {
        CAPTURE(text);
        CHECK(sqlstate(text, Access::admin) == "yes");
        CHECK(sqlstate(text, Access::stats) == "42501");
        CHECK(sqlstate(text, Access::none) == "42501");
    }
    for (const char* text : {"SHOW CLIENTS", "SHOW CONFIG", "BEGIN"}) {
        CAPTURE(text);
        CHECK(sqlstate(text, Access::admin) == "yes");
        CHECK(sqlstate(text, Access::stats) == "yes");
        CHECK(sqlstate(text, Access::none) == "42501");
    }
}

TEST_CASE("admin/command: everything that help names is understood")
{
    CHECK(help_rows().size() == 20);
    for (const HelpRow& row : help_rows()) {
        CAPTURE(row.command);
        const std::string command = row.command.substr(0, row.command.find(" ["));
        CHECK(parse_commands(command).commands.size() == 1);
        CHECK_FALSE(row.description.empty());
    }
}
