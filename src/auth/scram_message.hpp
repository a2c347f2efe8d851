// The syntax that both sides of SCRAM share: attributes, nonces, and the message that is signed.
#pragma once

#include <pgweir/auth/crypto.hpp>
#include <pgweir/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::auth {

inline constexpr std::string_view binding_type = "tls-server-end-point";

struct Attribute {
    char name;
    std::string_view value;
};

/// Walks over "n=user,r=nonce": strictly, no empty attributes and no comma at the end.
class AttributeReader {
public:
    /// `message` must outlive the reader and every value that it returned.
    explicit AttributeReader(std::string_view message) : rest_{message}, message_{message} {}

    /// The next attribute, whatever it is called. Fails at "m=", which says that whoever does not
    /// understand it must not go on; we never do.
    [[nodiscard]] Result<Attribute> take_any();

    /// The value of the next attribute, which must be called `name`.
    [[nodiscard]] Result<std::string_view> take(char name);

    /// Skips what later versions may have added. Fails where that is not made of attributes.
    [[nodiscard]] ErrorCode skip_rest();

    [[nodiscard]] bool is_done() const { return !rest_; }

    /// All that has been taken, without the comma behind it.
    [[nodiscard]] std::string_view taken() const;

private:
    std::optional<std::string_view> rest_; // nothing: the last attribute was taken
    std::string_view message_;
};

/// Printable ASCII without commas, of a bearable length.
[[nodiscard]] bool is_nonce(std::string_view text);

[[nodiscard]] Digest exclusive_or(const Digest& a, const Digest& b) noexcept;

/// What both sides sign: it ties the proof to everything that was said before.
[[nodiscard]] std::string auth_message(
    std::string_view client_first_bare, std::string_view server_first, std::string_view client_final
);

} // namespace pgweir::auth
