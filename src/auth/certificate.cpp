#include <pgweir/auth/certificate.hpp>

#include <pgweir/auth/error.hpp>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <span>

namespace pgweir::auth {

Result<Buffer> tls_server_end_point(const X509& certificate)
{
    // Looks into the parameters of RSA-PSS too, whose algorithm alone does not name its hash.
    int digest_id = NID_undef;
    auto* const unconst = const_cast<X509*>(&certificate); // OpenSSL caches what it has parsed
    const int known = X509_get_signature_info(unconst, &digest_id, nullptr, nullptr, nullptr);
    if (known != 1 || digest_id == NID_undef) { // Ed25519: RFC 5929 says "undefined"
        ERR_clear_error();
        return Errc::certificate_without_digest;
    }
    if (digest_id == NID_md5 || digest_id == NID_sha1) digest_id = NID_sha256; // RFC 5929, 4.1

    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    const EVP_MD* const digest = EVP_get_digestbynid(digest_id);
    if (digest == nullptr || X509_digest(&certificate, digest, hash.data(), &size) != 1) {
        ERR_clear_error();
        return Errc::certificate_without_digest;
    }

    const auto bytes = std::as_bytes(std::span{hash}.first(size));
    return Buffer{bytes.begin(), bytes.end()};
}

} // namespace pgweir::auth
