// The text of a TOML file to entries. The only place that knows the TOML library.
#pragma once

#include <pgweir/config/entry.hpp>
#include <pgweir/config/problem.hpp>

#include <string>
#include <vector>

namespace pgweir::config {

/// In the order of the file, tables before what is in them. A syntax error is one problem and no
/// entries; it says the line, but does not quote it: it may hold a password.
[[nodiscard]] std::vector<Entry> read_document(
    const std::string& text, const std::string& file, std::vector<Problem>& problems
);

} // namespace pgweir::config
