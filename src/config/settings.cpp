#include <pgweir/config/settings.hpp>

#include <pgweir/config/rows.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::config {

bool is_console(std::string_view database)
{
    return database == "pgweir" || database == "pgbouncer"; // the latter for its tools
}

void PoolOverride::apply_to(pool::Options& options) const
{
    pool::Options from = values; // a field is a pointer to what may be changed
    for (const auto& row : pool_rows()) {
        if (keys.contains(std::string{row.key})) copy(row.field(from), row.field(options));
    }
}

const Database* Settings::find_database(std::string_view database) const
{
    const auto listed = databases.find(std::string{database});
    if (listed != databases.end() && database != "*") return &listed->second;
    const auto any = databases.find("*");
    return any == databases.end() ? nullptr : &any->second;
}

std::optional<net::Upstream> Settings::find_upstream(std::string_view database) const
{
    if (is_console(database)) return std::nullopt;

    const bool is_listed = database != "*" && databases.contains(std::string{database});
    const Database* const found = find_database(database);
    if (found == nullptr && !upstream) return std::nullopt;

    net::Upstream result = found == nullptr ? *upstream : found->upstream;
    const bool has_own_name = is_listed && !result.dbname.empty();
    if (!has_own_name && !database.empty()) result.dbname = database;
    return result;
}

std::optional<auth::User> Settings::find_user(std::string_view user, std::string_view database)
    const
{
    const auto listed = users.find(std::string{user});
    if (listed != users.end()) return listed->second.auth;

    // The console is on no upstream; what this user may do there is up to admin_users.
    const auto place = is_console(database) ? upstream : find_upstream(database);
    if (!place || user.empty() || place->user != user) return std::nullopt;
    return auth::User{
        .name = place->user, .has_password = place->has_password, .password = place->password
    };
}

std::optional<net::RoleSource> Settings::find_role_source(std::string_view database) const
{
    if (auth_query.empty()) return std::nullopt;
    const Database* const found = is_console(database) ? nullptr : find_database(database);
    if (found == nullptr && !upstream) return std::nullopt;

    net::Upstream place = found == nullptr ? *upstream : found->upstream;
    const bool is_listed = database != "*" && databases.contains(std::string{database});
    if (place.dbname.empty() && is_listed) place.dbname = database;
    if (!auth_user.empty() && auth_user != place.user) {
        const auto listed = users.find(auth_user);
        place.user = auth_user;
        place.has_password = listed != users.end() && listed->second.auth.has_password;
        place.password = place.has_password ? listed->second.auth.password : "";
    }
    if (place.user.empty()) return std::nullopt;
    if (place.dbname.empty()) place.dbname = place.user; // as libpq
    return net::RoleSource{.upstream = std::move(place), .query = auth_query};
}

pool::Options Settings::pool_options(std::string_view database, std::string_view user) const
{
    pool::Options options = pool;
    options.max_db_connections = max_db_connections;
    options.max_user_connections = max_user_connections;
    if (const Database* const found = find_database(database)) {
        found->pool.apply_to(options);
        options.max_db_connections = found->max_db_connections.value_or(max_db_connections);
    }
    const auto listed = users.find(std::string{user});
    if (listed != users.end()) {
        listed->second.pool.apply_to(options);
        const User& own = listed->second;
        options.max_user_connections = own.max_user_connections.value_or(max_user_connections);
    }

    // Database and user can each be right, and ask together for more than there may be.
    options.min_size = std::min(options.min_size, options.size);
    return options;
}

} // namespace pgweir::config
