// How often a simulation runs: PGWEIR_SIM_SEEDS times, or once with PGWEIR_SIM_SEED to repeat the
// one that failed.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace pgweir::test {

/// The value of an environment variable.
inline std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoull(text);
}

/// How many seeds there were. Without optimisation and with a sanitizer a few have to do: the
/// preset `sim` is for many.
template <class Run>
std::uint64_t for_each_seed(const Run& run)
{
    const std::uint64_t only = setting("PGWEIR_SIM_SEED", 0);
    const std::uint64_t first = only > 0 ? only : 1;
    const std::uint64_t last = only > 0 ? only : setting("PGWEIR_SIM_SEEDS", 10);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
        run(seed);
    }
    return last + 1 - first;
}

/// Whether so many days must have shown what is seldom.
constexpr bool are_many(std::uint64_t seeds) { return seeds >= 100; }

} // namespace pgweir::test
