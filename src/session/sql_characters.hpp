// What a character means to PostgreSQL's lexer, and where strings, comments and quotes end.
// Plain pointers: these loops run over every byte of every query.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pgweir::session::sql {

enum CharacterClass : std::uint8_t {
    blank = 1,
    word = 2,       // may go on an identifier, a keyword or a number
    word_start = 4, // … or start one that is no number
    digit = 8,
    notable = 16, // the scan for traits must stop and look
};

constexpr std::size_t index_of(char c) { return static_cast<unsigned char>(c); }

constexpr std::array<std::uint8_t, 256> make_character_classes()
{
    std::array<std::uint8_t, 256> classes{};
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool starts = is_letter || c == '_' || c >= 0x80;
        const bool is_digit = c >= '0' && c <= '9';
        unsigned bits = 0;
        if (starts) bits |= word_start | word;
        if (is_digit) bits |= digit | word;
        if (c == '$') bits |= word;
        classes[c] = static_cast<std::uint8_t>(bits);
    }
    for (const char c : std::string_view{" \t\n\r\f\v"}) classes[index_of(c)] |= blank;
    // P: pg_… and TEMP are the names that matter wherever they stand.
    for (const char c : std::string_view{"'\"$-/(;pP"}) classes[index_of(c)] |= notable;
    return classes;
}

inline constexpr std::array<std::uint8_t, 256> character_classes = make_character_classes();

constexpr bool is(char c, CharacterClass wanted)
{
    return (character_classes[index_of(c)] & wanted) != 0;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Whether a word is this keyword, which is given in lower case.
constexpr bool same_word(std::string_view text, std::string_view lower_case)
{
    if (text.size() != lower_case.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (lower(text[i]) != lower_case[i]) return false;
    }
    return true;
}

inline std::string_view between(const char* begin, const char* end)
{
    return {begin, static_cast<std::size_t>(end - begin)};
}

inline const char* skip_word(const char* at, const char* end)
{
    while (at != end && is(*at, word)) ++at;
    return at;
}

// All that follow start behind what opens the thing, and return the place behind what closes it.
// Null: it does not end in this text.

/// Doubled quotes stand for one.
inline const char* skip_quoted(const char* at, const char* end, char quote)
{
    while (at != end) {
        const void* const found = std::memchr(at, quote, static_cast<std::size_t>(end - at));
        if (found == nullptr) return nullptr;
        at = static_cast<const char*>(found) + 1;
        if (at == end || *at != quote) return at;
        ++at;
    }
    return nullptr;
}

/// Never null: the end of the text ends it too.
inline const char* skip_line_comment(const char* at, const char* end)
{
    while (at != end && *at != '\n' && *at != '\r') ++at;
    return at;
}

/// They nest.
inline const char* skip_block_comment(const char* at, const char* end)
{
    int depth = 1;
    while (end - at >= 2) {
        if (at[0] == '*' && at[1] == '/') {
            at += 2;
            if (--depth == 0) return at;
        } else if (at[0] == '/' && at[1] == '*') {
            at += 2;
            ++depth;
        } else {
            ++at;
        }
    }
    return nullptr;
}

inline bool starts_comment(const char* at, const char* end)
{
    return end - at >= 2 && ((at[0] == '-' && at[1] == '-') || (at[0] == '/' && at[1] == '*'));
}

/// `at` is where the comment starts. Never null: an open one takes the rest of the text.
inline const char* skip_comment(const char* at, const char* end)
{
    if (*at == '-') return skip_line_comment(at + 2, end);
    const char* const after = skip_block_comment(at + 2, end);
    return after != nullptr ? after : end;
}

inline const char* skip_blanks(const char* at, const char* end)
{
    for (;;) {
        while (at != end && is(*at, blank)) ++at;
        if (!starts_comment(at, end)) return at;
        at = skip_comment(at, end);
    }
}

/// A string in which a backslash escapes. Such a string goes on, by the same rules, with the next
/// quote if there is nothing between but blanks and line comments, a line break among them.
const char* skip_escape_string(const char* at, const char* end);

/// The place behind `$tag$`. Null: the dollar at `at` opens no string.
const char* skip_dollar_tag(const char* at, const char* end);

/// `at` is where the opening tag starts, `body` where it ends.
const char* skip_dollar_string(const char* at, const char* body, const char* end);

} // namespace pgweir::session::sql
