// TLS contexts, from files to something that makes connections. Every problem names its file.
#pragma once

#include <pgweir/auth/scram.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/net/stream.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace pgweir::net {

using SslContext = std::shared_ptr<SSL_CTX>;

/// A context, or a sentence that says what is wrong with which file.
struct ContextResult {
    SslContext context;
    std::string problem;
};

/// Towards clients: we are the TLS server. ALPN "postgresql" as PostgreSQL 17 has it.
[[nodiscard]] ContextResult make_listening_context(const TlsOptions& options);

/// Towards PostgreSQL: we are the TLS client.
[[nodiscard]] ContextResult make_connecting_context(const TlsOptions& options);

[[nodiscard]] SslPointer make_ssl(const SslContext& context);

/// For one connection towards PostgreSQL: server name (SNI), and for verify_full whom the
/// certificate must name.
[[nodiscard]] SslPointer make_connecting_ssl(
    const SslContext& context, const TlsOptions& options, std::string_view host
);

/// Why the last TLS operation of this thread failed, and what the certificate check says.
[[nodiscard]] std::string tls_problem(const Stream& stream);

/// Channel binding of an established connection: of our certificate, or of the one we were shown.
[[nodiscard]] auth::BindingData own_binding(const Stream& stream);
[[nodiscard]] auth::BindingData peer_binding(const Stream& stream);

/// The common name in the certificate that a client has shown. Empty: none.
[[nodiscard]] std::string peer_common_name(const Stream& stream);

/// Whether ALPN has settled on "postgresql": must be so where TLS comes without an SSLRequest.
[[nodiscard]] bool speaks_postgresql(const Stream& stream);

} // namespace pgweir::net
