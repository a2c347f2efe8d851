#include <pgweir/net/tls.hpp>

#include <pgweir/auth/certificate.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <array>
#include <utility>

namespace pgweir::net {

namespace {

constexpr std::array<unsigned char, 11> alpn_postgresql{
    10,
    'p',
    'o',
    's',
    't',
    'g',
    'r',
    'e',
    's',
    'q',
    'l',
};

std::string openssl_error()
{
    const unsigned long code = ERR_peek_last_error();
    if (code == 0) return "unknown error";
    const char* const reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "error " + std::to_string(code);
}

int protocol_version(std::string_view name)
{
    if (name == "TLSv1") return TLS1_VERSION;
    if (name == "TLSv1.1") return TLS1_1_VERSION;
    if (name == "TLSv1.3") return TLS1_3_VERSION;
    return TLS1_2_VERSION;
}

// NOLINTNEXTLINE(readability-function-size): six parameters are what OpenSSL calls it with
int choose_alpn(
    SSL* /*ssl*/,
    const unsigned char** out,
    unsigned char* out_size,
    const unsigned char* offered,
    unsigned int offered_size,
    void* /*argument*/
)
{
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(
        &chosen, out_size, alpn_postgresql.data(), alpn_postgresql.size(), offered, offered_size
    );
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

std::string load_certificate(SSL_CTX* context, const TlsOptions& options)
{
    if (options.cert_file.empty()) return {};
    if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
        return "certificate file \"" + options.cert_file + "\": " + openssl_error();
    }
    if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        return "private key file \"" + options.key_file + "\": " + openssl_error();
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return "private key file \"" + options.key_file + "\" does not belong to certificate \""
               + options.cert_file + "\"";
    }
    return {};
}

std::string load_trust(SSL_CTX* context, const TlsOptions& options)
{
    if (options.ca_file == "system") {
        if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
        return "the machine's trust store: " + openssl_error();
    }
    if (!options.ca_file.empty()
        && SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
        return "certificate authority file \"" + options.ca_file + "\": " + openssl_error();
    }
    if (options.crl_file.empty()) return {};
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    if (X509_STORE_load_file(store, options.crl_file.c_str()) != 1) {
        return "revocation list file \"" + options.crl_file + "\": " + openssl_error();
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return {};
}

ContextResult make_context(const SSL_METHOD* method, const TlsOptions& options)
{
    ERR_clear_error();
    SslContext context{SSL_CTX_new(method), SSL_CTX_free};
    if (!context) return {nullptr, "TLS cannot be used: " + openssl_error()};
    SSL_CTX_set_min_proto_version(context.get(), protocol_version(options.protocol_min));
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    std::string problem = load_certificate(context.get(), options);
    if (problem.empty()) problem = load_trust(context.get(), options);
    if (!problem.empty()) return {nullptr, std::move(problem)};
    return {std::move(context), {}};
}

bool is_address(const std::string& host)
{
    std::array<unsigned char, sizeof(in6_addr)> address{};
    return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1
           || ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

} // namespace

ContextResult make_listening_context(const TlsOptions& options)
{
    ContextResult made = make_context(TLS_server_method(), options);
    if (!made.context) return made;
    SSL_CTX* const context = made.context.get();
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
    constexpr std::string_view session_context = "pgweir";
    SSL_CTX_set_session_id_context(
        context,
        reinterpret_cast<const unsigned char*>(session_context.data()),
        session_context.size()
    );
    const bool verifies = options.mode == TlsMode::verify_ca
                          || options.mode == TlsMode::verify_full;
    if (verifies) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.ca_file.c_str()));
    }
    return made;
}

// As libpq: with a file of authorities the certificate is checked in every mode that uses TLS
// for certain; "require" without one takes any.
ContextResult make_connecting_context(const TlsOptions& options)
{
    ContextResult made = make_context(TLS_client_method(), options);
    if (!made.context) return made;
    const bool verifies = options.mode >= TlsMode::verify_ca
                          || (options.mode == TlsMode::require && !options.ca_file.empty());
    SSL_CTX_set_verify(made.context.get(), verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    return made;
}

SslPointer make_ssl(const SslContext& context) { return SslPointer{SSL_new(context.get())}; }

SslPointer make_connecting_ssl(
    const SslContext& context, const TlsOptions& options, std::string_view host_view
)
{
    SslPointer ssl = make_ssl(context);
    const std::string host{host_view};
    const bool is_named = !host.empty() && !is_address(host);
    if (is_named) { // the macro for it has a cast of C's
        std::string name = host;
        SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }
    SSL_set_alpn_protos(ssl.get(), alpn_postgresql.data(), alpn_postgresql.size());
    if (options.mode == TlsMode::verify_full) {
        X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl.get());
        X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (is_named) {
            X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
        } else {
            X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
        }
    }
    return ssl;
}

std::string tls_problem(const Stream& stream)
{
    const long verified = stream.ssl() != nullptr ? SSL_get_verify_result(stream.ssl()) : X509_V_OK;
    if (verified != X509_V_OK) {
        return std::string{"certificate verify failed: "} + X509_verify_cert_error_string(verified);
    }
    return ERR_peek_last_error() != 0 ? openssl_error() : "the peer closed the connection";
}

auth::BindingData own_binding(const Stream& stream)
{
    if (!stream.is_tls()) return std::nullopt;
    const X509* const certificate = SSL_get_certificate(stream.ssl());
    if (certificate == nullptr) return std::nullopt;
    auto hash = auth::tls_server_end_point(*certificate);
    return hash ? auth::BindingData{std::move(*hash)} : std::nullopt;
}

auth::BindingData peer_binding(const Stream& stream)
{
    if (!stream.is_tls()) return std::nullopt;
    const X509* const certificate = SSL_get0_peer_certificate(stream.ssl());
    if (certificate == nullptr) return std::nullopt;
    auto hash = auth::tls_server_end_point(*certificate);
    return hash ? auth::BindingData{std::move(*hash)} : std::nullopt;
}

std::string peer_common_name(const Stream& stream)
{
    if (!stream.is_tls()) return {};
    const X509* const certificate = SSL_get0_peer_certificate(stream.ssl());
    if (certificate == nullptr) return {};
    std::array<char, 256> name{};
    const int size = X509_NAME_get_text_by_NID(
        X509_get_subject_name(certificate), NID_commonName, name.data(), name.size()
    );
    // A name with a zero byte in it tries to look like another one.
    const std::string text = size > 0 ? std::string{name.data()} : std::string{};
    return std::cmp_equal(text.size(), std::max(size, 0)) ? text : std::string{};
}

bool speaks_postgresql(const Stream& stream)
{
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(stream.ssl(), &protocol, &size);
    const std::string_view chosen{reinterpret_cast<const char*>(protocol), size};
    return chosen == "postgresql";
}

} // namespace pgweir::net
