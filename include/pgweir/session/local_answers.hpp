// Answers that we give in the server's place, when their turn has come.
#pragma once

#include <pgweir/session/gather.hpp>
#include <pgweir/session/state.hpp>

namespace pgweir::session {

void give_local_answers(ServerState& server, Gather& to_client);

/// Gives those at the front of the queue, and passes over marks that need no answer.
inline void answer_locally(ServerState& server, Gather& to_client)
{
    if (server.replies.front_is_local()) give_local_answers(server, to_client);
}

} // namespace pgweir::session
