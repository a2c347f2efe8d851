// PostgreSQL's lexical rules: the tokens of an SQL text, as views of it. Knows no grammar, never
// allocates, never fails: what is not closed ends with the text. standard_conforming_strings is
// taken to be on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::session {

enum class TokenKind : std::uint8_t {
    end,
    word,      // a keyword or an identifier without quotes
    quoted,    // "…", U&"…"
    string,    // '…' with any prefix, $tag$…$tag$
    number,    // …and whatever letters stick to it
    parameter, // $1
    symbol,    // one character: operators come in pieces
};

struct Token {
    TokenKind kind = TokenKind::end;
    bool is_open = false; // the text ended before its closing quote
    std::string_view text;

    /// Whether it is this keyword, which is given in lower case.
    [[nodiscard]] bool is_word(std::string_view lower_case) const;
    [[nodiscard]] bool is_symbol(char c) const
    {
        return kind == TokenKind::symbol && text.front() == c;
    }
};

class SqlLexer {
public:
    /// The text must outlive the tokens.
    explicit SqlLexer(std::string_view text);

    /// Blanks and comments are passed over. At the end: TokenKind::end, again and again.
    Token next();

private:
    Token take(TokenKind kind, const char* token_end);
    Token word_or_prefixed();
    Token number();
    Token dollar();

    const char* at_;
    const char* end_;
};

// What tokens mean. These allocate: for the statements that need it.

/// PostgreSQL keeps this many bytes of an identifier.
inline constexpr std::size_t identifier_size_max = 63;

/// Folded, or as it stands between the quotes; shortened as PostgreSQL does for UTF-8.
/// Nothing: not an identifier, or one with Unicode escapes.
[[nodiscard]] std::optional<std::string> identifier(std::string_view token);

/// The other way: any name, quoted so that it cannot end its statement.
void append_identifier(std::string& sql, std::string_view name);

/// A string, whatever standard_conforming_strings says.
void append_literal(std::string& sql, std::string_view value);

/// The bytes that a string token stands for. Nothing: B'', X'' or U&'', or an escape whose meaning
/// depends on the server's encoding, or not a string.
[[nodiscard]] std::optional<std::string> string_value(std::string_view token);

/// The name of a parameter as SET takes it, `a . "B"`: folded, without blanks, `a.b`.
[[nodiscard]] std::optional<std::string> parameter_name(std::string_view text);

/// What stands behind SET … TO, each element as PostgreSQL reads it: words folded, strings decoded,
/// numbers normalised. Nothing: not a list of such.
[[nodiscard]] std::optional<std::vector<std::string>> setting_values(std::string_view text);

} // namespace pgweir::session
