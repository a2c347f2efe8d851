// Addresses to listen at, as people write them.
#pragma once

#include <pgweir/net/options.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pgweir::config {

/// "127.0.0.1:6432", "[::1]:6432", "name:6432", "/run/pgweir" or "/run/pgweir:6433". Port 0 is
/// any that is free.
[[nodiscard]] std::optional<net::ListenAddress> parse_address(std::string_view text);
[[nodiscard]] std::string format_address(const net::ListenAddress& address);

} // namespace pgweir::config
