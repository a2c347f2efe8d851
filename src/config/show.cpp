#include <pgweir/config/show.hpp>

#include <pgweir/config/rows.hpp>
#include <pgweir/config/upstream.hpp>

namespace pgweir::config {

namespace {

ConfigRow row_of(const Setting& setting, std::string key, std::string value)
{
    return {
        .key = std::move(key),
        .value = std::move(value),
        .default_value = {},
        .changeable = setting.change == Change::reload,
    };
}

template <class Owner>
void append(
    std::vector<ConfigRow>& rows, const Row<Owner>& row, const std::string& prefix, Owner& now
)
{
    Owner defaults{};
    const Rule& rule = row.setting.rule;
    rows.push_back(row_of(row.setting, prefix + std::string{row.key}, show(row.field(now), rule)));
    rows.back().default_value = show(row.field(defaults), rule);
}

void append_cap(
    std::vector<ConfigRow>& rows, const std::string& prefix, const char* key, std::uint32_t cap
)
{
    rows.push_back(
        {.key = prefix + key, .value = std::to_string(cap), .default_value = {}, .changeable = true}
    );
}

void append_override(
    std::vector<ConfigRow>& rows, const std::string& prefix, const PoolOverride& pool
)
{
    pool::Options values = pool.values; // a field is a pointer to what may be changed
    for (const auto& row : pool_rows()) {
        if (!pool.keys.contains(std::string{row.key})) continue;
        rows.push_back(row_of(
            row.setting,
            prefix + "pool." + std::string{row.key},
            show(row.field(values), row.setting.rule)
        ));
    }
}

} // namespace

std::vector<ConfigRow> config_rows(const Settings& settings)
{
    std::vector<ConfigRow> rows;
    Draft draft{.settings = settings, .upstream = {}, .databases = {}, .users = {}};
    for (const auto& row : setting_rows()) {
        append(rows, row, "", draft);
        const bool is_url = row.setting.rule.kind == Kind::upstream_url;
        if (is_url && settings.upstream) rows.back().value = format_upstream(*settings.upstream);
    }
    for (const auto& row : pool_rows()) append(rows, row, "pool.", draft.settings.pool);

    for (const auto& [name, database] : settings.databases) {
        const std::string prefix = to_key({"databases", name}) + ".";
        const auto& url_row = database_rows().front();
        rows.push_back(row_of(
            url_row.setting, prefix + std::string{url_row.key}, format_upstream(database.upstream)
        ));
        if (database.max_db_connections) {
            append_cap(rows, prefix, "max_db_connections", *database.max_db_connections);
        }
        append_override(rows, prefix, database.pool);
    }
    for (const auto& [name, user] : settings.users) {
        const std::string prefix = to_key({"users", name}) + ".";
        const auto& password_row = user_rows().front();
        rows.push_back(row_of(
            password_row.setting,
            prefix + std::string{password_row.key},
            user.auth.has_password ? "********" : ""
        ));
        if (user.max_user_connections) {
            append_cap(rows, prefix, "max_user_connections", *user.max_user_connections);
        }
        append_override(rows, prefix, user.pool);
    }
    return rows;
}

} // namespace pgweir::config
