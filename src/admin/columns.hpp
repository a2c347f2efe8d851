// A table as a list of columns, each with its name and how its value is made: so a heading can
// never stand over another column's values.
#pragma once

#include <pgweir/admin/show.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::admin {

using Value = std::optional<std::string>;

template <class Row>
struct Column {
    std::string_view name;
    Value (*value)(const Row& row);
};

template <class Columns>
[[nodiscard]] std::vector<std::string> names_of(const Columns& columns)
{
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const auto& column : columns) names.emplace_back(column.name);
    return names;
}

template <class Columns, class Rows>
[[nodiscard]] Table make_table(const Columns& columns, const Rows& rows)
{
    Table table{names_of(columns), {}};
    for (const auto& row : rows) {
        Table::Row& values = table.rows.emplace_back();
        for (const auto& column : columns) values.push_back(column.value(row));
    }
    return table;
}

template <class Number>
[[nodiscard]] Value text(Number value)
{
    return std::to_string(value);
}

[[nodiscard]] std::string mode_name(pool::Mode mode);
[[nodiscard]] std::int64_t whole_seconds(Duration duration);
/// What is left of a second, in microseconds.
[[nodiscard]] std::int64_t rest_in_microseconds(Duration duration);

// The tables, one file each: the heading alone, or with its rows.
[[nodiscard]] std::vector<std::string> pools_columns();
[[nodiscard]] Table show_pools(const View& view);
[[nodiscard]] std::vector<std::string> classes_columns();
[[nodiscard]] Table show_classes(const View& view);
[[nodiscard]] std::vector<std::string> connections_columns();
[[nodiscard]] Table show_clients(const View& view);
[[nodiscard]] Table show_servers(const View& view);
[[nodiscard]] std::vector<std::string> databases_columns();
[[nodiscard]] Table show_databases(const View& view);
[[nodiscard]] std::vector<std::string> users_columns();
[[nodiscard]] Table show_users(const View& view);
[[nodiscard]] Table show_lists(const View& view);

enum class StatsPart { both, totals, averages };
[[nodiscard]] std::vector<std::string> stats_columns(StatsPart part);
[[nodiscard]] Table show_stats(StatsPart part, const View& view, const StatsHistory& history);
[[nodiscard]] Table show_totals(const View& view, const StatsHistory& history);

} // namespace pgweir::admin
