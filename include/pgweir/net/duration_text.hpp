// Durations as an operator writes them.
#pragma once

#include <pgweir/base/clock.hpp>

#include <string>

namespace pgweir::net {

[[nodiscard]] inline std::string duration_text(Duration duration)
{
    using std::chrono::duration_cast;
    const auto milliseconds = duration_cast<std::chrono::milliseconds>(duration).count();
    if (milliseconds % 1'000 != 0) return std::to_string(milliseconds) + "ms";
    return std::to_string(milliseconds / 1'000) + "s";
}

} // namespace pgweir::net
