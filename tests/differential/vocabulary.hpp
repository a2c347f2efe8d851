// The statements that streams are made of, by feature.
#pragma once

#include <pgweir/wire/startup.hpp>

#include "differential/draw.hpp"
#include "differential/features.hpp"
#include "differential/step.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pgweir::differential {

// Never asked, because the answer is a matter of the session that PostgreSQL gives, or of time:
// process ids, times, the order of rows where nobody asks for one, transaction ids, object ids,
// names of temporary schemas, random(); pg_settings.source, which says "client" for what came in a
// startup packet; whether a custom parameter is unknown or empty, for nothing in PostgreSQL makes
// one unknown again once it was set (app.x and app.y are settings of the database, app.z is read as
// nullif); whether a plan is generic, which depends on how often a session has executed it;
// temp_buffers, which no session that ever had a temporary table may change, and whether a session
// has a schema for such tables, which it keeps when the last one is dropped.

/// What a statement for a client may and must refer to.
struct Situation {
    std::size_t client = 0;
    char status = 'I';
    bool may_pin = false;     // may leave state that keeps a server
    bool may_set = false;     // parameters are among what this stream is about
    bool may_misbind = false; // to a statement with another number of parameters
    bool inserts_pin = false; // an INSERT may be followed by a question for lastval()
    std::uint64_t seed = 0;
};

/// One of the feature's statements. Those that are about the protocol have none: see protocol.hpp.
[[nodiscard]] Statement make_statement(Feature feature, Draw& draw, const Situation& situation);
[[nodiscard]] bool has_statements(Feature feature);

/// A statement whose answer shows the state of the session.
[[nodiscard]] Statement read_state(Draw& draw, const Situation& situation);
/// Everything at once.
[[nodiscard]] std::string read_all_state();

/// What ends a transaction block, or most of the time goes back to a savepoint.
[[nodiscard]] Statement end_transaction(
    Draw& draw, const Situation& situation, bool has_savepoints
);

[[nodiscard]] Statement make_settings_statement(Draw& draw, const Situation& situation);
[[nodiscard]] Statement make_functions_statement(Draw& draw, const Situation& situation);
/// What a startup packet says beside user and database.
[[nodiscard]] std::vector<wire::Parameter> draw_startup(Draw& draw);
/// The names of all parameters that streams set.
[[nodiscard]] std::vector<std::string> parameter_names();

/// Replaces {c} client, {n} a small number, {s} savepoint, {q} a statement's name in SQL,
/// {u} cursor, {k} key of a lock, {h} channel.
[[nodiscard]] std::string expand(std::string_view text, Draw& draw, const Situation& situation);

} // namespace pgweir::differential
