// What a PostgreSQL process keeps of its earlier clients although it was reset. A client that would
// notice is given a new one.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/wire/messages.hpp>

namespace pgweir::session {

struct ClientState;
struct ServerState;

/// The client's search_path begins with pg_temp: true if the process has made no temporary schema
/// for anybody else, and from now on it is this client's. Once made, a schema is there until the
/// process ends, and a transaction that makes it is another one than one that finds it.
/// Source: PostgreSQL's InitTempTableNamespace and XACT_FLAGS_ACCESSEDTEMPNAMESPACE.
[[nodiscard]] bool may_make_temp_schema(ServerState& server, const ClientState& client);

/// The client has set a parameter "class.name", and nothing else in its message, and PostgreSQL
/// says that there can be none of that name: perhaps only because a library that uses `class` was
/// loaded here by somebody else.
[[nodiscard]] bool may_be_reserved_here(
    const ClientState& client, Bytes said, const wire::ErrorFields& fields
);

/// The first message asks how many sessions there were: PostgreSQL counts processes, and who looks
/// is one of them. Source: PostgreSQL's pgstat_report_connect.
[[nodiscard]] bool looks_at_sessions(Bytes input);

} // namespace pgweir::session
