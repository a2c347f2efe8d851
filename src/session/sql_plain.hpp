// What makes a text a plain SELECT (see is_plain_select): looked for in nearly every query.
#pragma once

#include <pgweir/session/sql.hpp>

#include "sql_blocks.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgweir::session::sql {

/// Of what may be looked for, behind so much of the text: then one may look back.
inline constexpr std::size_t name_front_size = 2; // "pg" of "pg_"

inline bool begins_as_select(std::string_view text)
{
    constexpr std::uint64_t select = 0x207463656c6573; // "select ", the first seven letters
    constexpr std::uint64_t lower_case = 0x20202020202020;
    if (text.size() < word_size) return false;
    return (load_word(text.data()) | lower_case) << 8U == select << 8U;
}

/// Without blanks and one semicolon there.
inline std::string_view without_end(std::string_view text)
{
    const auto trim = [&text] {
        while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    };
    trim();
    if (text.ends_with(';')) text.remove_suffix(1);
    trim();
    return text;
}

/// Whether a call, a second statement or a name pg_… may be behind the first two characters.
inline bool has_notable(std::string_view text)
{
    const auto look = [](const char* at) {
        const Block block = block_at(at);
        const Block is_name = (block == '_') & ((block_at(at - 1) | ' ') == 'g')
                              & ((block_at(at - 2) | ' ') == 'p');
        return is_name | (block == '(') | (block == ';');
    };
    if (text.size() < name_front_size + block_size) {
        return text.find_first_of("(;_", name_front_size) != std::string_view::npos;
    }
    const char* const last = text.data() + text.size() - block_size;
    Block found = look(last); // looked at twice, in part
    for (const char* at = text.data() + name_front_size; at < last; at += block_size) {
        found |= look(at);
    }
    return any_of(found);
}

} // namespace pgweir::session::sql
