#include <pgweir/session/knowledge.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::session;

namespace {

std::string found(const Catalog& catalog, std::string_view word)
{
    return names_of(catalog.functions.find(word));
}

} // namespace

TEST_CASE("session/knowledge: a function is found among any number of others")
{
    Catalog catalog;
    constexpr int count = 100;
    for (int i = 0; i < count; ++i) { // in an order of their own: 0, 37, 74, 11 …
        const int number = i * 37 % count;
        const Part part = number % 2 == 0 ? Part::settings : Part::temp_objects;
        catalog.functions.add("f" + std::to_string(number), part);
    }
    for (int i = 0; i < count; ++i) {
        const std::string name = "f" + std::to_string(i);
        CAPTURE(name);
        CHECK(found(catalog, name) == (i % 2 == 0 ? "settings" : "temp_objects"));
        CHECK(found(catalog, name + "x").empty());
        CHECK(found(catalog, "e" + name).empty());
    }
    CHECK(found(catalog, "f").empty());
    CHECK(found(catalog, "").empty());
}

TEST_CASE("session/knowledge: upper and lower case are one, in the catalog and in a statement")
{
    Catalog catalog;
    catalog.functions.add("Set_Tenant", Part::settings);
    catalog.functions.add("set_other", Part::channels);
    catalog.functions.add("SETZ", Part::temp_objects);
    CHECK(found(catalog, "set_tenant") == "settings");
    CHECK(found(catalog, "SET_TENANT") == "settings");
    CHECK(found(catalog, "SeT_oThEr") == "channels");
    CHECK(found(catalog, "setz") == "temp_objects");
    CHECK(found(catalog, "set_tenan").empty());
    CHECK(found(catalog, "set_tenants").empty());
}

TEST_CASE("session/knowledge: names in other alphabets keep their order")
{
    Catalog catalog;
    catalog.functions.add("\xc3\xa4ndern", Part::settings);
    catalog.functions.add("zz", Part::channels);
    catalog.functions.add("aa", Part::temp_objects);
    CHECK(found(catalog, "\xc3\xa4ndern") == "settings");
    CHECK(found(catalog, "\xc3\xa4NDERN") == "settings");
    CHECK(found(catalog, "zz") == "channels");
    CHECK(found(catalog, "aa") == "temp_objects");
    CHECK(found(catalog, "\xc3\x84ndern").empty()); // another letter: PostgreSQL folds only ASCII
}

TEST_CASE("session/knowledge: what functions of one name do adds up")
{
    Catalog catalog;
    catalog.functions.add("f", Part::settings);
    catalog.functions.add("F", Part::channels);
    catalog.functions.add("", Part::temp_objects);
    CHECK(found(catalog, "f") == "settings, channels");
    CHECK(found(catalog, "").empty());
}

TEST_CASE("session/knowledge: the default of a custom parameter is found by its name")
{
    Catalog catalog;
    CHECK(catalog.find_custom_default("a.b") == nullptr);
    catalog.custom_defaults = {{"a.b", "1"}, {"a.c", ""}};
    REQUIRE(catalog.find_custom_default("a.b") != nullptr);
    CHECK(*catalog.find_custom_default("a.b") == "1");
    REQUIRE(catalog.find_custom_default("a.c") != nullptr);
    CHECK(catalog.find_custom_default("a.c")->empty());
    CHECK(catalog.find_custom_default("a.") == nullptr);
}

TEST_CASE("session/knowledge: custom parameters are remembered once each, if they can be any")
{
    Knowledge knowledge;
    knowledge.add_custom("a.b");
    knowledge.add_custom("a.c");
    knowledge.add_custom("a.b");
    CHECK(knowledge.customs == std::vector<std::string>{"a.b", "a.c"});

    knowledge.add_custom("a.b\\");
    knowledge.add_custom("a.b'");
    knowledge.add_custom("a.b c");
    CHECK(knowledge.customs.size() == 2);

    constexpr std::size_t customs_max = 200;
    for (int i = 0; i < 1000; ++i) knowledge.add_custom("x.n" + std::to_string(i));
    CHECK(knowledge.customs.size() == customs_max);
    CHECK(knowledge.customs.back() == "x.n" + std::to_string(customs_max - 3)); // the first ones
}
