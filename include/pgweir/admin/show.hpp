// The tables of the SHOW commands: PgBouncer's columns in PgBouncer's order, because exporters and
// scripts depend on both. Pure: rows are made from what it is given.
#pragma once

#include <pgweir/admin/command.hpp>
#include <pgweir/admin/stats_history.hpp>
#include <pgweir/net/inspection.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/pool/options.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgweir::admin {

/// All values are text; none: SQL's null.
struct Table {
    using Row = std::vector<std::optional<std::string>>;

    std::vector<std::string> columns;
    std::vector<Row> rows;
};

struct ConfigRow {
    std::string key;
    std::string value; // secrets are masked
    std::string default_value;
    bool is_changeable = false; // by RELOAD
};

/// A database that the configuration names. Others appear with their first client.
struct DatabaseRow {
    std::string name;
    net::Upstream upstream;
    pool::Options options;
};

struct UserRow {
    std::string name;
    std::uint32_t cap = 0; // max_user_connections
};

/// What the configuration says, for DATABASES, USERS, CONFIG and LISTS.
struct ConfigView {
    std::vector<ConfigRow> rows;
    std::vector<DatabaseRow> databases;
    std::vector<UserRow> users;
    std::string version;
    std::size_t logins = 0; // in progress
};

struct View {
    net::Inspection inspection;
    ConfigView config;
};

/// How much of an inspection this table needs.
[[nodiscard]] net::Detail detail_of(Show what);

[[nodiscard]] std::vector<std::string> columns_of(Show what);
[[nodiscard]] Table show(Show what, const View& view, const StatsHistory& history);

} // namespace pgweir::admin
