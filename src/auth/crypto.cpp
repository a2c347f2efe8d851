#include <pgweir/auth/crypto.hpp>

#include <pgweir/auth/error.hpp>
#include <pgweir/base/assert.hpp>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <climits>

namespace pgweir::auth {

namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xFF;

constexpr auto base64_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
        values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

template <class Container>
unsigned char* raw(Container& bytes) noexcept
{
    return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* raw(Bytes bytes) noexcept
{
    // An empty span may be null, which libcrypto takes for "the key of last time".
    return bytes.empty() ? reinterpret_cast<const unsigned char*>("")
                         : reinterpret_cast<const unsigned char*>(bytes.data());
}

} // namespace

Digest sha256(Bytes data) noexcept
{
    Digest out;
    const int done = EVP_Q_digest(
        nullptr, "SHA256", nullptr, raw(data), data.size(), raw(out), nullptr
    );
    PGWEIR_ASSERT(done == 1);
    return out;
}

Digest hmac_sha256(Bytes key, Bytes data) noexcept
{
    Digest out;
    const unsigned char* done = EVP_Q_mac(
        nullptr,
        "HMAC",
        nullptr,
        "SHA256",
        nullptr,
        raw(key),
        key.size(),
        raw(data),
        data.size(),
        raw(out),
        out.size(),
        nullptr
    );
    PGWEIR_ASSERT(done != nullptr);
    return out;
}

Digest pbkdf2_sha256(std::string_view password, Bytes salt, std::uint32_t iterations) noexcept
{
    PGWEIR_ASSERT(iterations >= 1 && iterations <= INT_MAX);
    PGWEIR_ASSERT(password.size() <= INT_MAX && salt.size() <= INT_MAX);

    Digest out;
    const int done = PKCS5_PBKDF2_HMAC(
        password.data(),
        static_cast<int>(password.size()),
        raw(salt),
        static_cast<int>(salt.size()),
        static_cast<int>(iterations),
        EVP_sha256(),
        static_cast<int>(out.size()),
        raw(out)
    );
    PGWEIR_ASSERT(done == 1);
    return out;
}

Result<std::string> md5_hex(std::string_view data)
{
    constexpr std::string_view digits = "0123456789abcdef";
    // Where a FIPS provider is the default, another one may still have it: this is no signature.
    constexpr const char* any_provider = "-fips";

    std::array<unsigned char, 16> digest{};
    const int done = EVP_Q_digest(
        nullptr, "MD5", any_provider, data.data(), data.size(), raw(digest), nullptr
    );
    if (done != 1) {
        ERR_clear_error(); // or this thread's next TLS call reports it as its own
        return Errc::md5_unavailable;
    }

    std::string hex;
    for (const unsigned byte : digest) {
        hex += digits[byte >> 4U];
        hex += digits[byte & 0x0FU];
    }
    return hex;
}

void random_bytes(std::span<std::byte> out) noexcept
{
    PGWEIR_ASSERT(out.size() <= INT_MAX);
    const int done = RAND_bytes(raw(out), static_cast<int>(out.size()));
    PGWEIR_ASSERT(done == 1);
}

bool constant_time_equal(Bytes a, Bytes b) noexcept
{
    return a.size() == b.size() && CRYPTO_memcmp(raw(a), raw(b), a.size()) == 0;
}

std::string base64_encode(Bytes data)
{
    PGWEIR_ASSERT(data.size() <= INT_MAX / 2);

    std::string text((data.size() + 2) / 3 * 4, '\0');
    EVP_EncodeBlock(raw(text), raw(data), static_cast<int>(data.size()));
    return text;
}

// libcrypto's decoder skips white space and forgives padding, so it cannot be used here.
std::optional<Buffer> base64_decode(std::string_view text)
{
    if (text.size() % 4 != 0) return std::nullopt;
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);

    Buffer out;
    out.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0; // bits not yet written, in the low end
    unsigned pending_count = 0;
    for (const char c : text) {
        const std::uint8_t value = base64_values[static_cast<unsigned char>(c)];
        if (value == no_digit) return std::nullopt;

        pending = pending << 6U | value;
        pending_count += 6;
        if (pending_count < 8) continue;
        pending_count -= 8;
        out.push_back(static_cast<std::byte>(pending >> pending_count & 0xFFU));
        pending &= (1U << pending_count) - 1;
    }
    if (pending != 0) return std::nullopt; // bits that no byte has: a second spelling
    return out;
}

std::optional<Digest> base64_decode_digest(std::string_view text)
{
    Digest digest;
    const auto bytes = base64_decode(text);
    if (!bytes || bytes->size() != digest.size()) return std::nullopt;

    std::ranges::copy(*bytes, digest.begin());
    return digest;
}

} // namespace pgweir::auth
