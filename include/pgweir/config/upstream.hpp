// A connection string (libpq's URL or key=value form) to where PostgreSQL is, and back.
#pragma once

#include <pgweir/net/options.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgweir::config {

/// What surrounds a connection string.
struct UpstreamContext {
    net::TlsOptions tls;                            // what the string does not say: [server_tls]
    std::string directory;                          // of relative paths in it
    std::map<std::string, std::string> environment; // HOME, PGPASSFILE, PGSERVICEFILE, PGSYSCONFDIR
};

struct Notes {
    std::vector<std::string> problems; // neither contains secrets
    std::vector<std::string> warnings;
};

/// Nothing if there was a problem. A password that the string does not give is looked for in the
/// password file. No user means: the client's.
[[nodiscard]] std::optional<net::Upstream> parse_upstream(
    const std::string& text, const UpstreamContext& context, Notes& notes
);

/// For people to read: without the password.
[[nodiscard]] std::string format_upstream(const net::Upstream& upstream);

} // namespace pgweir::config
