#include "differential/vocabulary.hpp"

#include <algorithm>
#include <array>

namespace pgweir::differential {

namespace {

struct Parameter {
    std::string_view name;
    bool is_list = false; // SET takes the elements unquoted
    std::array<std::string_view, 5> values;
};

constexpr bool list = true;
constexpr bool scalar = false;

// A wrong value is among them now and then: the statement fails and nothing may change.
// clang-format off
constexpr std::array parameters{
    Parameter{"search_path", list,
        {"c{c}, public", "shared", R"("$user", public)", R"("Odd, Name", public)", "shared, nowhere"}},
    Parameter{"search_path", list, {"public", "c{c}", "''", "shared, c{c}", "pg_catalog, shared"}},
    Parameter{"work_mem", scalar, {"4MB", "1234kB", "1GB", "many", "8192"}},
    Parameter{"statement_timeout", scalar, {"0", "60000", "2min", "1h", "-5"}},
    Parameter{"lock_timeout", scalar, {"0", "5min", "300001", "1d", "90s"}},
    Parameter{"idle_in_transaction_session_timeout", scalar, {"0", "1h", "3600s", "2h", "x"}},
    Parameter{"DateStyle", scalar, {"ISO", "SQL, DMY", "German", "Postgres, MDY", "YMD"}},
    Parameter{"IntervalStyle", scalar,
        {"postgres", "iso_8601", "sql_standard", "POSTGRES_VERBOSE", "none"}},
    Parameter{"TimeZone", scalar,
        {"UTC", "Europe/Berlin", "america/st_johns", "<-08>+08", "Mars/Base"}},
    Parameter{"extra_float_digits", scalar, {"-5", "0", "1", "3", "9"}},
    Parameter{"bytea_output", scalar, {"hex", "escape", "Escape", "hex", "octal"}},
    Parameter{"application_name", scalar, {"worker {n}", "O''Reilly", "", "psql", "a\\b"}},
    Parameter{"client_encoding", scalar, {"UTF8", "latin1", "utf-8", "WIN1252", "klingon"}},
    Parameter{"client_min_messages", scalar, {"notice", "WARNING", "error", "notice", "loud"}},
    Parameter{"standard_conforming_strings", scalar, {"on", "off", "on", "true", "maybe"}},
    Parameter{"default_transaction_isolation", scalar,
        {"read committed", "repeatable read", "serializable", "REPEATABLE READ", "none"}},
    Parameter{"default_transaction_read_only", scalar, {"on", "off", "false", "no", "0"}},
    Parameter{"enable_seqscan", scalar, {"on", "off", "1", "0", "2"}},
    Parameter{"enable_indexscan", scalar, {"on", "off", "yes", "off", "on"}},
    Parameter{"enable_bitmapscan", scalar, {"on", "off", "f", "t", "on"}},
    Parameter{"plan_cache_mode", scalar,
        {"auto", "force_generic_plan", "force_custom_plan", "auto", "never"}},
    Parameter{"random_page_cost", scalar, {"4", "1.10", "1e1", "2.5", "-1"}},
    Parameter{"synchronous_commit", scalar, {"on", "off", "local", "no", "perhaps"}},
    Parameter{"transform_null_equals", scalar, {"on", "off", "on", "off", "on"}},
    Parameter{"quote_all_identifiers", scalar, {"on", "off", "on", "off", "on"}},
    Parameter{"lc_monetary", scalar, {"C", "C.UTF-8", "POSIX", "C", "xx_YY"}},
    Parameter{"app.x", scalar, {"one", "two words", "", "O''Reilly; --", "\xC3\xBC"}},
    Parameter{"app.y", scalar, {"1", "{c}", "a\\b", "$1", "\"quoted\""}},
    Parameter{"app.z", scalar, {"z1", "z2", "z{c}", "z{n}", "0"}},
};

constexpr std::array refused{ // parameters that nobody, or not we, may set
    "SET no_such_parameter = 1", "SET lc_messages = 'C'", "SET session_replication_role = replica",
    "SET max_connections = 5", "SET log_statement = 'all'", "SET server_version = '9.1'",
    "RESET no_such_parameter", "SHOW no_such_parameter", "SET is_superuser = on",
    "SET \"bad-name.x\" = 1",
};

constexpr std::array special{
    "SET NAMES 'latin1'", "SET NAMES DEFAULT", "SET TIME ZONE 'Asia/Kathmandu'",
    "SET TIME ZONE INTERVAL '-08:30' HOUR TO MINUTE", "SET TIME ZONE 5", "SET TIME ZONE LOCAL",
    "SET TIME ZONE DEFAULT", "SET SCHEMA 'shared'", "SET XML OPTION DOCUMENT",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE, ISOLATION LEVEL READ COMMITTED",
    "SHOW TIME ZONE", "SHOW TRANSACTION ISOLATION LEVEL", "SHOW xmloption", "RESET TIME ZONE",
    "RESET ALL", "RESET ALL", "/* SET work_mem = '1GB' */ SELECT 1", "SELECT 'SET work_mem = 1'",
    "SELECT set_config(name, value, false) FROM shared.presets ORDER BY name",
    "SELECT name, setting FROM pg_settings WHERE name IN ('DateStyle', 'work_mem') ORDER BY name",
};

constexpr std::array functions{
    "SELECT shared.set_it('{p}', '{v}')", "SELECT shared.set_it('{p}', '{v}')",
    "SELECT shared.set_locally('{p}', '{v}')", "SELECT shared.set_and_fail('{p}', '{v}')",
    "SELECT shared.set_and_undo('{p}', '{v}')", "SELECT shared.with_own_setting()",
    "CALL shared.set_and_commit('{p}', '{v}')",
    "DO $$BEGIN PERFORM set_config('{p}', '{v}', false); END$$",
    "DO $body$BEGIN EXECUTE 'SET work_mem = ''777kB'''; END$body$",
    "SELECT set_config('{p}', '{v}', false), set_config('work_mem', '999kB', true)",
    "WITH s AS MATERIALIZED (SELECT set_config('{p}', '{v}', false) AS v) SELECT v FROM s",
};
// clang-format on

std::string doubled_quotes(std::string_view text)
{
    std::string out;
    for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
    return out;
}

// Values are written as they stand between quotes; "''" for search_path is two quotes everywhere.
std::string value_of(const Parameter& parameter, Draw& draw, const Situation& situation)
{
    return expand(draw.pick(parameter.values), draw, situation);
}

std::string set(const Parameter& parameter, Draw& draw, const Situation& situation)
{
    constexpr std::uint64_t rarely = 10;
    const std::string_view scope = draw.pick({"SET ", "SET ", "SET SESSION ", "SET LOCAL ", "set "}
    );
    const std::string_view equals = draw.pick({" = ", " TO ", "="});
    std::string sql{scope};
    sql.append(parameter.name).append(equals);
    if (draw.chance(rarely)) return sql + "DEFAULT";
    const std::string value = value_of(parameter, draw, situation);
    return sql + (parameter.is_list ? value : "'" + value + "'");
}

std::string replace(std::string text, std::string_view what, std::string_view with)
{
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
        text.replace(at, what.size(), with);
        at += with.size();
    }
    return text;
}

// Inside quotes a list is one string.
std::string value_in_quotes(const Parameter& parameter, Draw& draw, const Situation& situation)
{
    const std::string value = value_of(parameter, draw, situation);
    return parameter.is_list ? doubled_quotes(value) : value;
}

std::string name_and_value(std::string_view text, Draw& draw, const Situation& situation)
{
    const Parameter& parameter = draw.pick(parameters);
    const std::string value = value_in_quotes(parameter, draw, situation);
    return replace(replace(std::string{text}, "{p}", parameter.name), "{v}", value);
}

} // namespace

Statement make_settings_statement(Draw& draw, const Situation& situation)
{
    const Parameter& parameter = draw.pick(parameters);
    const std::string name{parameter.name};
    const bool is_unknown_at_first = name == "app.z";
    switch (draw.below(12)) {
    case 0:
        if (is_unknown_at_first) return {"RESET app.y"};
        return {"RESET " + name};
    case 1:
        if (is_unknown_at_first) return {"SELECT nullif(current_setting('app.z', true), '')"};
        return {"SHOW " + name};
    case 2:
        if (is_unknown_at_first) return {"SHOW app.x"};
        return {"SELECT current_setting('" + name + "')"};
    case 3: return {std::string{draw.pick(refused)}};
    case 4:
    case 5: return {draw.pick(special)};
    case 6: return {name_and_value("SELECT set_config('{p}', '{v}', false)", draw, situation)};
    case 7: return {name_and_value("SELECT set_config('{p}', '{v}', true)", draw, situation)};
    default: return {set(parameter, draw, situation)};
    }
}

Statement make_functions_statement(Draw& draw, const Situation& situation)
{
    return {name_and_value(draw.pick(functions), draw, situation)};
}

std::vector<wire::Parameter> draw_startup(Draw& draw)
{
    constexpr std::array<std::pair<std::string_view, std::string_view>, 14> wishes{{
        {"application_name", "started"},
        {"application_name", "O'Reilly & co"},
        {"client_encoding", "LATIN1"},
        {"client_encoding", "utf-8"},
        {"DateStyle", "SQL, DMY"},
        {"TimeZone", "Asia/Tokyo"},
        {"extra_float_digits", "-3"},
        {"search_path", "shared"},
        {"IntervalStyle", "iso_8601"},
        {"app.x", "from the packet"},
        {"options", "-c work_mem=5MB -c app.y=from\\ options"},
        {"options", "-c default_transaction_isolation=repeatable\\ read --statement-timeout=5min"},
        {"options", "-c search_path=shared,public -c enable_seqscan=off"},
        {"options", "--app.x=dashes -c bytea_output=escape -c DateStyle=German"},
    }};
    constexpr std::size_t wishes_max = 3;
    std::vector<wire::Parameter> chosen;
    for (std::size_t left = draw.below(wishes_max + 1); left > 0; --left) {
        const auto& [name, value] = draw.pick(wishes);
        const bool is_new = std::ranges::count(chosen, name, &wire::Parameter::first) == 0;
        if (is_new) chosen.emplace_back(name, value);
    }
    return chosen;
}

std::vector<std::string> parameter_names()
{
    std::vector<std::string> names;
    for (const Parameter& parameter : parameters) {
        const bool is_second_row = !names.empty() && names.back() == parameter.name;
        if (!is_second_row) names.emplace_back(parameter.name);
    }
    return names;
}

} // namespace pgweir::differential
