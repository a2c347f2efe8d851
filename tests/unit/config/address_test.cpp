#include <pgweir/config/address.hpp>

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::config;

TEST_CASE("config/address: an address is a host with a port, or a directory")
{
    using net::ListenAddress;
    CHECK(parse_address("127.0.0.1:6432") == ListenAddress{"127.0.0.1", 6432, ""});
    CHECK(parse_address("[::1]:0") == ListenAddress{"::1", 0, ""});
    CHECK(parse_address("db.internal:65535") == ListenAddress{"db.internal", 65535, ""});
    CHECK(parse_address("/run/pgweir") == ListenAddress{"", 6432, "/run/pgweir"});
    CHECK(parse_address("/run/pgweir:5432") == ListenAddress{"", 5432, "/run/pgweir"});
    CHECK(parse_address("/run/a:b") == ListenAddress{"", 6432, "/run/a:b"});
}

TEST_CASE("config/address: what could be understood in two ways is not understood")
{
    for (const char* const wrong :
         {"",
          "6432",
          ":6432",
          "*:6432",
          "localhost",
          "localhost:",
          "localhost:65536",
          "localhost:-1",
          "::1:6432",
          "[::1]",
          "[::1:6432",
          "[]:6432",
          "run/pgweir:1",
          "local host:1"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_address(wrong));
    }
}

TEST_CASE("config/address: an address is shown as it is written")
{
    for (const char* const text :
         {"127.0.0.1:6432", "[::1]:6432", "localhost:0", "/run/pgweir", "/run/pgweir:5432"}) {
        CHECK(format_address(parse_address(text).value()) == text);
    }
}
