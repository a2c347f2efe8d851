// What a statement is known by, whatever values it is used with.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstdint>
#include <string_view>

namespace pgweir::session {

struct ClientState;

/// Of a statement's text without its literals and comments; a list of literals counts as one. Of a
/// long text only the front is read. Never zero. Good for telling what is slow from what is quick,
/// and no more: another text may have the same.
[[nodiscard]] std::uint64_t fingerprint(std::string_view sql);

/// Of a transaction, by the message that it begins with: `input` starts with its header and may end
/// anywhere. What comes behind a BEGIN is another thing than the same statement alone.
[[nodiscard]] std::uint64_t transaction_fingerprint(const ClientState& client, Bytes input);

} // namespace pgweir::session
