// A setting as it was written, whichever of file, environment and command line said it.
#pragma once

#include <pgweir/config/problem.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgweir::config {

struct TableStart {}; // [pool]

struct Untyped { // a variable or a flag: the setting decides what its text means
    std::string text;
};

struct Foreign {}; // a TOML value that no setting takes, e.g. a date

using Value = std::variant<
    TableStart,
    Untyped,
    bool,
    std::int64_t,
    std::string,
    std::vector<std::string>,
    Foreign>;

struct Place {
    std::string source;
    std::uint_least32_t line = 0;
    std::string key;
    std::string directory; // relative paths start here; empty: the working directory

    [[nodiscard]] Problem problem(std::string text) const;
};

using Path = std::vector<std::string>; // {"databases", "app", "pool", "size"}

struct Entry {
    Path path;
    Value value;
    Place place;
};

/// The path with dots between its parts, parts quoted where TOML would want it.
[[nodiscard]] std::string to_key(const Path& path);

/// The inverse of to_key. An empty path: the quotes do not match, or a part is missing.
[[nodiscard]] Path to_path(std::string_view key);

/// "a, b,c" to its trimmed parts; nothing in, nothing out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

} // namespace pgweir::config
