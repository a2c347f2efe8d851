// Durations and sizes as people write them.
#pragma once

#include <pgweir/base/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::config {

/// "500ms", "5s", "1min", "1h", "7d", or "0". More than a human life is clamped to that.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration duration);

/// "16MiB", "64KiB", "1GiB", or a number of bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t size);

} // namespace pgweir::config
