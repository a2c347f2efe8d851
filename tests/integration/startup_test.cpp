#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

Start trusting()
{
    return {.flags = {"--pool-size", "2", "--set", "auth.method=trust"}, .user = "app_trust"};
}

Start trusting_with_tls()
{
    Start start = trusting();
    const Identity& identity = postgres().certificates().server();
    for (const std::string& flag :
         {std::string{"client_tls.mode=prefer"},
          "client_tls.cert_file=" + identity.cert_file.string(),
          "client_tls.key_file=" + identity.key_file.string()}) {
        start.flags.insert(start.flags.end(), {"--set", flag});
    }
    return start;
}

const std::map<std::string, std::string> who{{"user", "app_trust"}, {"database", "app"}};

// BackendKeyData of protocol 3.0 is a process id and four bytes of key.
constexpr std::size_t short_key_size = 8;

} // namespace

TEST_CASE("integration/startup: protocol 3.0 brings parameters, a short cancel key and readiness")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    const std::string said = client.log_in("app_trust");

    CHECK(said.starts_with("R(0) "));
    CHECK(said.ends_with(" K Z(I)"));
    for (const std::string parameter :
         {"S(server_version=15",
          "S(client_encoding=UTF8)",
          "S(standard_conforming_strings=on)",
          "S(integer_datetimes=on)",
          "S(TimeZone=UTC)",
          "S(DateStyle=ISO, MDY)"}) {
        CAPTURE(parameter);
        CHECK(said.find(parameter) != std::string::npos);
    }
    CHECK(client.cancel_key().size() == short_key_size);
}

TEST_CASE("integration/startup: protocol 3.2 brings a long cancel key" * pooler_only())
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    const std::string said = client.log_in("app_trust", {}, message::version_3_2);

    CHECK(said.starts_with("R(0) ")); // nothing to negotiate
    CHECK(client.cancel_key().size() > short_key_size);
    CHECK(client.cancel_key().size() <= 4 + 256); // the protocol's limit
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
}

TEST_CASE(
    "integration/startup: no newer protocol is spoken than PostgreSQL's own, when that is known"
)
{
    const Pgweir pgweir{trusting()};
    WireClient first{pgweir.target()};
    first.log_in("app_trust");
    WireClient client{pgweir.target()};
    const std::string said = client.log_in("app_trust", {}, message::version_3_2);

    CHECK(said.starts_with("v R(0) "));
    CHECK(client.cancel_key().size() == short_key_size);
}

TEST_CASE("integration/startup: a minor version from the future is negotiated down")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    constexpr std::uint32_t version_3_9999 = message::version_3_0 + 9'999;
    client.send(message::startup(who, version_3_9999));

    const Message answer = client.receive();
    REQUIRE(answer.type == 'v');
    const std::uint32_t newest = is_direct() ? message::version_3_0 : message::version_3_2;
    CHECK(answer.body == message::be32(newest) + message::be32(0));
    CHECK(client.receive_until('Z').ends_with("Z(I)"));
}

TEST_CASE("integration/startup: protocol options that nobody knows are named, not refused")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    std::map<std::string, std::string> parameters = who;
    parameters["_pq_.colour"] = "green";
    client.send(message::startup(parameters));

    const Message answer = client.receive();
    REQUIRE(answer.type == 'v');
    CHECK(answer.body.substr(4) == message::be32(1) + "_pq_.colour" + '\0');
    CHECK(client.receive_until('Z').ends_with("Z(I)"));
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/startup: protocols 2 and 4 are refused")
{
    const Pgweir pgweir{trusting()};
    for (const std::uint32_t version : {0x0002'0000U, 0x0004'0000U}) {
        CAPTURE(version);
        WireClient client{pgweir.target()};
        client.send(message::startup(who, version));
        CHECK(client.stream().read_to_end().starts_with("E"));
    }
}

TEST_CASE(
    "integration/startup: GSSENCRequest is answered N, and the startup goes on" * pooler_only()
)
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.send(message::gss_request());
    CHECK(client.stream().read_exactly(1) == "N");
    CHECK(client.log_in("app_trust").ends_with("Z(I)"));
}

TEST_CASE(
    "integration/startup: SSLRequest without TLS is answered N, also after GSSENCRequest"
    * pooler_only()
)
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.send(message::gss_request());
    CHECK(client.stream().read_exactly(1) == "N");
    client.send(message::ssl_request());
    CHECK(client.stream().read_exactly(1) == "N");
    CHECK(client.log_in("app_trust").ends_with("Z(I)"));
}

TEST_CASE("integration/startup: SSLRequest with TLS is answered S, and TLS follows")
{
    const Pgweir pgweir{trusting_with_tls()};
    WireClient client{pgweir.target()};
    client.send(message::ssl_request());
    CHECK(client.stream().read_exactly(1) == "S");
    client.stream().start_tls({.authority = postgres().certificates().authority()});
    CHECK(client.log_in("app_trust").ends_with("Z(I)"));
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/startup: plaintext behind an SSLRequest closes the connection")
{
    // Somebody in the middle could have put it there, to be read as if it had come under TLS.
    const Pgweir pgweir{trusting_with_tls()};
    WireClient client{pgweir.target()};
    client.send(message::ssl_request() + message::startup(who));
    const auto go_on = [&] {
        static_cast<void>(client.stream().read_exactly(1));
        client.stream().start_tls({});
        return client.receive_until('Z');
    };
    CHECK_THROWS_AS(go_on(), PeerGone);
}

TEST_CASE("integration/startup: TLS may begin at once when ALPN says postgresql" * pooler_only())
{
    const Pgweir pgweir{trusting_with_tls()};
    WireClient client{pgweir.target()};
    client.stream().start_tls(
        {.alpn = "postgresql", .authority = postgres().certificates().authority()}
    );
    CHECK(client.stream().alpn() == "postgresql");
    CHECK(client.log_in("app_trust").ends_with("Z(I)"));
    CHECK(client.ask(message::query("SELECT 1")) == "T(1) D(1) C(SELECT 1) Z(I)");
}

TEST_CASE(
    "integration/startup: direct TLS for another protocol, or for none, is refused" * pooler_only()
)
{
    // Without ALPN, bytes meant for another service could be turned against us.
    const Pgweir pgweir{trusting_with_tls()};
    for (const std::string protocol : {"h2", ""}) {
        CAPTURE(protocol);
        WireClient client{pgweir.target()};
        const auto attempt = [&] {
            client.stream().start_tls({.alpn = protocol});
            client.send(message::startup(who));
            return client.receive_until('Z');
        };
        CHECK_THROWS_AS(attempt(), PeerGone);
    }
}

TEST_CASE("integration/startup: an unknown database is 3D000")
{
    const Pgweir pgweir{{.user = "app_trust"}};
    const std::string error = login_error(pgweir.conninfo("dbname=nowhere"));
    CAPTURE(error);
    CHECK(error.starts_with("3D000 "));
    CHECK(error.find("nowhere") != std::string::npos);
}

TEST_CASE(
    "integration/startup: a database that the configuration does not list is 3D000" * pooler_only()
)
{
    const Pgweir pgweir{{
        .user = "app_scram",
        .upstream = "-",
        .toml = "[databases.app]\nupstream = \"" + postgres().url("app_scram")
                + "\"\n[users.app_scram]\npassword = \"secret\"\n",
    }};
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
    const std::string error = login_error(pgweir.conninfo("dbname=postgres"));
    CAPTURE(error);
    CHECK(error.starts_with("3D000 "));
}

TEST_CASE("integration/startup: a startup packet of absurd length is refused at once")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.send(message::be32(0x7FFF'FFFF));
    const std::string answer = client.stream().read_to_end();
    CHECK((answer.empty() || answer.starts_with("E")));
}

TEST_CASE(
    "integration/startup: a client that says nothing is sent away after client_login_timeout"
    * pooler_only()
)
{
    Start start = trusting();
    start.flags.insert(start.flags.end(), {"--set", "client_login_timeout=200ms"});
    const Pgweir pgweir{start};
    WireClient silent{pgweir.target()};
    WireClient half{pgweir.target()};
    half.send(message::startup(who).substr(0, 10));
    static_cast<void>(silent.stream().read_to_end()); // throws if the end does not come
    static_cast<void>(half.stream().read_to_end());
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
}
