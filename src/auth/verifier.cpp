#include <pgweir/auth/verifier.hpp>

#include <pgweir/auth/error.hpp>
#include <pgweir/base/assert.hpp>

#include <charconv>
#include <memory>
#include <optional>
#include <stringprep.h>

namespace pgweir::auth {

namespace {

constexpr std::string_view scram_prefix = "SCRAM-SHA-256$";
constexpr std::string_view md5_prefix = "md5";
constexpr std::size_t md5_hex_size = 32;

/// Cuts `text` up to `separator` off its front. Nothing: there is no separator.
std::optional<std::string_view> take_until(std::string_view& text, char separator)
{
    const auto end = text.find(separator);
    if (end == std::string_view::npos) return std::nullopt;

    const auto field = text.substr(0, end);
    text.remove_prefix(end + 1);
    return field;
}

Result<Verifier> parse_scram(std::string_view text)
{
    const auto iterations = take_until(text, ':');
    const auto salt_text = take_until(text, '$');
    const auto stored_key_text = take_until(text, ':');
    if (!iterations || !salt_text || !stored_key_text) return Errc::bad_verifier;

    ScramVerifier verifier;
    const auto* const end = iterations->data() + iterations->size();
    const auto parsed = std::from_chars(iterations->data(), end, verifier.iterations);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return Errc::bad_verifier;
    if (verifier.iterations < 1 || verifier.iterations > scram_iterations_max) {
        return Errc::bad_verifier;
    }

    auto salt = base64_decode(*salt_text);
    const auto stored_key = base64_decode_digest(*stored_key_text);
    const auto server_key = base64_decode_digest(text);
    if (!salt || salt->empty() || salt->size() > salt_size_max) return Errc::bad_verifier;
    if (!stored_key || !server_key) return Errc::bad_verifier;

    verifier.salt = *std::move(salt);
    verifier.stored_key = *stored_key;
    verifier.server_key = *server_key;
    return verifier;
}

bool is_md5(std::string_view stored)
{
    return stored.size() == md5_prefix.size() + md5_hex_size && stored.starts_with(md5_prefix)
           && stored.find_first_not_of("0123456789abcdef", md5_prefix.size()) == stored.npos;
}

// One secret, several purposes: the label keeps them from ever giving the same bytes.
Digest derive(const Digest& secret, std::string_view label, std::string_view user)
{
    std::string message{label};
    message += '\0';
    message += user;
    return hmac_sha256(secret, as_bytes(message));
}

} // namespace

Result<Verifier> parse_verifier(std::string_view stored)
{
    if (is_scram_verifier(stored)) return parse_scram(stored.substr(scram_prefix.size()));
    if (is_md5(stored)) return Md5Verifier{std::string{stored.substr(md5_prefix.size())}};

    // The protocol cannot carry a zero byte, and PostgreSQL lets nobody in with no password.
    const bool is_possible = !stored.empty() && stored.size() <= password_size_max
                             && stored.find('\0') == std::string_view::npos;
    if (!is_possible) return Errc::bad_verifier;
    return PlainPassword{std::string{stored}};
}

bool is_scram_verifier(std::string_view stored) { return stored.starts_with(scram_prefix); }

std::string to_string(const ScramVerifier& verifier)
{
    std::string text{scram_prefix};
    text += std::to_string(verifier.iterations);
    text += ':';
    text += base64_encode(verifier.salt);
    text += '$';
    text += base64_encode(verifier.stored_key);
    text += ':';
    text += base64_encode(verifier.server_key);
    return text;
}

ScramKeys derive_scram_keys(std::string_view password, Bytes salt, std::uint32_t iterations)
{
    PGWEIR_ASSERT(iterations >= 1 && iterations <= scram_iterations_max);

    const Digest salted = pbkdf2_sha256(saslprep(password), salt, iterations);
    const Digest client_key = hmac_sha256(salted, as_bytes("Client Key"));
    return {
        .client_key = client_key,
        .stored_key = sha256(client_key),
        .server_key = hmac_sha256(salted, as_bytes("Server Key")),
    };
}

ScramVerifier make_scram_verifier(std::string_view password, Bytes salt, std::uint32_t iterations)
{
    const ScramKeys keys = derive_scram_keys(password, salt, iterations);
    return {
        .iterations = iterations,
        .salt{salt.begin(), salt.end()},
        .stored_key = keys.stored_key,
        .server_key = keys.server_key,
    };
}

ScramVerifier make_mock_verifier(std::string_view user, const Digest& secret)
{
    return {
        .salt = derive_salt(user, secret),
        .stored_key = derive(secret, "mock stored key", user),
        .server_key = derive(secret, "mock server key", user),
        .is_mock = true,
    };
}

Buffer derive_salt(std::string_view user, const Digest& secret)
{
    const Digest digest = derive(secret, "salt", user);
    return {digest.begin(), digest.begin() + scram_salt_size};
}

std::string saslprep(std::string_view password)
{
    std::string unchanged{password};
    if (password.find('\0') != std::string_view::npos) return unchanged;

    // A password is a "stored string" of RFC 3454: code points that Unicode 3.2 had not assigned
    // are prohibited, not passed through.
    char* out = nullptr;
    const int error = stringprep_profile(
        unchanged.c_str(), &out, "SASLprep", STRINGPREP_NO_UNASSIGNED
    );
    const std::unique_ptr<char, decltype(&std::free)> owner{out, &std::free};
    if (error != STRINGPREP_OK || out == nullptr || *out == '\0') return unchanged;
    return out;
}

} // namespace pgweir::auth
