#include <pgweir/base/histogram.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

using namespace pgweir;
using namespace std::chrono_literals;

namespace {

/// Into which bucket one observation goes.
std::size_t bucket_of(Duration duration)
{
    Histogram histogram;
    histogram.observe(duration);
    std::size_t bucket = 0;
    while (bucket < Histogram::bucket_count && histogram.bucket(bucket) == 0) ++bucket;
    return bucket;
}

} // namespace

TEST_CASE("base/histogram: its bounds rise")
{
    const auto& bounds = Histogram::bounds_us;
    CHECK(std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>{}) == bounds.end());
}

TEST_CASE("base/histogram: a bound belongs to its own bucket, as Prometheus has it")
{
    CHECK(bucket_of(100us) == 0);
    CHECK(bucket_of(101us) == 1);
    CHECK(bucket_of(60s) == Histogram::bounds_us.size() - 1);
}

TEST_CASE("base/histogram: what is longer than every bound goes to the last bucket")
{
    CHECK(bucket_of(60s + 1us) == Histogram::bucket_count - 1);
    CHECK(bucket_of(24h) == Histogram::bucket_count - 1);
}

TEST_CASE("base/histogram: a negative duration counts as none")
{
    Histogram histogram;
    histogram.observe(-5s);
    CHECK(histogram.bucket(0) == 1);
    CHECK(histogram.sum_us() == 0);
}

TEST_CASE("base/histogram: the sum is exact, not rounded to buckets")
{
    Histogram histogram;
    histogram.observe(123us);
    histogram.observe(2s);
    CHECK(histogram.sum_us() == 2'000'123);
}
