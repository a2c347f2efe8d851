// currval() and lastval() of a client, on servers that others use as well.
#pragma once

#include <pgweir/session/gather.hpp>
#include <pgweir/session/knowledge.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/session/state.hpp>

namespace pgweir::session {

/// An application that was seen to ask keeps its server from its next INSERT or nextval() on, until
/// it asks. (That it will ask cannot be known before it has done so for the first time.)
void follow_sequences(
    ServerState& server, ClientState& client, const SqlReading& reading, Knowledge& knowledge
);

/// The client asks, and what the server would tell may be somebody else's. Before
/// follow_sequences().
[[nodiscard]] bool has_foreign_sequences(
    const ServerState& server, const ClientState& client, const SqlReading& reading
);

/// Then the server must forget it first. `is_extended`: within a segment of that protocol.
void discard_sequences(ServerState& server, bool is_extended, Gather& to_server);

} // namespace pgweir::session
