#include <pgweir/config/entry.hpp>

#include <doctest/doctest.h>

using namespace pgweir::config;

TEST_CASE("config/entry: a key is its parts with dots, quoted where they must be")
{
    CHECK(to_key({"databases", "app", "pool", "size"}) == "databases.app.pool.size");
    CHECK(to_key({"databases", "my.app", "upstream"}) == "databases.\"my.app\".upstream");
    CHECK(to_key({"databases", "*", "upstream"}) == "databases.\"*\".upstream");

    for (const Path& path :
         {Path{"pool", "size"}, Path{"databases", "a.b", "upstream"}, Path{"http"}}) {
        CHECK(to_path(to_key(path)) == path);
    }
    CHECK(to_path("databases.*.upstream") == Path{"databases", "*", "upstream"});
}

TEST_CASE("config/entry: a key that is not well-formed has no path")
{
    for (const char* const wrong : {"", ".", "pool.", ".size", "a..b", "\"a", "\"a\"b", "\"\".x"}) {
        CAPTURE(wrong);
        CHECK(to_path(wrong).empty());
    }
}

TEST_CASE("config/entry: a list is separated by commas, blanks do not count")
{
    CHECK(split_list("a, b ,c") == Path{"a", "b", "c"});
    CHECK(split_list("a") == Path{"a"});
    CHECK(split_list(" ").empty());
    CHECK(split_list("a,,b") == Path{"a", "", "b"});
}
