// Certificates for one run: an authority, what it signed, and the bad ones that must be refused.
#pragma once

#include <filesystem>
#include <string>

namespace pgweir::test {

/// A certificate and its key, both PEM files.
struct Identity {
    std::filesystem::path cert_file;
    std::filesystem::path key_file;
};

/// Elliptic curve keys: an RSA key would cost more than the rest of a test together.
class Certificates {
public:
    /// Writes everything into the directory, which must outlive this.
    explicit Certificates(const std::filesystem::path& directory);

    [[nodiscard]] const std::filesystem::path& authority() const { return authority_.cert_file; }
    [[nodiscard]] const std::filesystem::path& stranger() const { return stranger_.cert_file; }

    /// For localhost, 127.0.0.1 and ::1, but not for 127.0.0.2.
    [[nodiscard]] const Identity& server() const { return server_; }
    /// Names the user app_cert, signed by the authority.
    [[nodiscard]] const Identity& client() const { return client_; }
    /// Names the user app_cert, but its time is over.
    [[nodiscard]] const Identity& expired_client() const { return expired_client_; }
    /// Names the user app_cert, but its authority has revoked it.
    [[nodiscard]] const Identity& revoked_client() const { return revoked_client_; }
    /// The authority's list that has revoked_client(), and the one that has server().
    [[nodiscard]] const std::filesystem::path& revoked_clients() const { return revoked_clients_; }
    [[nodiscard]] const std::filesystem::path& revoked_servers() const { return revoked_servers_; }
    /// Names the user app_cert, signed by an authority that nobody here trusts.
    [[nodiscard]] const Identity& strange_client() const { return strange_client_; }

private:
    Identity authority_;
    Identity stranger_;
    Identity server_;
    Identity client_;
    Identity expired_client_;
    Identity revoked_client_;
    Identity strange_client_;
    std::filesystem::path revoked_clients_;
    std::filesystem::path revoked_servers_;
};

/// What libpq and pgweir want to know, as connection string parameters.
[[nodiscard]] std::string client_certificate(const Identity& identity);

} // namespace pgweir::test
