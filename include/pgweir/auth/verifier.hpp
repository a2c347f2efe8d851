// What is stored about a password: pg_authid's three forms, read, checked and written.
#pragma once

#include <pgweir/auth/crypto.hpp>
#include <pgweir/base/bytes.hpp>
#include <pgweir/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgweir::auth {

inline constexpr std::size_t password_size_max = 8'192; // tokens of cloud identities are long
inline constexpr std::size_t salt_size_max = 256;       // PostgreSQL makes 16
inline constexpr std::size_t scram_salt_size = 16;
inline constexpr std::uint32_t scram_iterations = 4'096; // PostgreSQL's default

/// Whoever names the count makes the other side work: a million is some 0.4 s of one core, and
/// already beyond what anybody recommends. Ten seconds would be an attack.
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;

/// What a password becomes. client_key logs in, stored_key checks it, server_key answers it.
struct ScramKeys {
    Digest client_key;
    Digest stored_key;
    Digest server_key;

    friend bool operator==(const ScramKeys&, const ScramKeys&) = default;
};

/// What logs in: a password (or "md5…", where that is asked for), or what a client's proof
/// revealed.
using Secret = std::variant<std::string, ScramKeys>;

struct PlainPassword {
    std::string text; // never empty

    friend bool operator==(const PlainPassword&, const PlainPassword&) = default;
};

struct Md5Verifier {
    std::string hex; // md5(password + user name), 32 digits, without the "md5" in front

    friend bool operator==(const Md5Verifier&, const Md5Verifier&) = default;
};

struct ScramVerifier {
    std::uint32_t iterations = scram_iterations;
    Buffer salt;
    Digest stored_key{};
    Digest server_key{};
    bool is_mock = false; // of nobody: no proof is ever right

    friend bool operator==(const ScramVerifier&, const ScramVerifier&) = default;
};

using Verifier = std::variant<PlainPassword, Md5Verifier, ScramVerifier>;

/// Tells the forms apart as PostgreSQL does, with one difference: a text that starts like a SCRAM
/// verifier and is none is an error, and not somebody's odd password.
[[nodiscard]] Result<Verifier> parse_verifier(std::string_view stored);

/// It looks like one, right or wrong.
[[nodiscard]] bool is_scram_verifier(std::string_view stored);

/// As in pg_authid: "SCRAM-SHA-256$4096:salt$StoredKey:ServerKey".
[[nodiscard]] std::string to_string(const ScramVerifier& verifier);

/// One PBKDF2: see KeyCache. `iterations` is from 1 to scram_iterations_max.
[[nodiscard]] ScramKeys derive_scram_keys(
    std::string_view password, Bytes salt, std::uint32_t iterations
);

[[nodiscard]] ScramVerifier make_scram_verifier(
    std::string_view password, Bytes salt, std::uint32_t iterations = scram_iterations
);

/// A verifier for a name that nobody has. The same name and secret give the same salt, as if the
/// user existed; the secret is the process's own, so nobody outside can tell the salt is made up.
[[nodiscard]] ScramVerifier make_mock_verifier(std::string_view user, const Digest& secret);

/// The salt that `secret` gives to a user: of mocks, and of passwords that we hash ourselves.
[[nodiscard]] Buffer derive_salt(std::string_view user, const Digest& secret);

/// One spelling for passwords that look alike (RFC 4013). Returns the bytes as they are where
/// SASLprep has nothing to say: not UTF-8, or prohibited. PostgreSQL does the same.
[[nodiscard]] std::string saslprep(std::string_view password);

} // namespace pgweir::auth
