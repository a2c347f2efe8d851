#include <pgweir/pool/core.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <set>

using namespace pgweir;
using namespace pgweir::pool;

TEST_CASE("pool/expiry: servers that were opened together are not closed together")
{
    Options options;
    options.server_lifetime = std::chrono::seconds{1'000};
    options.server_lifetime_jitter = 20;
    const TimePoint opened{std::chrono::hours{1}};
    std::set<TimePoint> times;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const TimePoint time = expiry(opened, options, seed);
        CHECK(time >= opened + std::chrono::seconds{800});
        CHECK(time <= opened + std::chrono::seconds{1'200});
        times.insert(time);
    }
    CHECK(times.size() > 20);

    options.server_lifetime_jitter = 0;
    CHECK(expiry(opened, options, 7) == opened + options.server_lifetime);
    options.server_lifetime = Duration::zero();
    CHECK(expiry(opened, options, 7) == TimePoint::max());
}
