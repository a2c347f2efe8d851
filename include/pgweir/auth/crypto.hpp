// The few primitives that logging in needs, on top of libcrypto. SHA-256 and randomness do not
// fail here: a machine that has neither must not run a pooler.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/base/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::auth {

/// The result of SHA-256, and every key of SCRAM-SHA-256.
using Digest = std::array<std::byte, 32>;

[[nodiscard]] Digest sha256(Bytes data) noexcept;
[[nodiscard]] Digest hmac_sha256(Bytes key, Bytes data) noexcept;

/// SCRAM's Hi(): milliseconds of work on purpose. `iterations` is at least one.
[[nodiscard]] Digest pbkdf2_sha256(
    std::string_view password, Bytes salt, std::uint32_t iterations
) noexcept;

/// 32 lower-case hexadecimal digits. Fails where the machine's policy forbids MD5.
[[nodiscard]] Result<std::string> md5_hex(std::string_view data);

/// Unpredictable to everybody. Ends the process when the system has no randomness to give.
void random_bytes(std::span<std::byte> out) noexcept;

/// Takes as long for a near miss as for a far one. Only the sizes may show.
[[nodiscard]] bool constant_time_equal(Bytes a, Bytes b) noexcept;

[[nodiscard]] std::string base64_encode(Bytes data);

/// Exactly what base64_encode() writes, and nothing else: no white space, no missing padding, no
/// second spelling of the same bytes. So a message that was tampered with cannot mean the same.
[[nodiscard]] std::optional<Buffer> base64_decode(std::string_view text);

/// The same, where nothing but a digest makes sense.
[[nodiscard]] std::optional<Digest> base64_decode_digest(std::string_view text);

} // namespace pgweir::auth
