// Classes of transactions, as people see them.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace pgweir::session {

struct ClientState;

/// The text in one line, without comments and with a question mark for each literal and each list
/// of literals: what nobody should see is not in it. At most `size_max` bytes and an ellipsis.
[[nodiscard]] std::string without_literals(std::string_view sql, std::size_t size_max);

/// Of the message that a transaction begins with, as glance_at_transaction() takes it. Empty: it
/// has no text.
[[nodiscard]] std::string text_of_class(
    const ClientState& client, Bytes input, std::size_t size_max
);

} // namespace pgweir::session
