// BEGIN, and the end of a transaction in which nothing was done, need no server: they are answered
// here, and BEGIN goes in front of the first message that needs one.
#pragma once

#include <pgweir/session/gather.hpp>
#include <pgweir/session/state.hpp>

namespace pgweir::session {

/// Sends the BEGIN that the client's block still owes; its answer will be hidden. In a block that
/// has failed already, so has the server's.
void begin_on_server(ServerState& server, ClientState& client, Gather& to_server);

} // namespace pgweir::session
