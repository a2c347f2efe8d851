// Sixteen characters at once, as GCC and Clang have them: an operator works on all of a block.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pgweir::session::sql {

using Block [[gnu::vector_size(16)]] = signed char;
inline constexpr std::size_t block_size = sizeof(Block);

inline Block block_at(const char* text)
{
    Block block;
    std::memcpy(&block, text, block_size);
    return block;
}

inline bool any_of(const Block& found)
{
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(found);
    return (halves[0] | halves[1]) != 0;
}

} // namespace pgweir::session::sql
