// PGWEIR_SIM_SEEDS sets the number of runs, PGWEIR_SIM_SEED repeats just the one that failed.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace pgweir::test {

inline std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::stoull(text);
}

template <class Run>
void for_each_seed(std::uint64_t count, const Run& run)
{
    const std::uint64_t only = setting("PGWEIR_SIM_SEED", 0);
    const std::uint64_t first = only > 0 ? only : 1;
    const std::uint64_t last = only > 0 ? only : setting("PGWEIR_SIM_SEEDS", count);
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        CAPTURE(seed);
        run(seed);
    }
}

} // namespace pgweir::test
