#include "integration/support/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace pgweir::test {

namespace {

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* object) const
    {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Freer<X509_CRL_free>>;
using Time = std::unique_ptr<ASN1_TIME, Freer<ASN1_TIME_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using File = std::unique_ptr<BIO, Freer<BIO_free_all>>;

struct Wish {
    std::string name;           // the common name
    std::string alternatives{}; // subjectAltName; empty: none
    bool signs_others = false;  // a CA
    bool expired = false;
};

struct Signed {
    Key key;
    Certificate certificate;
};

void require(bool ok, const char* what)
{
    if (!ok) throw std::runtime_error{std::string{"libcrypto: "} + what};
}

void add_extension(X509* certificate, int kind, const std::string& value)
{
    const Extension extension{X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())};
    require(extension != nullptr, value.c_str());
    require(X509_add_ext(certificate, extension.get(), -1) == 1, "X509_add_ext");
}

void set_validity(X509* certificate, bool expired)
{
    constexpr long day = 24L * 60 * 60;
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * day);
    X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -day : 2 * day);
}

// `issuer` empty: the certificate signs itself.
Signed make(const Wish& wish, const Signed* issuer)
{
    static long serial = 1;
    Signed made{
        .key = Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")},
        .certificate = Certificate{X509_new()}
    };
    X509* certificate = made.certificate.get();
    require(made.key != nullptr && certificate != nullptr, "new");

    constexpr long version_3 = 2;
    X509_set_version(certificate, version_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    set_validity(certificate, wish.expired);
    X509_set_pubkey(certificate, made.key.get());

    const std::basic_string<unsigned char> name{wish.name.begin(), wish.name.end()};
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name.c_str(), -1, -1, 0);
    const X509* parent = issuer == nullptr ? certificate : issuer->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(parent));

    if (wish.signs_others) add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (!wish.alternatives.empty()) {
        add_extension(certificate, NID_subject_alt_name, wish.alternatives);
    }
    EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
    require(X509_sign(certificate, signer, EVP_sha256()) > 0, "X509_sign");
    return made;
}

Identity save(const Signed& made, const std::filesystem::path& directory, const std::string& name)
{
    Identity identity{directory / (name + ".crt"), directory / (name + ".key")};
    const File cert{BIO_new_file(identity.cert_file.c_str(), "w")};
    const File key{BIO_new_file(identity.key_file.c_str(), "w")};
    require(cert != nullptr && key != nullptr, "cannot write certificates");
    require(PEM_write_bio_X509(cert.get(), made.certificate.get()) == 1, "write certificate");
    require(
        PEM_write_bio_PrivateKey(key.get(), made.key.get(), nullptr, nullptr, 0, nullptr, nullptr)
            == 1,
        "write key"
    );
    using std::filesystem::perms;
    // libpq and PostgreSQL both refuse a key that others could read.
    std::filesystem::permissions(identity.key_file, perms::owner_read | perms::owner_write);
    return identity;
}

// The list of an authority, with one entry.
std::filesystem::path revoke(
    const Signed& revoked, const Signed& authority, const std::filesystem::path& file
)
{
    constexpr long day = 24L * 60 * 60;
    const Time yesterday{X509_gmtime_adj(nullptr, -day)};
    const Time tomorrow{X509_gmtime_adj(nullptr, day)};
    const RevocationList list{X509_CRL_new()};
    X509_REVOKED* const entry = X509_REVOKED_new();
    require(list != nullptr && entry != nullptr && yesterday && tomorrow, "new");
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked.certificate.get()));
    X509_REVOKED_set_revocationDate(entry, yesterday.get());
    require(X509_CRL_add0_revoked(list.get(), entry) == 1, "X509_CRL_add0_revoked");

    constexpr long version_2 = 1;
    X509_CRL_set_version(list.get(), version_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(authority.certificate.get()));
    X509_CRL_set1_lastUpdate(list.get(), yesterday.get());
    X509_CRL_set1_nextUpdate(list.get(), tomorrow.get());
    X509_CRL_sort(list.get());
    require(X509_CRL_sign(list.get(), authority.key.get(), EVP_sha256()) > 0, "X509_CRL_sign");
    const File out{BIO_new_file(file.c_str(), "w")};
    require(out && PEM_write_bio_X509_CRL(out.get(), list.get()) == 1, "write revocation list");
    return file;
}

} // namespace

Certificates::Certificates(const std::filesystem::path& directory)
{
    const Signed authority = make({.name = "pgweir test CA", .signs_others = true}, nullptr);
    const Signed stranger = make({.name = "another CA", .signs_others = true}, nullptr);
    authority_ = save(authority, directory, "authority");
    stranger_ = save(stranger, directory, "stranger");

    const Wish server{.name = "localhost", .alternatives = "DNS:localhost,IP:127.0.0.1,IP:::1"};
    const Signed signed_server = make(server, &authority);
    server_ = save(signed_server, directory, "server");
    revoked_servers_ = revoke(signed_server, authority, directory / "revoked_servers.crl");

    const Wish client{.name = "app_cert"};
    client_ = save(make(client, &authority), directory, "client");
    const Signed revoked = make(client, &authority);
    revoked_client_ = save(revoked, directory, "revoked_client");
    revoked_clients_ = revoke(revoked, authority, directory / "revoked_clients.crl");
    strange_client_ = save(make(client, &stranger), directory, "strange_client");
    const Wish expired{.name = "app_cert", .expired = true};
    expired_client_ = save(make(expired, &authority), directory, "expired_client");
}

std::string client_certificate(const Identity& identity)
{
    return "sslcert=" + identity.cert_file.string() + " sslkey=" + identity.key_file.string();
}

} // namespace pgweir::test
