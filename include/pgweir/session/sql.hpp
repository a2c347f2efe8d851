// The few things that we read from SQL text: its first words, and whose statement a DEALLOCATE
// names. Not a parser: what it does not understand it leaves to the server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::session {

/// Statements whose effect must be known before the server has answered.
enum class SqlKind : std::uint8_t {
    other,
    deallocate_one,     // DEALLOCATE [PREPARE] name, alone in its text
    drops_all,          // DEALLOCATE ALL, DISCARD …
    begins_transaction, // BEGIN, START TRANSACTION
};

struct SqlHead {
    SqlKind kind = SqlKind::other;
    std::string name; // of deallocate_one, folded as PostgreSQL folds identifiers
};

/// White space in C's locale, as PostgreSQL takes it.
[[nodiscard]] constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// `text` may be only the front of a statement.
[[nodiscard]] SqlHead read_sql_head(std::string_view text);

/// The text of a DEALLOCATE for another name.
[[nodiscard]] std::string deallocate_sql(std::string_view name);

} // namespace pgweir::session
