#include <pgweir/base/flags.hpp>

#include <doctest/doctest.h>

#include <cstdint>

using pgweir::Flags;

namespace {

enum class Light : std::uint8_t { red = 1, amber = 2, green = 4, all_of_them = 255 };
using Lights = Flags<Light>;

} // namespace

TEST_CASE("base/flags: none are set at first")
{
    constexpr Lights none;
    CHECK(none.empty());
    CHECK_FALSE(none.has(Light::red));
    CHECK(none == Lights{});
}

TEST_CASE("base/flags: one has what it was made of, and nothing else")
{
    constexpr Lights lights = Lights{Light::red} | Light::green;
    CHECK_FALSE(lights.empty());
    CHECK(lights.has(Light::red));
    CHECK_FALSE(lights.has(Light::amber));
    CHECK(lights.has(Light::green));
    CHECK(lights == (Lights{Light::green} | Light::red));
    CHECK_FALSE(lights == Lights{Light::red});
}

TEST_CASE("base/flags: added twice is there once")
{
    Lights lights{Light::amber};
    lights |= Light::amber;
    CHECK(lights == Light::amber);
    lights |= Lights{Light::red} | Light::amber;
    CHECK(lights == (Lights{Light::red} | Light::amber));
}

TEST_CASE("base/flags: both have it, or only one")
{
    constexpr Lights stop = Lights{Light::red} | Light::amber;
    constexpr Lights go = Lights{Light::amber} | Light::green;
    CHECK((stop & go) == Light::amber);
    CHECK((stop & Light::green).empty());
    CHECK(stop.without(go) == Light::red);
    CHECK(stop.without(stop).empty());
    CHECK(stop.without({}) == stop);
}

TEST_CASE("base/flags: the highest bit is one like the others")
{
    constexpr Lights all{Light::all_of_them};
    CHECK(all.has(static_cast<Light>(128)));
    const Lights rest = all.without(static_cast<Light>(128));
    CHECK_FALSE(rest.has(static_cast<Light>(128)));
    CHECK(rest == static_cast<Light>(127));
}
