// Reads and discards a server's messages on a plain socket, far faster than any pooler sends them.
// libpq would parse and copy every row, and then be what limits the measurement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bench {

struct Received {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
};

/// Sends a simple query. Throws std::runtime_error when the connection is lost.
void send_query(int socket, std::string_view query);

/// Reads until ReadyForQuery. Throws when the connection is lost or the server reports an error.
Received discard_replies(int socket);

} // namespace bench
