// What is asked, and how the rows of the answer are read.
#include <pgweir/session/question.hpp>
#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/reader.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace pgweir::session {

namespace {

// The first column of an answer's rows: what they are about.
constexpr std::string_view setting_mark = "setting";
constexpr std::string_view prepared_mark = "prepared";
constexpr std::string_view function_mark = "function"; // name, bits of Parts
constexpr std::string_view custom_mark = "custom";
constexpr std::string_view default_mark = "custom_default";
constexpr std::string_view trigger_mark = "trigger"; // likewise

struct PinQuestion {
    Part part;
    std::string_view mark;
    std::string_view sql; // behind SELECT mark,: a name, an empty value, and where from
};

// Nothing is looked up but in pg_catalog, operators included: the client's search_path holds.
// Whatever belongs to a temporary schema depends on it, and pg_depend has an index for that.
constexpr std::array pin_questions{
    PinQuestion{
        Part::held_cursors,
        "held_cursors",
        "'', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable)",
    },
    PinQuestion{
        Part::temp_objects,
        "temp_objects",
        "'', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_depend"
        " WHERE refclassid OPERATOR(pg_catalog.=) 2615"
        " AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())",
    },
    PinQuestion{
        Part::advisory_locks,
        "advisory_locks",
        "'', '' WHERE EXISTS (SELECT FROM pg_catalog.pg_locks"
        " WHERE locktype OPERATOR(pg_catalog.=) 'advisory'"
        " AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())",
    },
    PinQuestion{
        Part::channels,
        "channels",
        "channel, '' FROM pg_catalog.pg_listening_channels() AS channel",
    },
};

// Three belong to a transaction, whatever their source is said to be.
constexpr std::string_view settings_question =
    "SELECT 'setting', name, setting FROM pg_catalog.pg_settings"
    " WHERE source OPERATOR(pg_catalog.=) 'session'"
    " AND name OPERATOR(pg_catalog.<>) ALL ("
    "'{transaction_isolation,transaction_read_only,transaction_deferrable}'"
    "::pg_catalog.text[])"
    " UNION ALL SELECT 'setting', 'role', pg_catalog.current_setting('role')";

constexpr std::string_view prepared_question =
    "SELECT 'prepared', name, statement FROM pg_catalog.pg_prepared_statements WHERE from_sql";

// Who is more special comes later.
constexpr std::string_view defaults_question = R"(
(SELECT 'custom_default', pg_catalog.split_part(setting, '=', 1),
    pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') OPERATOR(pg_catalog.+) 1)
FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) AS setting
WHERE setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid,
        (SELECT oid FROM pg_catalog.pg_database
        WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())])
    AND setrole OPERATOR(pg_catalog.=) ANY (ARRAY[0::pg_catalog.oid,
        (SELECT oid FROM pg_catalog.pg_roles
        WHERE rolname OPERATOR(pg_catalog.=) session_user)])
    AND pg_catalog.split_part(setting, '=', 1) OPERATOR(pg_catalog.~~) '%.%'
ORDER BY setrole, setdatabase))";

// Functions of users that may change a session, by what their sources say, and those that call
// them. A source that is not there (a body that was parsed) may say anything. EXECUTE runs what
// only it knows. E: standard_conforming_strings may be off. Bits: Part. 16384: what PostgreSQL
// brings itself is below. 2279: returns trigger.
constexpr std::string_view functions_question = R"(
SELECT 'function', '', '' WHERE false UNION ALL (
WITH RECURSIVE source AS (
    SELECT p.oid, p.proname, pg_catalog.lower(p.prosrc) AS text, p.prorettype
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l
        ON l.oid OPERATOR(pg_catalog.=) p.prolang
    WHERE p.oid OPERATOR(pg_catalog.>=) 16384
        AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{c,internal}'::pg_catalog.name[])
), judged AS (
    SELECT oid, proname, prorettype, CASE
        WHEN text OPERATOR(pg_catalog.=) '' OR text OPERATOR(pg_catalog.~) E'\\mexecute\\M' THEN 575
        ELSE CASE WHEN text OPERATOR(pg_catalog.~) E'\\mset_config\\M|pg_settings'
                OR text OPERATOR(pg_catalog.~)
                E'(^|;|\\mbegin\\M|\\mthen\\M|\\melse\\M|\\mloop\\M|["''])\\s*(re)?set\\s'
                THEN 1 ELSE 0 END
            OPERATOR(pg_catalog.+) CASE
                WHEN text OPERATOR(pg_catalog.~) E'\\mtemp(orary)?\\M|pg_temp'
                THEN 4 ELSE 0 END
            OPERATOR(pg_catalog.+) CASE WHEN text OPERATOR(pg_catalog.~) 'pg_(try_)?advisory_lock'
                THEN 8 ELSE 0 END
            OPERATOR(pg_catalog.+) CASE WHEN text OPERATOR(pg_catalog.~) E'\\mlisten\\M'
                THEN 32 ELSE 0 END
            OPERATOR(pg_catalog.+) CASE WHEN text OPERATOR(pg_catalog.~) E'\\msetseed\\M'
                THEN 128 ELSE 0 END
            OPERATOR(pg_catalog.+) CASE WHEN text OPERATOR(pg_catalog.~) E'\\m(nextval|insert)\\M'
                THEN 512 ELSE 0 END
        END AS bits
    FROM source
), reached AS (
    SELECT oid, proname, prorettype, bits FROM judged WHERE bits OPERATOR(pg_catalog.>) 0
    UNION
    SELECT s.oid, s.proname, s.prorettype, r.bits FROM source s JOIN reached r
        ON pg_catalog.strpos(s.text, pg_catalog.lower(r.proname::pg_catalog.text))
            OPERATOR(pg_catalog.>) 0
)
SELECT DISTINCT
    CASE WHEN prorettype OPERATOR(pg_catalog.=) 2279 THEN 'trigger' ELSE 'function' END,
    proname::pg_catalog.text, bits::pg_catalog.text FROM reached))";

// Parameters of the application's own that functions may set, by names that only they know.
constexpr std::string_view customs_question = R"(
(SELECT DISTINCT 'custom', found[1], ''
FROM pg_catalog.pg_proc, pg_catalog.regexp_matches(pg_catalog.lower(prosrc),
    E'(?:''|\\mset\\s+(?:session\\s+)?)([a-z_]\\w*\\.[a-z_]\\w*)', 'g') AS found
WHERE oid OPERATOR(pg_catalog.>=) 16384
    AND pg_catalog.lower(prosrc) OPERATOR(pg_catalog.~) E'\\mset_config\\M|\\mset\\s'))";

void append_custom(std::string& sql, std::string_view name)
{
    sql += " UNION ALL SELECT 'setting', ";
    append_literal(sql, name);
    sql += ", pg_catalog.current_setting(";
    append_literal(sql, name);
    sql += ", true)";
}

void append_question(std::string& sql, std::string_view question)
{
    if (!sql.empty()) sql += " UNION ALL ";
    sql += question;
}

bool take_function_row(
    Answer& answer, bool is_trigger, std::string_view name, std::string_view bits
)
{
    Part part{};
    std::uint16_t value = 0;
    const auto read = std::from_chars(bits.data(), bits.data() + bits.size(), value);
    if (read.ec != std::errc{} || !answer.catalog) return false;
    part = static_cast<Part>(value);
    answer.catalog->functions.add(name, part);
    if (is_trigger) answer.catalog->by_triggers |= part;
    return true;
}

} // namespace

std::string question_about(Parts parts, const Knowledge& knowledge)
{
    std::string sql;
    if (parts.has(Part::settings)) {
        sql = settings_question;
        for (const std::string& name : knowledge.customs) append_custom(sql, name);
    }
    if (parts.has(Part::prepared_statements)) append_question(sql, prepared_question);
    for (const PinQuestion& question : pin_questions) {
        if (!parts.has(question.part)) continue;
        append_question(sql, "SELECT '");
        sql += question.mark;
        sql += "', ";
        sql += question.sql;
    }
    if (parts.has(Part::catalog)) {
        append_question(sql, functions_question);
        append_question(sql, customs_question);
        append_question(sql, defaults_question);
    }
    return sql;
}

bool take_answer_row(Answer& answer, Bytes body)
{
    const auto values = wire::read_data_row(body);
    if (!values || values->size() != 3 || !(*values)[0] || !(*values)[1]) return false;
    const std::string_view mark = *(*values)[0];
    const std::string_view name = *(*values)[1];
    const auto& value = (*values)[2];
    if (mark == setting_mark) { // NULL: a custom parameter that this server has not met
        if (value) answer.entries.emplace_back(name, *value);
        return true;
    }
    if (!value) return false;
    if (mark == prepared_mark) {
        answer.prepared.emplace_back(name, *value);
        return true;
    }
    if (mark == custom_mark && answer.catalog) {
        answer.catalog->customs.emplace_back(name);
        return true;
    }
    if (mark == default_mark && answer.catalog) {
        answer.catalog->custom_defaults.emplace_back(lower_case(name), *value);
        return true;
    }
    if (mark == function_mark || mark == trigger_mark) {
        return take_function_row(answer, mark == trigger_mark, name, *value);
    }
    const auto question = std::ranges::find(pin_questions, mark, &PinQuestion::mark);
    if (question == pin_questions.end()) return false;
    answer.found |= question->part;
    if (question->part == Part::channels) answer.channels.emplace_back(name);
    return true;
}

void take_long_answer_row(Answer& answer, Bytes front)
{
    wire::Reader reader{front};
    static_cast<void>(reader.be16()); // how many columns
    const std::string_view mark = as_text(reader.bytes(reader.be32()));
    if (mark == setting_mark) answer.found |= Part::settings;
    if (mark == prepared_mark) answer.found |= Part::prepared_statements;
}

} // namespace pgweir::session
