#include <pgweir/config/units.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

namespace pgweir::config {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

constexpr std::array time_units{
    Unit{"d", 86'400'000},
    Unit{"h", 3'600'000},
    Unit{"min", 60'000},
    Unit{"s", 1'000},
    Unit{"ms", 1}
};
constexpr std::uint64_t milliseconds_max = 3'000'000'000'000; // 95 years; fits in nanoseconds

constexpr std::array size_units{
    Unit{"GiB", 1U << 30U}, Unit{"MiB", 1U << 20U}, Unit{"KiB", 1U << 10U}, Unit{"", 1}
};

struct Quantity {
    std::uint64_t number;
    std::string_view unit;
};

std::optional<Quantity> split(std::string_view text)
{
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{}) return std::nullopt;
    return Quantity{number, {rest, static_cast<std::size_t>(end - rest)}};
}

std::optional<std::uint64_t> multiply(
    const Quantity& quantity, std::span<const Unit> units, std::uint64_t result_max
)
{
    const auto unit = std::ranges::find(units, quantity.unit, &Unit::name);
    if (unit == units.end()) return std::nullopt;
    return std::min(quantity.number, result_max / unit->size) * unit->size;
}

std::string format(std::uint64_t value, std::span<const Unit> units)
{
    if (value == 0) return "0";
    const auto unit = std::ranges::find_if(units, [value](const Unit& u) {
        return value % u.size == 0;
    });
    return std::to_string(value / unit->size).append(unit->name);
}

} // namespace

std::optional<Duration> parse_duration(std::string_view text)
{
    if (text == "0") return Duration::zero();
    const auto quantity = split(text);
    if (!quantity) return std::nullopt;
    const auto milliseconds = multiply(*quantity, time_units, milliseconds_max);
    if (!milliseconds) return std::nullopt;
    return std::chrono::milliseconds{*milliseconds};
}

std::string format_duration(Duration duration)
{
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(duration);
    return format(static_cast<std::uint64_t>(milliseconds.count()), time_units);
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    const auto quantity = split(text);
    if (!quantity) return std::nullopt;
    return multiply(*quantity, size_units, std::numeric_limits<std::uint64_t>::max());
}

std::string format_size(std::uint64_t size) { return format(size, size_units); }

} // namespace pgweir::config
