// Sixteen characters at once, as GCC and Clang have them: an operator works on all of a block.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

inline constexpr std::size_t word_size = 8;

/// The first character is the lowest byte.
inline std::uint64_t load_word(const char* text)
{
    std::uint64_t word = 0;
    std::memcpy(&word, text, word_size);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

/// Which characters are from `first` to `last`, both included.
inline Block in_range(const Block& block, char first, char last)
{
    using Unsigned [[gnu::vector_size(16)]] = unsigned char;
    const auto above = std::bit_cast<Unsigned>(block) - static_cast<unsigned char>(first);
    return std::bit_cast<Block>(above <= static_cast<unsigned char>(last - first));
}

/// One bit for each character that was found; the lowest is the first.
inline unsigned bits_of(const Block& found)
{
#ifdef __SSE2__
    return static_cast<unsigned>(_mm_movemask_epi8(std::bit_cast<__m128i>(found)));
#else
    unsigned bits = 0;
    for (std::size_t i = 0; i < block_size; ++i) bits |= (found[i] != 0 ? 1U : 0U) << i;
    return bits;
#endif
}

} // namespace pgweir::session::sql
