#include <pgweir/auth/error.hpp>
#include <pgweir/auth/scram.hpp>

#include "scram_message.hpp"

#include <algorithm>
#include <array>

namespace pgweir::auth {

namespace {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

} // namespace

Result<Attribute> AttributeReader::take_any()
{
    if (!rest_ || rest_->size() < 2) return Errc::malformed_message;

    const auto end = std::min(rest_->find(','), rest_->size());
    const auto text = rest_->substr(0, end);
    const bool is_attribute = text.size() >= 2 && is_letter(text[0]) && text[1] == '=';
    if (!is_attribute || text.find('\0') != text.npos) return Errc::malformed_message;
    if (text[0] == 'm') return Errc::unsupported_extension;

    if (end == rest_->size())
        rest_.reset();
    else
        rest_->remove_prefix(end + 1);
    return Attribute{text[0], text.substr(2)};
}

Result<std::string_view> AttributeReader::take(char name)
{
    const auto attribute = take_any();
    if (!attribute) return attribute.error();
    if (attribute->name != name) return Errc::malformed_message;
    return attribute->value;
}

ErrorCode AttributeReader::skip_rest()
{
    while (!is_done()) {
        const auto attribute = take_any();
        if (!attribute) return attribute.error();
    }
    return {};
}

std::string_view AttributeReader::taken() const
{
    if (!rest_) return message_;
    return message_.substr(0, message_.size() - rest_->size() - 1);
}

bool is_nonce(std::string_view text)
{
    const auto is_allowed = [](char c) { return c >= '!' && c <= '~' && c != ','; };
    return !text.empty() && text.size() <= scram_nonce_size_max
           && std::ranges::all_of(text, is_allowed);
}

Digest exclusive_or(const Digest& a, const Digest& b) noexcept
{
    Digest out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] ^ b[i];
    return out;
}

std::string auth_message(
    std::string_view client_first_bare, std::string_view server_first, std::string_view client_final
)
{
    std::string message{client_first_bare};
    message += ',';
    message += server_first;
    message += ',';
    message += client_final;
    return message;
}

std::string make_scram_nonce()
{
    std::array<std::byte, 18> bytes{}; // a multiple of three needs no padding
    random_bytes(bytes);
    return base64_encode(bytes);
}

} // namespace pgweir::auth
