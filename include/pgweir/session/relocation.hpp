// A client's state on its way from one worker to another. Statements are shared within a worker,
// and their reference counts are not atomic: none may be shared between two.
#pragma once

#include <pgweir/session/state.hpp>

namespace pgweir::session {

/// On the old worker's thread: the client gets copies of its own.
void take_statements_along(ClientState& client);

/// On the new one's: its statements become those of the table.
void settle_statements(ClientState& client, StatementTable& table);

} // namespace pgweir::session
