// Counts durations in fixed buckets. One writer, any reader, as Counter.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/counter.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pgweir {

class Histogram {
public:
    // Upper bounds in microseconds, 1-2.5-5 from 100 µs to 60 s. The last bucket has none.
    static constexpr std::array<std::uint32_t, 18> bounds_us{
        100,
        250,
        500,
        1'000,
        2'500,
        5'000,
        10'000,
        25'000,
        50'000,
        100'000,
        250'000,
        500'000,
        1'000'000,
        2'500'000,
        5'000'000,
        10'000'000,
        30'000'000,
        60'000'000,
    };
    static constexpr std::size_t bucket_count = bounds_us.size() + 1;

    void observe(Duration duration) noexcept
    {
        using std::chrono::duration_cast;
        const auto micros = duration_cast<std::chrono::microseconds>(duration).count();
        const std::uint64_t value = micros > 0 ? static_cast<std::uint64_t>(micros) : 0;
        std::size_t bucket = lowest_bucket[static_cast<std::size_t>(std::bit_width(value))];
        while (bucket < bounds_us.size() && value > bounds_us[bucket]) ++bucket;
        buckets_[bucket].add();
        sum_us_.add(value);
    }

    [[nodiscard]] std::uint64_t bucket(std::size_t index) const { return buckets_[index].value(); }
    [[nodiscard]] std::uint64_t sum_us() const { return sum_us_.value(); }

private:
    // By the count of a value's bits: the bucket of the smallest value that has so many.
    static constexpr std::array<std::uint8_t, 65> lowest_bucket = [] {
        std::array<std::uint8_t, 65> lowest{};
        for (std::size_t bits = 1; bits < lowest.size(); ++bits) {
            const std::uint64_t smallest = std::uint64_t{1} << (bits - 1);
            std::uint8_t bucket = 0;
            while (bucket < bounds_us.size() && smallest > bounds_us[bucket]) ++bucket;
            lowest[bits] = bucket;
        }
        return lowest;
    }();

    std::array<Counter, bucket_count> buckets_;
    Counter sum_us_;
};

} // namespace pgweir
