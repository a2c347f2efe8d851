// tls-server-end-point (RFC 5929): what channel binding knows of a TLS connection.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/base/error.hpp>

#include <openssl/types.h>

#include <cstddef>
#include <vector>

namespace pgweir::auth {

/// The hash of the server's certificate, by the hash of its signature, never weaker than SHA-256.
/// A server passes its own certificate, a client the one it was shown.
[[nodiscard]] Result<Buffer> tls_server_end_point(const X509& certificate);

} // namespace pgweir::auth
