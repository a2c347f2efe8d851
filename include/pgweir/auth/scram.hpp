// SCRAM-SHA-256 (RFC 5802, 7677) as PostgreSQL speaks it: both sides, as machines that are fed the
// peer's message and return the next one. After an error a machine is dead.
#pragma once

#include <pgweir/auth/crypto.hpp>
#include <pgweir/auth/key_cache.hpp>
#include <pgweir/auth/verifier.hpp>
#include <pgweir/base/error.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgweir::auth {

inline constexpr std::string_view scram_mechanism = "SCRAM-SHA-256";
inline constexpr std::string_view scram_plus_mechanism = "SCRAM-SHA-256-PLUS";
inline constexpr std::size_t scram_message_size_max = 1'024; // PostgreSQL's own limit
inline constexpr std::size_t scram_nonce_size_max = 512;     // both halves; PostgreSQL's has 48

/// What tls-server-end-point says about a connection (see certificate.hpp). Nothing: no TLS, or a
/// certificate that cannot be bound to.
using BindingData = std::optional<Buffer>;

/// A fresh nonce, as long as PostgreSQL's.
[[nodiscard]] std::string make_scram_nonce();

/// Our side towards a client. Offers -PLUS exactly when there is `binding`.
class ScramServer {
public:
    ScramServer(ScramVerifier verifier, std::string server_nonce, BindingData binding = {});

    /// What to offer in AuthenticationSASL, best first.
    [[nodiscard]] std::span<const std::string_view> mechanisms() const;

    /// Takes what came in SASLInitialResponse; returns the server-first-message.
    [[nodiscard]] Result<std::string> on_client_first(
        std::string_view mechanism, std::string_view message
    );

    /// Returns the server-final-message: the client has proved that it knows the password.
    /// Errc::wrong_password is the only error that an honest client can cause.
    [[nodiscard]] Result<std::string> on_client_final(std::string_view message);

    /// After success: all that is needed to log in elsewhere as this user, where the verifier is
    /// the same. The client never told us more than the proof.
    [[nodiscard]] const std::optional<ScramKeys>& recovered_keys() const { return keys_; }

private:
    enum class Step { client_first, client_final, done, dead };

    [[nodiscard]] ErrorCode check_binding_flag(std::string_view flag, bool is_plus) const;
    [[nodiscard]] ErrorCode read_first(std::string_view bare);
    [[nodiscard]] ErrorCode check_binding(std::string_view encoded) const;
    [[nodiscard]] Result<std::string> check_proof(
        const Digest& proof, std::string_view message_without_proof
    );

    ScramVerifier verifier_;
    std::string nonce_; // ours, later the client's and ours
    BindingData binding_;
    Step step_ = Step::client_first;
    bool is_bound_ = false;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::optional<ScramKeys> keys_;
};

/// libpq's channel_binding.
enum class ChannelBinding {
    disable,
    prefer,  // where TLS and the server can
    require, // or do not log in at all
};

struct ScramClientOptions {
    Secret secret; // a password, or keys that need no PBKDF2
    std::string nonce;
    std::vector<std::string> mechanisms; // what the server offers
    ChannelBinding channel_binding = ChannelBinding::prefer;
    BindingData binding;
    std::string user; // PostgreSQL takes the name of the startup message and ignores this one
};

/// Our side towards a server, which is not trusted: it must prove that it knows the password too.
class ScramClient {
public:
    struct First {
        std::string_view mechanism;
        std::string message;
    };

    /// `keys` must outlive the machine.
    ScramClient(ScramClientOptions options, KeyCache& keys);

    /// What to send in SASLInitialResponse, or why no offer suits us.
    [[nodiscard]] Result<First> first();

    /// Returns the client-final-message. Runs PBKDF2 unless `keys` remembers: not for a worker.
    [[nodiscard]] Result<std::string> on_server_first(std::string_view message);

    /// No error: the server has proved itself, and its AuthenticationOk may be believed.
    [[nodiscard]] ErrorCode on_server_final(std::string_view message);

private:
    enum class Step { first, server_first, server_final, done, dead };
    struct ServerFirst {
        std::string_view nonce;
        Buffer salt;
        std::uint32_t iterations;
    };

    [[nodiscard]] bool server_offers(std::string_view mechanism) const;
    [[nodiscard]] Result<ServerFirst> read_server_first(std::string_view message) const;
    [[nodiscard]] ScramKeys keys_for(const ServerFirst& server);

    ScramClientOptions options_;
    KeyCache& keys_;
    Step step_ = Step::first;
    bool is_bound_ = false;
    std::string gs2_header_;
    std::string client_first_bare_;
    Digest server_signature_{}; // what the server has to send in the end
};

} // namespace pgweir::auth
