#include <pgweir/session/sql.hpp>

#include <cstddef>

namespace pgweir::session {

namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr bool is_word(char c)
{
    const auto code = static_cast<unsigned char>(c);
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$'
           || code >= 0x80;
}

// The end of a block comment that starts at the front; they nest. npos: it does not end here.
std::size_t comment_end(std::string_view text)
{
    int depth = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] == '/' && text[i + 1] == '*') {
            ++depth;
            ++i;
        } else if (text[i] == '*' && text[i + 1] == '/') {
            ++i;
            if (--depth == 0) return i + 1;
        }
    }
    return std::string_view::npos;
}

std::string_view skip_blank(std::string_view text)
{
    for (;;) {
        while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
        if (text.empty() || (text.front() != '-' && text.front() != '/')) return text;
        std::size_t end = 0;
        if (text.starts_with("--")) {
            end = text.find('\n');
        } else if (text.starts_with("/*")) {
            end = comment_end(text);
        } else {
            return text;
        }
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end);
    }
}

std::string_view take_word(std::string_view& text)
{
    text = skip_blank(text);
    std::size_t size = 0;
    while (size < text.size() && is_word(text[size])) ++size;
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size);
    return word;
}

constexpr bool same_word(std::string_view word, std::string_view lower_case)
{
    if (word.size() != lower_case.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (lower(word[i]) != lower_case[i]) return false;
    }
    return true;
}

// An identifier: folded to lower case, or exact between double quotes.
std::optional<std::string> take_identifier(std::string_view& text)
{
    text = skip_blank(text);
    std::string name;
    if (!text.starts_with('"')) {
        for (const char c : take_word(text)) name += lower(c);
        if (name.empty()) return std::nullopt;
        return name;
    }
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) {
            text.remove_prefix(i + 1);
            return name;
        }
        if (text[i] == '"') ++i;
        name += text[i];
    }
    return std::nullopt;
}

// By the first two letters; nearly every statement is done with here.
constexpr bool may_matter(char first, char second)
{
    return (first == 'd' && (second == 'e' || second == 'i')) || (first == 'b' && second == 'e')
           || (first == 's' && second == 't');
}

SqlHead read_deallocate(std::string_view rest)
{
    std::string_view after_word = rest;
    std::string_view word = take_word(after_word);
    if (same_word(word, "prepare")) {
        rest = after_word;
        word = take_word(after_word);
    }
    if (same_word(word, "all")) return {SqlKind::drops_all, {}};

    const auto name = take_identifier(rest);
    rest = skip_blank(rest);
    if (rest.starts_with(';')) rest = skip_blank(rest.substr(1));
    if (!name || !rest.empty()) return {};
    return {SqlKind::deallocate_one, *name};
}

} // namespace

SqlHead read_sql_head(std::string_view text)
{
    text = skip_blank(text);
    if (text.size() < 2 || !may_matter(lower(text[0]), lower(text[1]))) return {};
    const std::string_view word = take_word(text);
    if (same_word(word, "deallocate")) return read_deallocate(text);
    if (same_word(word, "discard")) return {SqlKind::drops_all, {}};
    const bool begins = same_word(word, "begin")
                        || (same_word(word, "start") && same_word(take_word(text), "transaction"));
    return {begins ? SqlKind::begins_transaction : SqlKind::other, {}};
}

std::string deallocate_sql(std::string_view name)
{
    std::string sql = "DEALLOCATE \"";
    for (const char c : name) {
        if (c == '"') sql += c;
        sql += c;
    }
    return sql + '"';
}

} // namespace pgweir::session
