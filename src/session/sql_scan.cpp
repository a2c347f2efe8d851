#include "sql_characters.hpp"
#include "sql_names.hpp"
#include "sql_scan.hpp"
#include "sql_tokens.hpp"

namespace pgweir::session::sql {

namespace {

const char* next_notable(const char* at, const char* end)
{
    while (end - at >= 8) { // the bound is looked at once for eight
        if (is(at[0], notable)) return at;
        if (is(at[1], notable)) return at + 1;
        if (is(at[2], notable)) return at + 2;
        if (is(at[3], notable)) return at + 3;
        if (is(at[4], notable)) return at + 4;
        if (is(at[5], notable)) return at + 5;
        if (is(at[6], notable)) return at + 6;
        if (is(at[7], notable)) return at + 7;
        at += 8;
    }
    while (at != end && !is(*at, notable)) ++at;
    return at;
}

// Whether the call is all that the statement does: SELECT [pg_catalog .] set_config, its arguments,
// and then nothing, or a name for the column.
bool is_alone(const SqlStatement& statement, std::string_view head, std::string_view rest)
{
    if (statement.command != Command::select) return false;
    Tokens before{head};
    if (!before.take_word("select")) return false;
    const bool has_schema = before.take_word("pg_catalog");
    if (has_schema && !before.take_symbol('.')) return false;
    if (before.take_name().empty() || !before.at_end()) return false;

    Tokens after{rest};
    after.take_word("as");
    if (!after.at_end()) after.take_name();
    return after.at_end() || after.take_symbol(';');
}

bool names_custom(std::string_view string)
{
    const auto name = string_value(string);
    return name && name->find('.') != std::string::npos;
}

} // namespace

Scan::Scan(const char* start, const char* end, const SqlOptions& options, SqlStatement& statement)
    : end_{end},
      floor_{start},
      options_{options},
      statement_{statement},
      endings_{endings_of_calls()}
{
    if (options.calls != nullptr) endings_ = ~0U;
}

const char* Scan::run(const char* at, bool ends_at_semicolon)
{
    for (;;) {
        at = next_notable(at, end_);
        if (at == end_) return at;
        switch (*at) {
        case 'p':
        case 'P': at = letter_p(at); break;
        case ';':
            if (ends_at_semicolon) return at;
            ++at;
            break;
        case '(':
            call(at);
            ++at;
            break;
        case '\'': at = string(at); break;
        case '"': at = quoted(at); break;
        case '$': at = dollar(at); break;
        default: at = comment(at); break;
        }
    }
}

// The place behind something closed; or the end, for what is not.
const char* Scan::pass(const char* closed)
{
    statement_.is_uncertain |= closed == nullptr;
    before_ = {};
    floor_ = closed != nullptr ? closed : end_;
    return floor_;
}

bool Scan::is_word_before(const char* at) const { return at != floor_ && is(at[-1], word); }

const char* Scan::string(const char* at)
{
    bool has_escapes = options_.escapes_in_strings;
    if (is_word_before(at) && !is_word_before(at - 1)) {
        const char prefix = lower(at[-1]);
        has_escapes = prefix == 'e' || (has_escapes && prefix != 'b' && prefix != 'x');
    }
    return pass(has_escapes ? skip_escape_string(at + 1, end_) : skip_quoted(at + 1, end_, '\''));
}

// A name like any other; and it may be what a parenthesis calls.
const char* Scan::quoted(const char* at)
{
    const bool is_unicode = at - floor_ >= 2 && at[-1] == '&' && lower(at[-2]) == 'u';
    const char* const closed = skip_quoted(at + 1, end_, '"');
    if (closed == nullptr) return pass(closed);

    const std::string_view name = between(at + 1, closed - 1);
    if (is_unicode && name.find('\\') != std::string_view::npos) statement_.is_uncertain = true;
    if (name.starts_with("pg_")) statement_.traits |= traits_of_mention(name);
    pass(closed);
    before_ = name;
    return closed;
}

const char* Scan::dollar(const char* at)
{
    const char* const body = is_word_before(at) ? nullptr : skip_dollar_tag(at, end_);
    if (body == nullptr) return at + 1;
    const char* const closed = skip_dollar_string(at, body, end_);
    if (statement_.command == Command::do_block) {
        const char* const body_end = closed != nullptr ? closed - (body - at) : end_;
        SqlStatement inside;
        inside.text = between(body, body_end);
        Scan{body, body_end, options_, inside}.through(body);
        statement_.traits |= inside.traits;
    }
    return pass(closed);
}

// A minus or a slash, or what begins with two characters.
const char* Scan::comment(const char* at)
{
    if (!starts_comment(at, end_)) return at + 1;
    before_ = name_before(at);
    floor_ = skip_comment(at, end_);
    return floor_;
}

// The name that ends before `at`, with nothing but blanks and comments between. Empty: none.
std::string_view Scan::name_before(const char* at) const
{
    while (at != floor_ && is(at[-1], blank)) --at;
    if (at == floor_) return before_;
    const char* start = at;
    while (start != floor_ && is(start[-1], word)) --start;
    return between(start, at);
}

// pg_… from its start, TEMP from its end.
const char* Scan::letter_p(const char* at)
{
    if (end_ - at > 3 && at[2] == '_' && lower(at[1]) == 'g') {
        const char* const word_end = skip_word(at, end_);
        if (!is_word_before(at)) statement_.traits |= traits_of_mention(between(at, word_end));
        return word_end;
    }
    if (at - floor_ >= 3 && lower(at[-1]) == 'm') temp(at - 3, at);
    return at + 1;
}

void Scan::temp(const char* start, const char* at)
{
    if (is_word_before(start)) return;
    const std::string_view name = between(start, skip_word(at, end_));
    if (!same_word(name, "temp") && !same_word(name, "temporary")) return;
    const std::string_view before = name_before(start);
    const bool is_into = same_word(before, "into") && statement_.command != Command::insert
                         && statement_.command != Command::merge;
    const bool is_create = same_word(before, "create") || same_word(before, "replace")
                           || same_word(before, "local") || same_word(before, "global");
    if (is_into || is_create) statement_.traits |= Trait::creates_temp;
}

void Scan::call(const char* at)
{
    const char* name_end = at;
    while (name_end != floor_ && is(name_end[-1], blank)) --name_end;
    if (name_end != floor_ && (endings_ & ending_bit(name_end[-1])) == 0) return;
    const std::string_view name = name_before(name_end);
    if (name.empty()) return;
    const Traits traits = traits_of_call(name);
    statement_.traits |= traits;
    if (traits.has(Trait::sets_config)) set_config(at);
    if (options_.calls != nullptr) options_.calls->push_back(name);
}

// Three literals are taken down, if it is the only call.
void Scan::set_config(const char* at)
{
    statement_.set_config = {};
    Tokens arguments{between(at + 1, end_)};
    const Token name = arguments.take();
    const bool is_literal = name.kind == TokenKind::string && arguments.take_symbol(',');
    const bool is_custom = is_literal && names_custom(name.text);
    statement_.sets_only_custom = is_custom && (config_calls_ == 0 || statement_.sets_only_custom);
    if (++config_calls_ > 1 || !is_literal) return;
    const Token value = arguments.take();
    if (value.kind != TokenKind::string || !arguments.take_symbol(',')) return;
    const bool is_local = arguments.take_word("true");
    if (!is_local && !arguments.take_word("false")) return;
    if (!arguments.peek().is_symbol(')')) return;

    const char* const close = arguments.peek().text.data();
    const std::string_view head = between(statement_.text.data(), at);
    const bool alone = is_alone(statement_, head, between(close + 1, end_));
    statement_.set_config = {name.text, value.text, is_local, alone};
}

} // namespace pgweir::session::sql
