#include <pgweir/config/passfile.hpp>

#include <doctest/doctest.h>

using namespace pgweir::config;

namespace {

constexpr const char* passfile = R"(# a comment:*:*:*:wrong
not a line
db1:5432:app:alice:one
db1:5433:*:alice:two
*:*:app:bob:th\:r\\ee:rest
localhost:*:*:carol:
)";

std::string find(const PassfileQuery& query)
{
    return find_password(passfile, query).value_or("none");
}

} // namespace

TEST_CASE("config/passfile: the first line that matches in all four fields has the password")
{
    CHECK(find({.host = "db1", .port = "5432", .dbname = "app", .user = "alice"}) == "one");
    CHECK(find({.host = "db1", .port = "5433", .dbname = "other", .user = "alice"}) == "two");
    CHECK(find({.host = "db1", .port = "5432", .dbname = "other", .user = "alice"}) == "none");
    CHECK(find({.host = "db2", .port = "5432", .dbname = "app", .user = "alice"}) == "none");
}

TEST_CASE("config/passfile: a backslash protects a colon, and the rest of the line is the password")
{
    CHECK(find({.host = "h", .port = "1", .dbname = "app", .user = "bob"}) == "th:r\\ee:rest");
    CHECK(find({.host = "localhost", .port = "1", .dbname = "d", .user = "carol"}).empty());
    CHECK(
        find_password("h:1:d:u:p\r\n", {.host = "h", .port = "1", .dbname = "d", .user = "u"})
        == "p"
    );
    CHECK(
        find_password("h:1:d:u:p\\", {.host = "h", .port = "1", .dbname = "d", .user = "u"})
        == "p\\"
    );
}

TEST_CASE("config/passfile: a service has the options of its section, and no others")
{
    constexpr const char* services = "# none\nx=0\n[a]\nhost=one\n\n[b]\n host = two "
                                     "\n#port=1\nport=5433\nrubbish\n[c]\nhost=three\n";

    using Options = std::map<std::string, std::string>;
    CHECK(find_service(services, "b") == Options{{"host", "two"}, {"port", "5433"}});
    CHECK(find_service(services, "a") == Options{{"host", "one"}});
    CHECK_FALSE(find_service(services, "d"));
    CHECK_FALSE(find_service("", "d"));
}
