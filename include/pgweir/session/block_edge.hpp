// Where a transaction begins or ends, and nothing else is said: messages that need no server when
// nothing is done in between.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pgweir::session {

enum class BlockEdge : std::uint8_t {
    none, // anything else, or not certain
    begin,
    start_transaction,
    commit,
    rollback,
};

/// A transaction that its client has begun, and no server knows of yet.
struct LazyBlock {
    std::string begin;       // as the client has said it
    bool has_failed = false; // something was refused in it
};

/// What a text is that says nothing else. PostgreSQL would answer with the tag, and no more: what
/// it might refuse or warn about is none.
[[nodiscard]] BlockEdge read_block_edge(std::string_view text);

/// False: a message whose front this is, header and all, is none for sure. For a glance.
[[nodiscard]] bool may_be_block_edge(Bytes front);

} // namespace pgweir::session
