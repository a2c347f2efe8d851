#include "differential/vocabulary.hpp"

#include <array>

namespace pgweir::differential {

namespace {

struct Template {
    std::string_view sql;
    bool may_pin = false;
};

using Templates = std::span<const Template>;

// clang-format off
constexpr std::array roles{
    Template{"SET ROLE diff_reader"}, Template{"SET ROLE diff_reader"},
    Template{"SET LOCAL ROLE diff_reader"}, Template{"SET role = 'diff_reader'"},
    Template{"SELECT set_config('role', 'diff_reader', false)"},
    Template{"SET ROLE NONE"}, Template{"RESET ROLE"}, Template{"SET ROLE app_trust"},
    Template{"SET ROLE postgres"}, // denied
    Template{"SET SESSION AUTHORIZATION app_trust"}, Template{"RESET SESSION AUTHORIZATION"},
    Template{"SET SESSION AUTHORIZATION DEFAULT"}, Template{"SET SESSION AUTHORIZATION postgres"},
    Template{"SELECT current_user, session_user"}, Template{"SHOW role"},
    Template{"UPDATE c{c}.t SET tag = 'as ' || current_user WHERE id = {n}"},
};

constexpr std::array transactions{
    Template{"BEGIN"}, Template{"BEGIN"}, Template{"BEGIN"}, Template{"begin work"},
    Template{"START TRANSACTION"}, Template{"BEGIN ISOLATION LEVEL REPEATABLE READ"},
    Template{"BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE"},
    Template{"START TRANSACTION READ ONLY"}, Template{"/* a comment */ BEGIN"},
    Template{"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY DEFERRABLE"},
    Template{"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"},
    Template{"SET TRANSACTION READ ONLY"},
    Template{"SHOW transaction_isolation"}, Template{"SHOW transaction_read_only"},
    Template{"UPDATE c{c}.t SET tag = tag || '+' WHERE id = {n}"},
    Template{"DELETE FROM c{c}.t WHERE id = {n} RETURNING tag"},
    Template{"INSERT INTO c{c}.t VALUES (10 + {n}, 'new') ON CONFLICT DO NOTHING"},
};

constexpr std::array savepoints{
    Template{"SAVEPOINT {s}"}, Template{"SAVEPOINT {s}"}, Template{"SAVEPOINT {s}"},
    Template{"ROLLBACK TO SAVEPOINT {s}"}, Template{"ROLLBACK TO {s}"},
    Template{"RELEASE SAVEPOINT {s}"}, Template{"RELEASE {s}"},
};

constexpr std::array errors{
    Template{"SELEC 1"}, Template{"SELECT 1/0"}, Template{"SELECT * FROM no_such_table"},
    Template{"INSERT INTO c{c}.t VALUES (1, 'twice')"}, Template{"SELECT 'x'::int"},
    Template{"SELECT no_such_function({n})"}, Template{"SELECT 1 +"}, Template{""},
    Template{"-- nothing"}, Template{";"}, Template{"SELECT tag FROM c{c}.t WHERE id = 'one'"},
    Template{"DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'ZZ{n}00', HINT = 'yes'; END$$"},
    Template{"VACUUM c{c}.t, nothing_of_that_name"}, Template{"SELECT 'not closed"},
};

constexpr std::array sql_prepare{
    Template{"PREPARE {q} AS SELECT 'client {c}', $1::int + {n}"},
    Template{"PREPARE {q}(int) AS SELECT tag FROM c{c}.t WHERE id = $1"},
    Template{"PREPARE {q} AS SELECT $1::int * {n}"},
    Template{"PREPARE {q} AS SELECT id, tag FROM t WHERE id < $1 ORDER BY id"},
    Template{"PREPARE {q} AS UPDATE c{c}.t SET tag = 'prepared' WHERE id = $1::int"},
    Template{"EXECUTE {q}({n})"}, Template{"EXECUTE {q}({n})"}, Template{"EXECUTE {q}({n})"},
    Template{"execute /* spaced */ {q} ( {n} )"}, Template{"EXECUTE {q}"}, Template{"EXECUTE s1({n})"},
    Template{"DEALLOCATE {q}"}, Template{"DEALLOCATE PREPARE {q}"}, Template{"DEALLOCATE ALL"},
    Template{"DISCARD PLANS"},
    Template{"SELECT name, CASE WHEN from_sql THEN 'SQL' ELSE statement END, parameter_types "
             "FROM pg_prepared_statements ORDER BY name"},
};

constexpr std::array cursors{
    Template{"DECLARE {u} CURSOR FOR SELECT id, tag FROM shared.big ORDER BY id"},
    Template{"DECLARE {u} SCROLL CURSOR FOR SELECT id FROM c{c}.t ORDER BY id"},
    Template{"DECLARE {u} NO SCROLL CURSOR FOR SELECT {n} AS n"},
    Template{"DECLARE {u} BINARY CURSOR FOR SELECT id FROM shared.big ORDER BY id"},
    Template{"FETCH {n} FROM {u}"}, Template{"FETCH {n} FROM {u}"}, Template{"FETCH NEXT FROM {u}"},
    Template{"FETCH BACKWARD {n} FROM {u}"}, Template{"FETCH ALL FROM {u}"},
    Template{"MOVE {n} IN {u}"}, Template{"CLOSE {u}"}, Template{"CLOSE ALL"},
    Template{"SELECT name, is_holdable FROM pg_cursors WHERE name <> '' ORDER BY name"},
};

constexpr std::array hold{
    Template{"DECLARE {u} CURSOR WITH HOLD FOR SELECT id, tag FROM shared.big ORDER BY id", true},
    Template{"DECLARE {u} SCROLL CURSOR WITH HOLD FOR SELECT tag FROM c{c}.t ORDER BY id", true},
    Template{"FETCH {n} FROM {u}"}, Template{"FETCH {n} FROM {u}"}, Template{"FETCH PRIOR FROM {u}"},
    Template{"CLOSE {u}"}, Template{"CLOSE ALL"},
    Template{"SELECT name, is_holdable FROM pg_cursors WHERE name <> '' ORDER BY name"},
};

constexpr std::array temp{
    Template{"CREATE TEMP TABLE tt (id int, tag text)", true},
    Template{"CREATE TEMPORARY TABLE tt AS SELECT {n} AS id, 'of {c}' AS tag", true},
    Template{"CREATE TEMP TABLE tt (id int, tag text) ON COMMIT DROP", true},
    Template{"CREATE TEMP TABLE tt (id int, tag text) ON COMMIT DELETE ROWS", true},
    Template{"CREATE TEMP TABLE IF NOT EXISTS tt (id int, tag text)", true},
    Template{"SELECT {n} AS id, 'into' AS tag INTO TEMP tt", true},
    Template{"CREATE TEMP VIEW tv AS SELECT 'view of {c}' AS tag", true},
    Template{"CREATE TABLE pg_temp.t AS SELECT 'hides t of {c}' AS tag", true},
    Template{"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT {c}'", true},
    Template{"INSERT INTO tt VALUES ({n}, 'row of {c}')"}, Template{"SELECT id, tag FROM tt"},
    Template{"SELECT count(*) FROM tt"}, Template{"SELECT tag FROM tv"},
    Template{"SELECT to_regprocedure('pg_temp.f()') IS NULL"}, Template{"DROP TABLE tt"}, Template{"DROP TABLE IF EXISTS tt"},
    Template{"SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()"},
    Template{"DISCARD TEMP"}, Template{"DROP VIEW tv"},
};

constexpr std::array discard{
    Template{"DISCARD ALL"}, Template{"DISCARD ALL"}, Template{"DISCARD ALL"},
    Template{"DISCARD PLANS"}, Template{"DISCARD TEMP"}, Template{"DISCARD SEQUENCES"},
};

constexpr std::array listen{
    Template{"LISTEN {h}"}, Template{"LISTEN {h}"}, Template{"UNLISTEN {h}"}, Template{"UNLISTEN *"},
    Template{"NOTIFY {h}"}, Template{"NOTIFY {h}, 'payload {n}'"},
    Template{"SELECT pg_notify('{h}', 'by function {n}')"},
};

constexpr std::array channels{
    Template{"SELECT * FROM pg_listening_channels() AS c ORDER BY c"},
};

constexpr std::array locks{
    Template{"SELECT pg_advisory_lock({k})", true},
    Template{"SELECT pg_try_advisory_lock({k})", true},
    Template{"SELECT pg_advisory_lock_shared({k})", true},
    Template{"SELECT pg_advisory_xact_lock({k})"},
    Template{"SELECT pg_advisory_unlock({k})"}, Template{"SELECT pg_advisory_unlock({k})"},
    Template{"SELECT pg_advisory_unlock_shared({k})"}, Template{"SELECT pg_advisory_unlock_all()"},
    Template{"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"},
};

constexpr std::array sequences{
    Template{"SELECT nextval('c{c}.s')", true}, Template{"SELECT nextval('c{c}.s')", true},
    Template{"INSERT INTO c{c}.n (tag) VALUES ('row') RETURNING id", true},
    Template{"SELECT setval('c{c}.s', 10 * {n})", true},
    Template{"SELECT currval('c{c}.s')"}, Template{"SELECT currval('c{c}.s')"},
    Template{"SELECT lastval()"}, Template{"SELECT currval('c{c}.n_id_seq')"},
    Template{"SELECT last_value FROM c{c}.s"}, Template{"DISCARD SEQUENCES"},
};

constexpr std::array reading{
    Template{"SELECT tag FROM t ORDER BY tag"}, Template{"SELECT current_schemas(false)"},
    Template{"SELECT timestamptz '2024-03-10 12:34:56.789+00', date '2024-02-03'"},
    Template{"SELECT interval '1 year 2 mons 3 days 04:05:06.7', 0.1::float8 + 0.2, 1e-5::float4"},
    Template{"SELECT decode('deadbeef00', 'hex')"}, Template{"SELECT current_user, session_user"},
    Template{"SELECT 'Gr\xC3\xBC\xC3\x9F" "e', length('\xC3\xA9')"},
    Template{"DO $$BEGIN RAISE NOTICE 'n {c}'; RAISE WARNING 'w {c}'; END$$"},
    Template{"EXPLAIN (COSTS OFF) SELECT tag FROM shared.big WHERE id = 7"},
    Template{"SELECT NULL = NULL, 'a\\b'"}, Template{"SELECT id, tag FROM c{c}.t ORDER BY id"},
    Template{"SELECT count(*), max(value) FROM shared.big"},
};
// clang-format on

Templates templates_of(Feature feature)
{
    switch (feature) {
    case Feature::roles: return roles;
    case Feature::transactions: return transactions;
    case Feature::savepoints: return savepoints;
    case Feature::errors: return errors;
    case Feature::sql_prepare: return sql_prepare;
    case Feature::cursors: return cursors;
    case Feature::hold: return hold;
    case Feature::temp: return temp;
    case Feature::discard: return discard;
    case Feature::listen: return listen;
    case Feature::channels: return channels;
    case Feature::locks: return locks;
    case Feature::sequences: return sequences;
    case Feature::startup:
    case Feature::settings:
    case Feature::functions:
    case Feature::multi:
    case Feature::wrong_binds:
    case Feature::prepared:
    case Feature::portals:
    case Feature::pipelines:
    case Feature::copy:
    case Feature::leave: return {};
    }
    return {};
}

std::string value_of(char letter, Draw& draw, const Situation& situation)
{
    switch (letter) {
    case 'c': return std::to_string(situation.client);
    case 'n': return std::to_string(1 + draw.below(5));
    case 's': return std::string{draw.pick({"a", "a", "A", "a", "b", "\"Save Point\""})};
    case 'q': return std::string{draw.pick({"q1", "q1", "Q1", "q2", "\"Q 3\""})};
    case 'u': return std::string{draw.pick({"cu", "cu", "CU", "\"Cu 2\""})};
    case 'h': return "ch" + std::to_string(situation.client) + std::string{draw.pick({"_a", "_b"})};
    case 'k': { // of this stream: the sessions of the last one may still be about to end
        constexpr std::uint64_t keys_of_client = 2;
        constexpr std::uint64_t clients_max = 1'000;
        const std::uint64_t of_client = situation.seed * clients_max + situation.client;
        return std::to_string(of_client * keys_of_client + draw.below(keys_of_client));
    }
    default: return std::string{"{"} + letter + "}";
    }
}

Statement pick_allowed(Templates from, Draw& draw, const Situation& situation)
{
    for (;;) { // every list has something that never pins
        const Template& chosen = draw.pick(from);
        const bool inserts = chosen.sql.starts_with("INSERT");
        const bool may_pin = chosen.may_pin || (inserts && situation.inserts_pin);
        if (may_pin && !situation.may_pin) continue;
        return {expand(chosen.sql, draw, situation), may_pin};
    }
}

} // namespace

std::string expand(std::string_view text, Draw& draw, const Situation& situation)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}') {
            out += value_of(text[i + 1], draw, situation);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

bool has_statements(Feature feature)
{
    return feature == Feature::settings || feature == Feature::functions
           || !templates_of(feature).empty();
}

Statement make_statement(Feature feature, Draw& draw, const Situation& situation)
{
    if (feature == Feature::settings) return make_settings_statement(draw, situation);
    if (feature == Feature::functions) return make_functions_statement(draw, situation);
    return pick_allowed(templates_of(feature), draw, situation);
}

Statement read_state(Draw& draw, const Situation& situation)
{
    return pick_allowed(reading, draw, situation);
}

Statement end_transaction(Draw& draw, const Situation& situation, bool has_savepoints)
{
    constexpr std::uint64_t often = 45;
    if (has_savepoints && draw.chance(often)) {
        return {expand("ROLLBACK TO {s}", draw, situation), false};
    }
    return {
        std::string{draw.pick(
            {"COMMIT",
             "COMMIT",
             "END",
             "ROLLBACK",
             "ROLLBACK",
             "abort",
             "COMMIT AND CHAIN",
             "ROLLBACK AND CHAIN"}
        )},
        false
    };
}

std::string read_all_state()
{
    std::string sql = "SELECT current_user, session_user, current_schemas(false)";
    for (const std::string& name : parameter_names()) {
        const bool may_be_unknown = name == "app.z";
        sql += may_be_unknown ? ", nullif(current_setting('app.z', true), '')"
                              : ", current_setting('" + name + "')";
        sql += " AS \"" + name + '"';
    }
    return sql;
}

} // namespace pgweir::differential
