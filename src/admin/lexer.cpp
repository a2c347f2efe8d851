#include "lexer.hpp"

#include <algorithm>
#include <utility>

namespace pgweir::admin {

namespace {

// PostgreSQL's identifiers may hold any byte above ASCII.
bool is_word(char c)
{
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_digit = c >= '0' && c <= '9';
    return is_letter || is_digit || c == '_' || c == '.' || static_cast<unsigned char>(c) >= 0x80U;
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

class Lexer {
public:
    explicit Lexer(std::string_view text) : rest_{text} {}

    [[nodiscard]] bool ok() const { return ok_; }

    /// Nothing at the end, or after an error.
    [[nodiscard]] std::optional<Token> next()
    {
        skip_blanks();
        if (!ok_ || rest_.empty()) return std::nullopt;
        const char first = rest_.front();
        if (first == '"') return quoted(Token::Kind::name);
        if (first == '\'') return quoted(Token::Kind::literal);
        if (!is_word(first)) return Token{Token::Kind::symbol, std::string{take(1)}};
        const auto end = std::ranges::find_if_not(rest_, is_word);
        const auto size = static_cast<std::size_t>(end - rest_.begin());
        return Token{Token::Kind::word, std::string{take(size)}};
    }

private:
    std::string_view take(std::size_t size)
    {
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    void skip_blanks()
    {
        for (;;) {
            const std::size_t start = std::min(
                rest_.find_first_not_of(" \t\r\n\f\v"), rest_.size()
            );
            rest_.remove_prefix(start);
            if (rest_.starts_with("--")) {
                take(rest_.find('\n'));
            } else if (rest_.starts_with("/*")) {
                skip_comment();
            } else {
                return;
            }
        }
    }

    // They nest, as in PostgreSQL.
    void skip_comment()
    {
        int depth = 0;
        do {
            if (rest_.starts_with("/*")) {
                ++depth;
                take(2);
            } else if (rest_.starts_with("*/")) {
                --depth;
                take(2);
            } else if (rest_.empty()) {
                ok_ = false;
                return;
            } else {
                take(1);
            }
        } while (depth > 0);
    }

    // A doubled quote stands for one.
    std::optional<Token> quoted(Token::Kind kind)
    {
        const char quote = rest_.front();
        Token token{kind, {}};
        take(1);
        for (;;) {
            const std::size_t end = rest_.find(quote);
            if (end == std::string_view::npos) {
                ok_ = false;
                return std::nullopt;
            }
            token.text += take(end);
            take(1);
            if (!rest_.starts_with(quote)) return token;
            token.text += quote;
            take(1);
        }
    }

    std::string_view rest_;
    bool ok_ = true;
};

} // namespace

bool Token::is(std::string_view keyword) const
{
    return kind == Kind::word && std::ranges::equal(text, keyword, {}, upper);
}

std::optional<std::vector<Statement>> split_statements(std::string_view text)
{
    std::vector<Statement> statements;
    Statement statement;
    Lexer lexer{text};
    while (auto token = lexer.next()) {
        const bool is_end = token->kind == Token::Kind::symbol && token->text == ";";
        if (!is_end) {
            statement.push_back(std::move(*token));
        } else if (!statement.empty()) {
            statements.push_back(std::exchange(statement, {}));
        }
    }
    if (!lexer.ok()) return std::nullopt;
    if (!statement.empty()) statements.push_back(std::move(statement));
    return statements;
}

} // namespace pgweir::admin
