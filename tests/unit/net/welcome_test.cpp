#include <pgweir/net/welcome.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir;

namespace {

// What is reported for `name` to a client that has asked for `asked`.
std::string reported(const std::string& name, const std::string& server, const std::string& asked)
{
    const session::SettingsRef settings = session::with_setting(
        *session::no_settings(), name, asked
    );
    return net::welcome_value(name, server, *settings);
}

} // namespace

TEST_CASE("net/welcome: what the client has not asked for is the server's")
{
    CHECK(net::welcome_value("TimeZone", "UTC", *session::no_settings()) == "UTC");
}

TEST_CASE("net/welcome: no newer protocol is spoken than PostgreSQL's own")
{
    CHECK(net::protocol_of("15.4 (Debian 15.4-1)") == wire::ProtocolVersion{3, 0});
    CHECK(net::protocol_of("9.6.24") == wire::ProtocolVersion{3, 0});
    CHECK(net::protocol_of("18beta1") == wire::ProtocolVersion{3, 2});
    CHECK(net::protocol_of("19devel") == wire::ProtocolVersion{3, 2});
    CHECK(net::protocol_of("") == wire::ProtocolVersion{3, 2});
}

TEST_CASE("net/welcome: encodings are spelt as PostgreSQL spells them")
{
    CHECK(reported("client_encoding", "SQL_ASCII", "utf-8") == "UTF8");
    CHECK(reported("client_encoding", "UTF8", "iso 8859-1") == "LATIN1");
}

TEST_CASE("net/welcome: a date style keeps the server's order of day and month, but for German")
{
    CHECK(reported("DateStyle", "ISO, MDY", "sql") == "SQL, MDY");
    CHECK(reported("DateStyle", "ISO, YMD", "postgres") == "Postgres, YMD");
    CHECK(reported("DateStyle", "ISO, MDY", "german") == "German, DMY");
    CHECK(reported("DateStyle", "ISO, MDY", "ISO, DMY") == "ISO, DMY");
}

TEST_CASE("net/welcome: a client's startup settings are kept as they are reported")
{
    const std::vector<session::Settings::Entry> reported{
        {"DateStyle", "ISO, MDY"}, {"TimeZone", "UTC"}
    };
    const session::SettingsRef asked = session::with_setting(
        *session::no_settings(), "datestyle", "german"
    );
    CHECK(*net::as_spelt(asked, reported)->find("datestyle") == "German, DMY");
    CHECK(net::as_spelt(session::no_settings(), reported) == session::no_settings());
}
