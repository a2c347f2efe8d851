// Finds the name that somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pgweir::config {

/// The candidate that differs least, empty if none is near enough to be a slip of the fingers.
[[nodiscard]] std::string closest(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean X?", or nothing.
[[nodiscard]] std::string did_you_mean(
    std::string_view word, std::span<const std::string> candidates
);

} // namespace pgweir::config
