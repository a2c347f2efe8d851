// The md5 method, both sides. Broken since long, and still what old clients and old roles need.
#pragma once

#include <pgweir/auth/verifier.hpp>
#include <pgweir/base/bytes.hpp>
#include <pgweir/base/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pgweir::auth {

/// The random bytes of AuthenticationMD5Password.
using Md5Salt = std::span<const std::byte, 4>;

/// What is stored of a password: md5(password + user).
[[nodiscard]] Result<Md5Verifier> make_md5_verifier(
    std::string_view password, std::string_view user
);

/// The answer to a challenge, "md5" and 32 digits. A SCRAM verifier cannot answer one: the result
/// is Errc::unsupported_mechanism.
[[nodiscard]] Result<std::string> md5_response(
    const Verifier& secret, std::string_view user, Md5Salt salt
);

/// No error: `response` is right.
[[nodiscard]] ErrorCode check_md5_response(
    const Verifier& secret, std::string_view user, Md5Salt salt, std::string_view response
);

} // namespace pgweir::auth
