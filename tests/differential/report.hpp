// What is printed about a stream.
#pragma once

#include "differential/duel.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgweir::differential {

/// Everything that was sent, and PostgreSQL's replies, in order. `client`: only that one's.
[[nodiscard]] std::string conversation(
    const std::vector<Exchange>& history, std::optional<std::size_t> client = std::nullopt
);

/// The replies to the step that differed: PostgreSQL's with "-", pgweir's with "+".
[[nodiscard]] std::string difference(const Mismatch& mismatch, const Arena& arena);

/// The same in one line.
[[nodiscard]] std::string summary(const Mismatch& mismatch, const Step& step);

} // namespace pgweir::differential
