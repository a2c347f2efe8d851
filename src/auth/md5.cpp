#include <pgweir/auth/md5.hpp>

#include <pgweir/auth/crypto.hpp>
#include <pgweir/auth/error.hpp>

namespace pgweir::auth {

namespace {

Result<std::string> stored_hex(const Verifier& secret, std::string_view user)
{
    if (const auto* md5 = std::get_if<Md5Verifier>(&secret)) return md5->hex;

    const auto* plain = std::get_if<PlainPassword>(&secret);
    if (plain == nullptr) return Errc::unsupported_mechanism;
    const auto made = make_md5_verifier(plain->text, user);
    if (!made) return made.error();
    return made->hex;
}

} // namespace

Result<Md5Verifier> make_md5_verifier(std::string_view password, std::string_view user)
{
    std::string text{password};
    text += user;
    auto hex = md5_hex(text);
    if (!hex) return hex.error();
    return Md5Verifier{*std::move(hex)};
}

Result<std::string> md5_response(const Verifier& secret, std::string_view user, Md5Salt salt)
{
    auto text = stored_hex(secret, user);
    if (!text) return text.error();
    for (const std::byte byte : salt) *text += std::to_integer<char>(byte);

    const auto hex = md5_hex(*text);
    if (!hex) return hex.error();
    return "md5" + *hex;
}

ErrorCode check_md5_response(
    const Verifier& secret, std::string_view user, Md5Salt salt, std::string_view response
)
{
    const auto expected = md5_response(secret, user, salt);
    if (!expected) return expected.error();

    const bool is_right = constant_time_equal(as_bytes(*expected), as_bytes(response));
    return is_right ? ErrorCode{} : Errc::wrong_password;
}

} // namespace pgweir::auth
