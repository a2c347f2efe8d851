// Who may log in, and where databases are: what the front door asks the configuration.
#pragma once

#include <pgweir/auth/options.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/pool/options.hpp>

#include <optional>
#include <string_view>

namespace pgweir::net {

/// Answers may change from one question to the next: the configuration can be loaded again.
class Directory {
public:
    Directory() = default;
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    virtual ~Directory() = default;

    [[nodiscard]] virtual std::optional<Upstream> find_upstream(std::string_view database
    ) const = 0;
    [[nodiscard]] virtual std::optional<auth::User> find_user(
        std::string_view user, std::string_view database
    ) const = 0;
    /// Whom to ask about those whose password it does not know. Nothing: nobody.
    [[nodiscard]] virtual std::optional<RoleSource> find_role_source(std::string_view /*database*/
    ) const
    {
        return std::nullopt;
    }
    [[nodiscard]] virtual pool::Options pool_options(
        std::string_view database, std::string_view user
    ) const = 0;
    [[nodiscard]] virtual auth::Method auth_method() const = 0;
    [[nodiscard]] virtual bool may_use_console(std::string_view user) const = 0;
};

} // namespace pgweir::net
