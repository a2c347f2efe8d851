#include <pgweir/config/suggest.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace pgweir::config;

TEST_CASE("config/suggest: a slip of the fingers is recognised, another word is not")
{
    const std::vector<std::string> keys{"pool.size", "pool.min_size", "listen", "http"};

    CHECK(closest("pool.sise", keys) == "pool.size");
    CHECK(closest("pool_size", keys) == "pool.size");
    CHECK(closest("listne", keys) == "listen");
    CHECK(closest("pool.minsize", keys) == "pool.min_size");
    CHECK(closest("https", keys) == "http");
    CHECK(closest("server_lifetime", keys).empty());
    CHECK(closest("", keys).empty());
    CHECK(closest(std::string(100'000, 'x'), keys).empty());

    CHECK(did_you_mean("listn", keys) == "; did you mean listen?");
    CHECK(did_you_mean("something_else", keys).empty());
}
