#include <pgweir/auth/certificate.hpp>

#include <pgweir/auth/crypto.hpp>
#include <pgweir/auth/error.hpp>

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

using namespace pgweir;

namespace {

template <auto Deleter>
struct Freed {
    template <class T>
    void operator()(T* pointer) const
    {
        Deleter(pointer);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

Certificate make_unsigned(EVP_PKEY& key)
{
    Certificate certificate{X509_new()};
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
    X509_set_pubkey(certificate.get(), &key);
    return certificate;
}

Certificate make_signed(EVP_PKEY& key, const EVP_MD* digest)
{
    auto certificate = make_unsigned(key);
    REQUIRE(X509_sign(certificate.get(), &key, digest) > 0);
    return certificate;
}

Buffer hash(const X509& certificate, const char* digest)
{
    unsigned char* der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    REQUIRE(size > 0);
    const std::unique_ptr<unsigned char, Freed<[](void* p) { OPENSSL_free(p); }>> owner{der};

    Buffer out(EVP_MAX_MD_SIZE);
    std::size_t out_size = 0;
    auto* const to = reinterpret_cast<unsigned char*>(out.data());
    const auto length = static_cast<std::size_t>(size);
    REQUIRE(EVP_Q_digest(nullptr, digest, nullptr, der, length, to, &out_size) == 1);
    out.resize(out_size);
    return out;
}

Key make_ec_key() { return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")}; }

} // namespace

TEST_CASE("auth/certificate: it is hashed with the hash of its signature")
{
    const auto key = make_ec_key();

    const auto sha256 = make_signed(*key, EVP_sha256());
    CHECK(auth::tls_server_end_point(*sha256).value() == hash(*sha256, "SHA256"));
    const auto sha384 = make_signed(*key, EVP_sha384());
    CHECK(auth::tls_server_end_point(*sha384).value() == hash(*sha384, "SHA384"));
    const auto sha512 = make_signed(*key, EVP_sha512());
    CHECK(auth::tls_server_end_point(*sha512).value() == hash(*sha512, "SHA512"));
}

TEST_CASE("auth/certificate: hashes that are broken give way to SHA-256 (RFC 5929)")
{
    const Key key{EVP_RSA_gen(2'048)};

    const auto sha1 = make_signed(*key, EVP_sha1());
    CHECK(auth::tls_server_end_point(*sha1).value() == hash(*sha1, "SHA256"));
    const auto md5 = make_signed(*key, EVP_md5());
    CHECK(auth::tls_server_end_point(*md5).value() == hash(*md5, "SHA256"));
}

TEST_CASE("auth/certificate: RSA-PSS keeps its hash in the parameters, where it is found")
{
    const Key key{EVP_RSA_gen(2'048)};
    const auto certificate = make_unsigned(*key);
    const DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* parameters = nullptr; // owned by `context`
    REQUIRE(EVP_DigestSignInit(context.get(), &parameters, EVP_sha384(), nullptr, key.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    REQUIRE(X509_sign_ctx(certificate.get(), context.get()) > 0);

    CHECK(auth::tls_server_end_point(*certificate).value() == hash(*certificate, "SHA384"));
}

TEST_CASE("auth/certificate: Ed25519 has no hash to bind with, and leaves no error for TLS to find")
{
    const Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
    const auto certificate = make_signed(*key, nullptr);

    const auto result = auth::tls_server_end_point(*certificate);
    CHECK(result.error() == auth::Errc::certificate_without_digest);
    CHECK(ERR_peek_error() == 0);
}
