// Cuts the text of admin statements into words: SQL's comments, quoted names and literals, nothing
// else of SQL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::admin {

struct Token {
    enum class Kind {
        word,    // as it was written; case does not count in a keyword
        name,    // "quoted", without its quotes
        literal, // 'quoted', likewise
        symbol,  // one character
    };

    Kind kind;
    std::string text;

    /// `keyword` in upper case.
    [[nodiscard]] bool is(std::string_view keyword) const;
};

using Statement = std::vector<Token>; // never empty

/// The statements between semicolons; empty ones are left out. Nothing: a quote or a comment does
/// not end.
[[nodiscard]] std::optional<std::vector<Statement>> split_statements(std::string_view text);

} // namespace pgweir::admin
