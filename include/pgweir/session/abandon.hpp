// A server is gone in the middle of a transaction, and the transaction with it: its client is told
// so once, and its session goes on.
#pragma once

#include <pgweir/session/state.hpp>
#include <pgweir/wire/messages.hpp>

namespace pgweir::session {

class Gather;

/// Nothing of the client's session was on that server alone, and there is a place for an error in
/// what the two say to each other.
[[nodiscard]] bool may_abandon(const ServerState& lost, const ClientState& client);

/// Answers what the server still owed: an error for each Query and for each segment up to a Sync.
/// A transaction block has failed, and is the client's to end. False: the server owed nothing,
/// the client was only thinking in its transaction. Requires may_abandon().
[[nodiscard]] bool abandon(
    ServerState& lost, ClientState& client, const wire::ErrorText& error, Gather& to_client
);

/// "ROLLBACK" and nothing else, from a client whose transaction has failed: it is done already.
[[nodiscard]] bool only_rolls_back(const ClientState& client, Bytes input);

} // namespace pgweir::session
