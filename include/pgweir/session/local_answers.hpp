// Answers that we give in the server's place, when their turn has come.
#pragma once

#include <pgweir/session/gather.hpp>
#include <pgweir/session/state.hpp>

namespace pgweir::session {

/// Gives those at the front of the queue, and passes over marks that need no answer.
void answer_locally(ServerState& server, Gather& to_client);

} // namespace pgweir::session
