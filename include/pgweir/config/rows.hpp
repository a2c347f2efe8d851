// Every setting has one row, and this is their list: names, ranges, meanings. File, variables,
// --set, SHOW CONFIG and the reference in config/pgweir.toml all follow it.
#pragma once

#include <pgweir/config/field.hpp>
#include <pgweir/config/settings.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::config {

/// What [databases.NAME] says, before it is put together with the rest.
struct DatabaseDraft {
    std::string upstream;
    std::uint32_t max_db_connections = 0;
    PoolOverride pool;
};

/// What [users.NAME] says. One of the three passwords, or none.
struct UserDraft {
    std::string password;
    std::string password_file;
    std::string password_env;
    std::uint32_t max_user_connections = 0;
    PoolOverride pool;
};

struct Draft {
    Settings settings;
    std::string upstream;
    std::map<std::string, DatabaseDraft> databases;
    std::map<std::string, UserDraft> users;
};

enum class Change { restart, reload }; // what a new value waits for

struct Setting {
    Rule rule;
    Change change = Change::reload;
    std::string_view meaning; // one sentence
};

template <class Owner>
struct Row {
    std::string_view key; // "pool.size" is "size" among the pool's rows
    Field (*field)(Owner&);
    Setting setting;
};

[[nodiscard]] std::span<const Row<Draft>> setting_rows();
[[nodiscard]] std::span<const Row<pool::Options>> pool_rows();
[[nodiscard]] std::span<const Row<DatabaseDraft>> database_rows();
[[nodiscard]] std::span<const Row<UserDraft>> user_rows();

/// A setting that was found by its name, and the member of a draft that it fills.
struct Slot {
    const Setting* setting;
    Field field;
};

/// Adds the database or user that the path names. Nothing: no setting has that path.
[[nodiscard]] std::optional<Slot> find_slot(Draft& draft, const Path& path);

/// Whether the path is that of a [table]. "databases" and "databases.app" are two.
[[nodiscard]] bool is_table(const Path& path);

/// Every key and table there is; with `name` for each NAME, if it is not empty.
[[nodiscard]] std::vector<std::string> all_keys(const std::string& name);
[[nodiscard]] std::vector<std::string> all_tables(const std::string& name);

} // namespace pgweir::config
