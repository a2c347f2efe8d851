// The configuration in use, which a reload replaces while others read it.
#pragma once

#include <pgweir/config/settings.hpp>
#include <pgweir/net/directory.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

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

    [[nodiscard]] std::optional<net::Upstream> find_upstream(std::string_view database) const override
    {
        return get()->find_upstream(database);
    }
    [[nodiscard]] std::optional<auth::User> find_user(
        std::string_view user, std::string_view database
    ) const override
    {
        return get()->find_user(user, database);
    }
    [[nodiscard]] pool::Options pool_options(
        std::string_view database, std::string_view user
    ) const override
    {
        return get()->pool_options(database, user);
    }
    [[nodiscard]] auth::Method auth_method() const override { return get()->auth_method; }

private:
    mutable std::mutex mutex_; // guards settings_
    std::shared_ptr<const config::Settings> settings_;
};

} // namespace pgweir::app
