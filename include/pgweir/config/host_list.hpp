// The lists of a connection string that say where PostgreSQL may be, put together as libpq does it.
#pragma once

#include <pgweir/net/options.hpp>

#include <string>
#include <vector>

namespace pgweir::config {

inline constexpr const char* default_host = "/var/run/postgresql"; // Debian's libpq looks there

/// As they were written, each with commas between its parts.
struct HostLists {
    std::string host;
    std::string hostaddr;
    std::string port;
};

/// One place for each part. What is wrong is added to `problems`.
[[nodiscard]] std::vector<net::HostPort> read_host_lists(
    const HostLists& lists, std::vector<std::string>& problems
);

} // namespace pgweir::config
