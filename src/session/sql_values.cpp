#include <pgweir/session/sql_lexer.hpp>

#include "sql_characters.hpp"

#include <charconv>
#include <system_error>

namespace pgweir::session {

namespace {

constexpr bool continues_character(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// A name that is too long is cut, but not within a character.
void shorten(std::string& name)
{
    if (name.size() <= identifier_size_max) return;
    constexpr std::size_t size_min = identifier_size_max - 3; // no character is longer than four
    std::size_t size = identifier_size_max;
    while (size > size_min && continues_character(name[size])) --size;
    name.resize(continues_character(name[size]) ? identifier_size_max : size); // not UTF-8
}

// The text between quotes, doubled ones taken once.
std::string without_doubles(std::string_view text, char quote)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        if (text[i] == quote) ++i;
    }
    return out;
}

std::optional<int> digit_value(char c, int base)
{
    const char letter = sql::lower(c);
    int value = base;
    if (letter >= '0' && letter <= '9') value = letter - '0';
    if (letter >= 'a' && letter <= 'f') value = letter - 'a' + 10;
    if (value >= base) return std::nullopt;
    return value;
}

// \ooo and \xhh, up to `count` digits; `at` is moved behind them. Zero ends no string of ours.
std::optional<char> numbered_character(std::string_view text, std::size_t& at, int base, int count)
{
    int code = 0;
    for (int i = 0; i < count && at < text.size(); ++i) {
        const auto value = digit_value(text[at], base);
        if (!value) break;
        code = code * base + *value;
        ++at;
    }
    if ((code & 0xFF) == 0) return std::nullopt;
    return static_cast<char>(code);
}

// What follows a backslash at `at`, which is moved behind it.
std::optional<char> escaped_character(std::string_view text, std::size_t& at)
{
    if (at == text.size()) return std::nullopt;
    if (digit_value(text[at], 8)) return numbered_character(text, at, 8, 3);
    const char c = text[at++];
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'x':
        if (at == text.size() || !digit_value(text[at], 16)) return c;
        return numbered_character(text, at, 16, 2);
    case 'u':
    case 'U': return std::nullopt;
    default: return c;
    }
}

std::optional<std::string> without_escapes(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i++];
        if (c == '\'') {
            if (i == text.size() || text[i] != '\'') return std::nullopt; // it goes on elsewhere
            ++i;
        }
        if (c != '\\') {
            out += c;
            continue;
        }
        const auto escaped = escaped_character(text, i);
        if (!escaped) return std::nullopt;
        out += *escaped;
    }
    return out;
}

std::optional<std::string> dollar_string_value(std::string_view token)
{
    const std::size_t tag = token.find('$', 1) + 1;
    return std::string{token.substr(tag, token.size() - 2 * tag)};
}

// An integer as PostgreSQL prints it back; what is none, or too big for one, as it was written.
std::string normal_number(std::string_view text, bool is_negative)
{
    std::int32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    const bool is_integer = error == std::errc{} && at == end;
    if (is_integer) return std::to_string(is_negative ? -value : value);
    std::string written;
    if (is_negative) written += '-';
    written += text;
    return written;
}

bool is_plain_number(std::string_view text)
{
    for (const char c : text) {
        const bool is_sign = c == '+' || c == '-';
        if (!sql::is(c, sql::digit) && c != '.' && c != 'e' && c != 'E' && !is_sign) return false;
    }
    return true;
}

std::optional<std::string> element_value(SqlLexer& lexer)
{
    Token token = lexer.next();
    const bool is_negative = token.is_symbol('-');
    const bool is_signed = is_negative || token.is_symbol('+');
    if (is_signed) token = lexer.next();
    if (token.is_open) return std::nullopt;
    if (token.kind == TokenKind::number) {
        if (!is_plain_number(token.text)) return std::nullopt;
        return normal_number(token.text, is_negative);
    }
    if (is_signed) return std::nullopt;
    if (token.kind == TokenKind::string) return string_value(token.text);
    return identifier(token.text);
}

} // namespace

std::optional<std::string> identifier(std::string_view token)
{
    std::string name;
    if (!token.empty() && token.front() == '"') {
        if (token.size() < 3) return std::nullopt; // PostgreSQL has no empty names
        name = without_doubles(token.substr(1, token.size() - 2), '"');
    } else {
        if (token.empty() || !sql::is(token.front(), sql::word_start)) return std::nullopt;
        for (const char c : token) {
            if (!sql::is(c, sql::word)) return std::nullopt;
            name += sql::lower(c);
        }
    }
    shorten(name);
    return name;
}

std::optional<std::string> string_value(std::string_view token)
{
    if (token.size() < 2) return std::nullopt;
    if (token.front() == '$') return dollar_string_value(token);
    const char prefix = sql::lower(token.front());
    if (prefix == '\'') return without_doubles(token.substr(1, token.size() - 2), '\'');
    if (token.size() < 3 || token[1] != '\'') return std::nullopt;
    const std::string_view inside = token.substr(2, token.size() - 3);
    if (prefix == 'n') return without_doubles(inside, '\'');
    if (prefix == 'e') return without_escapes(inside);
    return std::nullopt;
}

std::optional<std::string> parameter_name(std::string_view text)
{
    SqlLexer lexer{text};
    std::string name;
    for (;;) {
        const Token token = lexer.next();
        const auto part = identifier(token.text);
        if (!part || token.is_open) return std::nullopt;
        for (const char c : *part) name += sql::lower(c);
        const Token after = lexer.next();
        if (after.kind == TokenKind::end) return name;
        if (!after.is_symbol('.')) return std::nullopt;
        name += '.';
    }
}

std::optional<std::vector<std::string>> setting_values(std::string_view text)
{
    SqlLexer lexer{text};
    std::vector<std::string> values;
    for (;;) {
        auto value = element_value(lexer);
        if (!value) return std::nullopt;
        values.push_back(std::move(*value));
        const Token after = lexer.next();
        if (after.kind == TokenKind::end) return values;
        if (!after.is_symbol(',')) return std::nullopt;
    }
}

void append_identifier(std::string& sql, std::string_view name)
{
    sql += '"';
    for (const char c : name) {
        if (c == '"') sql += c;
        sql += c;
    }
    sql += '"';
}

void append_literal(std::string& sql, std::string_view value)
{
    const bool has_backslash = value.find('\\') != std::string_view::npos;
    if (has_backslash) sql += 'E';
    sql += '\'';
    for (const char c : value) {
        if (c == '\'' || c == '\\') sql += c;
        sql += c;
    }
    sql += '\'';
}

} // namespace pgweir::session
