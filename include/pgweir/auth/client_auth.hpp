// Decides how a client must prove who it is, and judges the answer. An unknown user meets the same
// questions, the same work and the same refusal as a wrong password.
#pragma once

#include <pgweir/auth/crypto.hpp>
#include <pgweir/auth/key_cache.hpp>
#include <pgweir/auth/md5.hpp>
#include <pgweir/auth/options.hpp>
#include <pgweir/auth/verifier.hpp>
#include <pgweir/base/error.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace pgweir::auth {

/// What the client is sent after its startup message.
enum class Challenge {
    none,      // AuthenticationOk at once
    cleartext, // AuthenticationCleartextPassword, then check_password()
    md5,       // AuthenticationMD5Password, then check_md5()
    scram,     // AuthenticationSASL, then ScramServer{*scram_verifier(), ...}
};

/// How one client has to log in.
struct LoginPlan {
    Challenge challenge = Challenge::scram;
    std::string user;
    bool is_known = false;            // matters for Challenge::none alone: nobody else is told
    std::optional<Verifier> verifier; // nothing: every answer is wrong
    bool reveals_keys = false;        // SCRAM with a stored verifier, which others may have, too

    /// Challenge::scram has one, of a user or of nobody. Null with every other challenge.
    [[nodiscard]] const ScramVerifier* scram_verifier() const;

    /// No error: the client knows the password. Wrong ones, all of them, cost a PBKDF2.
    [[nodiscard]] ErrorCode check_password(std::string_view password) const;

    /// The same for the answer to AuthenticationMD5Password.
    [[nodiscard]] ErrorCode check_md5(Md5Salt salt, std::string_view response) const;
};

/// One a process. May be used from any thread.
class ClientAuth {
public:
    /// `secret` is random, and kept for the life of the process, so that the salts that it makes
    /// stay what they were. `keys` must outlive this; it should hold all users with a plain
    /// password, for whom SCRAM is computed at their first login.
    ClientAuth(const Digest& secret, KeyCache& keys) : secret_{secret}, keys_{keys} {}

    /// `name` is what the client calls itself, `user` whom we know by that name. `is_of_database`:
    /// it was looked for in PostgreSQL, where nobody's password is a SCRAM verifier, too.
    [[nodiscard]] LoginPlan plan_login(
        Method method,
        std::string_view name,
        const std::optional<User>& user,
        bool is_of_database = false
    ) const;

private:
    [[nodiscard]] ScramVerifier scram_verifier(
        std::string_view name, const std::optional<Verifier>& stored
    ) const;

    Digest secret_;
    KeyCache& keys_;
};

} // namespace pgweir::auth
