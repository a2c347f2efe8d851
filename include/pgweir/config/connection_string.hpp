// Takes a connection string apart, with libpq's own parser. Says nothing about what it means.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgweir::config {

using ConnectionOptions = std::map<std::string, std::string>;

struct ConnectionString {
    ConnectionOptions options; // only those that were given
    std::string problem;       // not empty: it is not a connection string. Quotes none of it
};

/// Also takes options that are newer than the libpq we run with.
[[nodiscard]] ConnectionString parse_connection_string(const std::string& text);

/// Removes option `key` from either form, and returns its value, or nothing.
[[nodiscard]] std::string cut_option(std::string& text, std::string_view key);

} // namespace pgweir::config
