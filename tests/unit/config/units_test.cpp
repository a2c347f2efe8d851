#include <pgweir/config/units.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>

using namespace pgweir;
using namespace pgweir::config;
using namespace std::chrono_literals;

TEST_CASE("config/units: a duration has a number and a unit")
{
    CHECK(parse_duration("500ms") == Duration{500ms});
    CHECK(parse_duration("5s") == Duration{5s});
    CHECK(parse_duration("1min") == Duration{1min});
    CHECK(parse_duration("2h") == Duration{2h});
    CHECK(parse_duration("7d") == Duration{168h});
    CHECK(parse_duration("0") == Duration{0s});

    for (const char* const wrong :
         {"", "5", "s", "5 s", "-1s", "+1s", "1.5s", "5sec", "1m", "1h30min"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_duration(wrong));
    }
}

TEST_CASE(
    "config/units: a duration beyond all measure is a very long one, not a small or negative one"
)
{
    const auto longest = parse_duration("18446744073709551615ms").value();
    CHECK(longest > 24h * 365 * 90);
    CHECK(parse_duration("18446744073709551615d").value() > 24h * 365 * 90);
    CHECK_FALSE(parse_duration("18446744073709551616ms"));
}

TEST_CASE("config/units: what is shown of a duration reads back as the same")
{
    for (const Duration duration :
         std::array<Duration, 7>{0ms, 1ms, 1500ms, 90s, 10min, 25h, 240h}) {
        CAPTURE(format_duration(duration));
        CHECK(parse_duration(format_duration(duration)) == duration);
    }
    CHECK(format_duration(1500ms) == "1500ms");
    CHECK(format_duration(90s) == "90s");
    CHECK(format_duration(120s) == "2min");
    CHECK(format_duration(48h) == "2d");
}

TEST_CASE("config/units: a size is bytes, or has a binary unit")
{
    CHECK(parse_size("512") == 512);
    CHECK(parse_size("64KiB") == 65'536);
    CHECK(parse_size("16MiB") == 16'777'216);
    CHECK(parse_size("1GiB") == 1'073'741'824);
    // Nobody agrees whether a thousand or 1,024 of them are meant.
    for (const char* const wrong : {"", "KiB", "16MB", "16M", "16 MiB", "-1", "1.5MiB"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_size(wrong));
    }
    CHECK(
        parse_size("18446744073709551615GiB").value()
        > std::numeric_limits<std::uint64_t>::max() / 2
    );
    CHECK(format_size(16'777'216) == "16MiB");
    CHECK(format_size(1'000) == "1000");
    CHECK(format_size(0) == "0");
}
