#include <pgweir/session/sql_lexer.hpp>

#include "sql_characters.hpp"

namespace pgweir::session {

namespace sql {

namespace {

// Where a string goes on behind its quote. Null: it does not.
const char* string_continued(const char* at, const char* end)
{
    bool has_line_break = false;
    for (; at != end; ++at) {
        if (end - at >= 2 && at[0] == '-' && at[1] == '-') at = skip_line_comment(at + 2, end);
        if (at == end || !is(*at, blank)) break;
        has_line_break = has_line_break || *at == '\n' || *at == '\r';
    }
    return has_line_break && at != end && *at == '\'' ? at + 1 : nullptr;
}

} // namespace

const char* skip_escape_string(const char* at, const char* end)
{
    while (at != end) {
        const char c = *at++;
        const bool is_doubled = c == '\'' && at != end && *at == '\'';
        if (is_doubled || (c == '\\' && at != end)) {
            ++at;
        } else if (c == '\'') {
            const char* const more = string_continued(at, end);
            if (more == nullptr) return at;
            at = more;
        }
    }
    return nullptr;
}

const char* skip_dollar_tag(const char* at, const char* end)
{
    ++at;
    if (at != end && is(*at, digit)) return nullptr;
    while (at != end && *at != '$' && is(*at, word)) ++at;
    return at != end && *at == '$' ? at + 1 : nullptr;
}

const char* skip_dollar_string(const char* at, const char* body, const char* end)
{
    const std::string_view tag = between(at, body);
    const std::size_t found = between(body, end).find(tag); // linear: a tag has no dollar inside
    return found == std::string_view::npos ? nullptr : body + found + tag.size();
}

} // namespace sql

bool Token::is_word(std::string_view lower_case) const
{
    return kind == TokenKind::word && sql::same_word(text, lower_case);
}

SqlLexer::SqlLexer(std::string_view text) : at_{text.data()}, end_{text.data() + text.size()} {}

// Null, for what is not closed, takes the rest.
Token SqlLexer::take(TokenKind kind, const char* token_end)
{
    const bool is_open = token_end == nullptr;
    if (is_open) token_end = end_;
    const Token token{kind, is_open, sql::between(at_, token_end)};
    at_ = token_end;
    return token;
}

Token SqlLexer::next()
{
    at_ = sql::skip_blanks(at_, end_);
    if (at_ == end_) return {};
    const char c = *at_;
    if (sql::is(c, sql::word_start)) return word_or_prefixed();
    if (c == '\'') return take(TokenKind::string, sql::skip_quoted(at_ + 1, end_, c));
    if (c == '"') return take(TokenKind::quoted, sql::skip_quoted(at_ + 1, end_, c));
    if (c == '$') return dollar();
    const bool is_fraction = c == '.' && end_ - at_ >= 2 && sql::is(at_[1], sql::digit);
    if (is_fraction || sql::is(c, sql::digit)) return number();
    return take(TokenKind::symbol, at_ + 1);
}

Token SqlLexer::word_or_prefixed()
{
    const char prefix = sql::lower(*at_);
    const char after = end_ - at_ >= 2 ? at_[1] : '\0';
    if (after == '\'') {
        if (prefix == 'e') return take(TokenKind::string, sql::skip_escape_string(at_ + 2, end_));
        if (prefix == 'b' || prefix == 'x' || prefix == 'n') {
            return take(TokenKind::string, sql::skip_quoted(at_ + 2, end_, '\''));
        }
    }
    if (prefix == 'u' && after == '&' && end_ - at_ >= 3) {
        const char quote = at_[2];
        const TokenKind kind = quote == '"' ? TokenKind::quoted : TokenKind::string;
        if (quote == '"' || quote == '\'')
            return take(kind, sql::skip_quoted(at_ + 3, end_, quote));
    }
    return take(TokenKind::word, sql::skip_word(at_, end_));
}

Token SqlLexer::number()
{
    const char* at = at_;
    bool has_point = false;
    for (; at != end_; ++at) {
        const bool is_point = *at == '.' && !has_point;
        const bool is_sign = (*at == '+' || *at == '-') && sql::lower(at[-1]) == 'e'
                             && end_ - at >= 2 && sql::is(at[1], sql::digit);
        if (!is_point && !is_sign && !sql::is(*at, sql::word)) break;
        has_point = has_point || is_point;
    }
    return take(TokenKind::number, at);
}

Token SqlLexer::dollar()
{
    if (end_ - at_ >= 2 && sql::is(at_[1], sql::digit)) {
        const char* at = at_ + 1;
        while (at != end_ && sql::is(*at, sql::digit)) ++at;
        return take(TokenKind::parameter, at);
    }
    const char* const body = sql::skip_dollar_tag(at_, end_);
    if (body == nullptr) return take(TokenKind::symbol, at_ + 1);
    return take(TokenKind::string, sql::skip_dollar_string(at_, body, end_));
}

} // namespace pgweir::session
