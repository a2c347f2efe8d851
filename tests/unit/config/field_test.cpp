#include <pgweir/config/field.hpp>

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::config;
using namespace std::chrono_literals;

namespace {

Entry entry(Value value) { return {.path = {}, .value = std::move(value), .place = {}}; }

} // namespace

TEST_CASE("config/field: a value that is refused changes nothing")
{
    std::uint32_t number = 7;
    Duration duration = 7s;
    bool flag = true;
    pool::Mode mode = pool::Mode::session;
    std::vector<std::string> names{"a"};
    std::vector<net::ListenAddress> addresses{{}};
    std::string text = "x";
    const Rule rule{Kind::number, 1, 10};

    CHECK_FALSE(assign(&number, rule, entry(std::int64_t{11})).empty());
    CHECK_FALSE(assign(&duration, {Kind::duration, 1, 10}, entry(std::string{"11ms"})).empty());
    CHECK_FALSE(assign(&flag, {}, entry(std::string{"true"})).empty());
    CHECK_FALSE(assign(&mode, {}, entry(std::string{"none"})).empty());
    CHECK_FALSE(assign(&names, {}, entry(std::vector<std::string>{"b", ""})).empty());
    CHECK_FALSE(assign(&addresses, {}, entry(std::vector<std::string>{})).empty());
    CHECK_FALSE(assign(&text, {}, entry(std::string("a\0b", 3))).empty());

    CHECK(number == 7);
    CHECK(duration == 7s);
    CHECK(flag);
    CHECK(mode == pool::Mode::session);
    CHECK(names == std::vector<std::string>{"a"});
    CHECK(addresses.size() == 1);
    CHECK(text == "x");
}

TEST_CASE("config/field: no field takes a table, or a value without a meaning")
{
    std::uint32_t number = 0;
    Duration duration{};
    bool flag = false;
    pool::Mode mode{};
    std::vector<std::string> names;
    std::vector<net::ListenAddress> addresses;
    std::string text;
    const std::vector<Field> fields{&number, &duration, &flag, &mode, &names, &addresses, &text};
    for (const Field field : fields) {
        CAPTURE(field.index());
        CHECK_FALSE(assign(field, {Kind::number, 0, 10}, entry(TableStart{})).empty());
        CHECK_FALSE(assign(field, {Kind::number, 0, 10}, entry(Foreign{})).empty());
    }
}

TEST_CASE("config/field: the ends of a range are inside it")
{
    std::uint32_t number = 0;
    const Rule rule{Kind::number, 2, 4};
    CHECK_FALSE(assign(&number, rule, entry(std::int64_t{1})).empty());
    CHECK(assign(&number, rule, entry(std::int64_t{2})).empty());
    CHECK(assign(&number, rule, entry(std::int64_t{4})).empty());
    CHECK(number == 4);
    CHECK_FALSE(assign(&number, rule, entry(std::int64_t{5})).empty());

    Duration duration{};
    const Rule times{Kind::duration, 2, 4};
    CHECK_FALSE(assign(&duration, times, entry(std::string{"1ms"})).empty());
    CHECK(assign(&duration, times, entry(std::string{"2ms"})).empty());
    CHECK(assign(&duration, times, entry(std::string{"4ms"})).empty());
    CHECK_FALSE(assign(&duration, times, entry(std::string{"5ms"})).empty());
}

TEST_CASE("config/field: a secret is never shown, not even that it is short")
{
    std::string password = "x";
    std::string none;
    CHECK(show(&password, {Kind::secret, 0, 0}) == "********");
    CHECK(show(&password, {Kind::upstream_url, 0, 0}) == "********");
    CHECK(show(&none, {Kind::secret, 0, 0}).empty());
    CHECK(show(&password, {Kind::text, 0, 0}) == "x");
}
