#include "sim/pool_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <utility>

using namespace std::chrono_literals;

namespace pgweir::test {

namespace {

constexpr std::size_t clients_max = 40;

/// The oldest of all, or the oldest of one's own if it came hardly later.
constexpr std::size_t look_ahead_max = 64;

} // namespace

World::World(std::uint64_t seed)
    : prng_{seed},
      pace_{},
      failures_{static_cast<std::uint32_t>(prng_.below(4) * 15)},
      options_{random_options()},
      shared_{static_cast<std::uint32_t>(2 + prng_.below(3)), options_}
{
    constexpr std::array<Duration, 4> paces{100us, 2ms, 40ms, 700ms};
    pace_ = paces[prng_.below(paces.size())];
    // Acquire, release and mail happen on every day; of the rest, some do.
    weights_ = {12, 10, 14};
    for (int i = 0; i < 11; ++i) {
        weights_.push_back(prng_.chance(60) ? static_cast<std::uint32_t>(1 + prng_.below(6)) : 0);
    }
    const std::uint32_t worker_count = shared_.worker_count();
    for (std::uint32_t i = 0; i < worker_count; ++i) {
        workers_.push_back(std::make_unique<SimWorker>(shared_, WorkerId{i}, options_));
        workers_.back()->now = now_;
        workers_.back()->mail.resize(worker_count + 1); // the last is the operator's
    }
}
