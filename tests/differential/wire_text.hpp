// Messages as lines that a person can read.
#pragma once

#include "differential/session.hpp"

#include <string>
#include <vector>

namespace pgweir::differential {

/// What a client sent, one line for each message.
[[nodiscard]] std::vector<std::string> client_lines(Bytes bytes);

[[nodiscard]] std::string server_line(const Message& message);

/// Where two rows differ, "name: this, not that"; empty if it is nothing as simple as a value.
[[nodiscard]] std::string row_difference(
    const Message& columns, const Message& expected, const Message& got
);

/// For two messages that differ and read the same.
[[nodiscard]] std::string hexadecimal(std::string_view bytes);

} // namespace pgweir::differential
