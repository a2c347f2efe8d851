// Statements as one line of text each: what the tests of the SQL reader compare.
#pragma once

#include <pgweir/session/sql_statement.hpp>

#include <string>
#include <string_view>

namespace pgweir::test {

/// The command, then what is known of it: `set local name=x value='y' {sets_config} uncertain`.
[[nodiscard]] std::string describe(const session::SqlStatement& statement);

/// All statements of a text, with "; " between.
[[nodiscard]] std::string describe(std::string_view text, session::SqlOptions options = {});

[[nodiscard]] std::string describe(session::Traits traits);

} // namespace pgweir::test
