// The configuration in use, which a reload replaces while others read it.
#pragma once

#include <pgweir/admin/command.hpp>
#include <pgweir/config/settings.hpp>
#include <pgweir/net/directory.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::app {

class LiveSettings final : public net::Directory {
public:
    explicit LiveSettings(config::Settings settings)
        : settings_{std::make_shared<const config::Settings>(std::move(settings))}
    {
    }

    [[nodiscard]] std::shared_ptr<const config::Settings> get() const
    {
        const std::scoped_lock lock{mutex_};
        return settings_;
    }

    void replace(config::Settings settings)
    {
        auto fresh = std::make_shared<const config::Settings>(std::move(settings));
        const std::scoped_lock lock{mutex_};
        settings_ = std::move(fresh);
    }

    [[nodiscard]] std::optional<net::Upstream> find_upstream(std::string_view database
    ) const override
    {
        return get()->find_upstream(database);
    }
    [[nodiscard]] std::optional<auth::User> find_user(
        std::string_view user, std::string_view database
    ) const override
    {
        return get()->find_user(user, database);
    }
    [[nodiscard]] std::optional<net::RoleSource> find_role_source(std::string_view database
    ) const override
    {
        return get()->find_role_source(database);
    }
    [[nodiscard]] pool::Options pool_options(std::string_view database, std::string_view user)
        const override
    {
        return get()->pool_options(database, user);
    }
    [[nodiscard]] auth::Method auth_method() const override { return get()->auth_method; }
    [[nodiscard]] bool may_use_console(std::string_view user) const override
    {
        return console_access(user) != admin::Access::none;
    }

    /// Without admin_users it is the upstream's own user, who could do anything there anyway.
    [[nodiscard]] admin::Access console_access(std::string_view user) const
    {
        const auto settings = get();
        const auto has = [user](const std::vector<std::string>& names) {
            return std::ranges::find(names, user) != names.end();
        };
        if (has(settings->admin_users)) return admin::Access::admin;
        const bool is_owner = settings->admin_users.empty() && settings->upstream
                              && settings->upstream->user == user;
        if (is_owner) return admin::Access::admin;
        return has(settings->stats_users) ? admin::Access::stats : admin::Access::none;
    }

private:
    mutable std::mutex mutex_; // guards settings_
    std::shared_ptr<const config::Settings> settings_;
};

} // namespace pgweir::app
