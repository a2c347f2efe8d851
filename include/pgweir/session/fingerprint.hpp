// What a statement is known by, whatever values it is used with.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstdint>
#include <string_view>

namespace pgweir::session {

struct ClientState;

/// What one walk over the front of a text tells.
struct Glance {
    std::uint64_t fingerprint = 0;
    bool is_plain_select = false; // as is_plain_select() says; false: it may be one nevertheless
};

/// The fingerprint is that of a statement's text without its literals and comments, and without a
/// semicolon that ends it; a list of literals counts as one. Of a long text only the front is read.
/// Never zero. Good for telling what is slow from what is quick, and no more: another text may have
/// the same.
[[nodiscard]] Glance glance_at(std::string_view sql);
[[nodiscard]] std::uint64_t fingerprint(std::string_view sql);

/// Of a transaction, by the message that it begins with: `input` starts with its header and may end
/// anywhere. What comes behind a BEGIN is another thing than the same statement alone. A plain
/// SELECT is a whole Query.
[[nodiscard]] Glance glance_at_transaction(const ClientState& client, Bytes input);

} // namespace pgweir::session
