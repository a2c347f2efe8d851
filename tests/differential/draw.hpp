// Choices of one stream, all made from its seed.
#pragma once

#include "support/prng.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace pgweir::differential {

class Draw {
public:
    explicit Draw(std::uint64_t seed) : prng_{seed} {}

    [[nodiscard]] bool chance(std::uint64_t percent) { return prng_.chance(percent); }
    [[nodiscard]] std::size_t below(std::size_t limit) { return prng_.below(limit); }

    template <typename T>
    [[nodiscard]] const T& pick(std::span<const T> from)
    {
        return from[below(from.size())];
    }
    template <typename Range>
    [[nodiscard]] const auto& pick(const Range& from)
    {
        return from[below(from.size())];
    }
    [[nodiscard]] std::string_view pick(std::initializer_list<std::string_view> from)
    {
        return from.begin()[below(from.size())];
    }

private:
    test::Prng prng_;
};

} // namespace pgweir::differential
