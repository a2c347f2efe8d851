// Everything that can go wrong while somebody proves who they are, on either side.
#pragma once

#include <pgweir/base/error.hpp>

#include <type_traits>

namespace pgweir::auth {

enum class Errc {
    wrong_password = 1,        // the password or its proof is wrong, or nobody has that name
    bad_verifier,              // a stored password claims to be SCRAM and is not
    malformed_message,         // the peer's message does not follow the protocol
    message_too_long,          // it is longer than any honest one
    unexpected_message,        // it was not the peer's turn
    unsupported_mechanism,     // the peer offers or chose something else than SCRAM-SHA-256
    unsupported_extension,     // the peer insists on an extension that we do not know
    unsupported_binding,       // the client binds to something else than our certificate
    binding_mismatch,          // the client saw another certificate than ours: a middleman
    binding_downgrade,         // the client was told that we cannot bind to TLS: a middleman
    binding_unavailable,       // channel binding is required, and the server or TLS lacks it
    nonce_mismatch,            // the peer's nonce does not contain ours
    iterations_out_of_range,   // the server asks for no work, or for far too much
    server_refused,            // the server answered with an error of SCRAM's own
    wrong_server_signature,    // the server does not know our password: it is not the server
    md5_unavailable,           // the crypto library of this machine forbids MD5
    certificate_without_digest // its signature algorithm has no hash, so nothing can bind to it
};
[[nodiscard]] ErrorCode make_error_code(Errc e) noexcept;

} // namespace pgweir::auth

template <>
struct boost::system::is_error_code_enum<pgweir::auth::Errc> : std::true_type {};
