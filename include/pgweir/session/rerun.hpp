// What a client says first to an idle server, kept until PostgreSQL answers: where it is certain
// that nobody can notice, it is said again instead of failing.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/session/block_edge.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pgweir::session {

struct ClientState;
struct ServerState;

struct Rerun {
    static constexpr std::size_t size_max = 8'192;
    /// So little arrives in one piece, and PostgreSQL reads it at once: all of it or nothing.
    static constexpr std::size_t piece_max = 1'024;
    /// In a row, for one client: as many idle servers may have died together.
    static constexpr std::uint8_t count_max = 10;

    Buffer said;                      // whole messages; empty: it cannot be said again
    std::unique_ptr<LazyBlock> block; // whose first statement it is
    std::optional<std::size_t> from;  // where it first uses a statement that we have prepared …
    bool is_shape_new = false;        // … of which the client knows no shape of rows from before
    std::optional<std::string> parsed;
    bool is_unheard = false;        // it was one piece, and nothing has come back
    bool is_wanted = false;         // it has failed unseen, and is said again after ReadyForQuery
    bool wants_new_process = false; // … on a connection that nobody has used before

    void open()
    {
        said.clear();
        if (block) block.reset();
        from.reset();
        parsed.reset();
        is_unheard = false;
        wants_new_process = false;
    }
};

/// The server is gone: what its client has named and it has not agreed to means what it did before.
void give_up_replies(ServerState& lost, ClientState& client);

/// The server is gone, and has not read what the client has said: it is as if it had not said it.
/// Returns what is to be said again.
[[nodiscard]] Buffer take_back(ServerState& lost, ClientState& client);

} // namespace pgweir::session
