#include <pgweir/config/connection_string.hpp>

#include <doctest/doctest.h>

using namespace pgweir::config;

namespace {

std::string read(const std::string& text)
{
    const auto string = parse_connection_string(text);
    if (!string.problem.empty()) return string.problem;
    std::string out;
    for (const auto& [key, value] : string.options) {
        out += (out.empty() ? "" : " ") + key + "=" + value;
    }
    return out;
}

std::string cut(std::string text)
{
    const std::string value = cut_option(text, "sslnegotiation");
    return text + "|" + value;
}

} // namespace

TEST_CASE("config/connection_string: both forms give the same options")
{
    CHECK(
        read("postgresql://u:p%40@h1:1,h2:2/d?sslmode=require")
        == "dbname=d host=h1,h2 password=p@ port=1,2 sslmode=require user=u"
    );
    CHECK(
        read("host=h1,h2 port=1,2 dbname=d user=u password=p@ sslmode=require")
        == "dbname=d host=h1,h2 password=p@ port=1,2 sslmode=require user=u"
    );
    CHECK(read("postgres://%2Frun%2Fpostgresql/d") == "dbname=d host=/run/postgresql");
    CHECK(read("postgresql:///d?host=/run/postgresql") == "dbname=d host=/run/postgresql");
    CHECK(read("postgresql://[::1]:5433/d") == "dbname=d host=::1 port=5433");
}

TEST_CASE("config/connection_string: options that are newer than libpq are understood")
{
    CHECK(
        read("postgresql://h/d?sslnegotiation=direct&sslmode=require")
        == "dbname=d host=h sslmode=require sslnegotiation=direct"
    );
    CHECK(
        read("host=h sslnegotiation = 'direct' dbname=d") == "dbname=d host=h sslnegotiation=direct"
    );
    CHECK(
        read("postgresql://h/d?load_balance_hosts=random")
        == "dbname=d host=h load_balance_hosts=random"
    );
}

TEST_CASE("config/connection_string: an option is cut out, what only looks like it stays")
{
    CHECK(cut("postgresql://h/d?sslnegotiation=direct") == "postgresql://h/d|direct");
    CHECK(
        cut("postgresql://h/d?a=1&sslnegotiation=direct&b=2") == "postgresql://h/d?a=1&b=2|direct"
    );
    CHECK(cut("postgresql://u:p?sslnegotiation=x@h/d") == "postgresql://u:p?sslnegotiation=x@h/d|");
    CHECK(cut("postgresql://h/d?xsslnegotiation=1") == "postgresql://h/d?xsslnegotiation=1|");
    CHECK(cut("host=h sslnegotiation=direct dbname=d") == "host=h  dbname=d|direct");
    CHECK(cut("password='a sslnegotiation=x' host=h") == "password='a sslnegotiation=x' host=h|");
    CHECK(cut("password=a\\ sslnegotiation=x host=h") == "password=a\\ sslnegotiation=x host=h|");
    CHECK(cut("password='it\\'s sslnegotiation=x'") == "password='it\\'s sslnegotiation=x'|");
    CHECK(cut("sslnegotiation=") == "|");
    CHECK(cut("sslnegotiation") == "sslnegotiation|");
}

TEST_CASE("config/connection_string: what is wrong is explained without a piece of the password")
{
    const std::string usage =
        "is not a connection string: expected postgresql://user@host:port/dbname, or key=value "
        "pairs with quotes around values that contain spaces";
    CHECK(read("secret") == usage);
    CHECK(read("password=my secret") == usage);
    CHECK(read("password='secret") == "has a quote that does not end");
    CHECK(
        read("postgresql://u:secret%zz@h/d")
        == "has a % that is not followed by two hexadecimal digits of a character: write %25 for a "
           "% itself"
    );
    CHECK(
        read("postgresql://h/d?sslmod=require") == "has an unknown option; did you mean sslmode?"
    );
    CHECK(read("password=a secret=b") == "has an option that libpq does not know");
    CHECK(read("postgresql://[::1/d") == "has an IPv6 address whose brackets do not match");
    CHECK(
        read("postgresql://u:secret@h/d?secret")
        == "is not a connection string such as postgresql://user:password@host:port/dbname"
    );
}
