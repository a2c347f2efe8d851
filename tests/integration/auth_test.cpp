#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

Start with_method(const std::string& method)
{
    return {.flags = {"--pool-size", "1", "--set", "auth.method=" + method}};
}

// The upstream names no user: each client is itself there, with the password we know.
Start with_users(const std::string& users)
{
    return {
        .upstream = "-",
        .toml = "[databases.app]\nupstream = \"postgresql://127.0.0.1:"
                + std::to_string(postgres().port()) + "/app\"\n" + users,
    };
}

// The kinds of AuthenticationRequest that a client of this user is sent before it has proven
// anything: 0 ok, 3 cleartext, 5 md5, 10 SASL.
std::string first_request(const Pgweir& pgweir, const std::string& user)
{
    WireClient client{pgweir.target()};
    client.send(message::startup({{"user", user}, {"database", "app"}}));
    return client.receive().text();
}

} // namespace

TEST_CASE("integration/auth: the user of the upstream URL logs in with its password")
{
    const Pgweir pgweir;
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_scram");
}

TEST_CASE("integration/auth: each method asks for what its name says" * pooler_only())
{
    const std::vector<std::pair<std::string, std::string>> methods{
        {"trust", "R(0)"}, {"password", "R(3)"}, {"md5", "R(5)"}, {"scram-sha-256", "R(10)"}
    };
    for (const auto& [method, request] : methods) {
        CAPTURE(method);
        const Pgweir pgweir{with_method(method)};
        CHECK(first_request(pgweir, "app_scram") == request);
        CHECK(pgweir.connect().query("SELECT 1").text() == "1");
        const std::string error = login_error(pgweir.conninfo("password=wrong"));
        CHECK(error.empty() == (method == "trust"));
    }
}

TEST_CASE("integration/auth: a wrong password is 28P01")
{
    const Pgweir pgweir;
    CHECK(
        login_error(pgweir.conninfo("password=wrong"))
        == "28P01 password authentication failed for user \"app_scram\""
    );
}

TEST_CASE("integration/auth: a user who does not exist is asked like one who does" * pooler_only())
{
    for (const std::string method : {"password", "md5", "scram-sha-256"}) {
        CAPTURE(method);
        const Pgweir pgweir{with_method(method)};
        CHECK(first_request(pgweir, "nobody") == first_request(pgweir, "app_scram"));
        const std::string nobody = login_error(pgweir.conninfo("user=nobody"));
        CHECK(nobody == "28P01 password authentication failed for user \"nobody\"");
        const std::string wrong = login_error(pgweir.conninfo("password=wrong"));
        CHECK(wrong == "28P01 password authentication failed for user \"app_scram\"");
    }
}

TEST_CASE(
    "integration/auth: SCRAM gives the salt of a user who does not exist twice the same"
    * pooler_only()
)
{
    // A salt that changes from one attempt to the next tells that there is no user behind it.
    const Pgweir pgweir;
    const auto salt_of = [&](const std::string& user) {
        WireClient client{pgweir.target()};
        client.send(message::startup({{"user", user}, {"database", "app"}}));
        REQUIRE(client.receive().text() == "R(10)");
        const std::string first = "n,,n=,r=clientnonce";
        client.send(message::typed(
            'p', std::string{"SCRAM-SHA-256"} + '\0' + message::be32(first.size()) + first
        ));
        const std::string reply = client.receive().body.substr(4);
        const std::size_t from = reply.find(",s=");
        REQUIRE(from != std::string::npos);
        return reply.substr(from); // salt and iterations
    };
    CHECK(salt_of("nobody") == salt_of("nobody"));
    CHECK(salt_of("nobody") != salt_of("anybody"));
    CHECK(salt_of("nobody").size() == salt_of("app_scram").size());
}

TEST_CASE("integration/auth: users of the configuration log in as themselves" * pooler_only())
{
    const Pgweir pgweir{with_users(
        "[users.app_scram]\npassword = \"secret\"\n[users.app_md5]\npassword = \"secret\"\n"
    )};
    for (const std::string user : {"app_scram", "app_md5"}) {
        CAPTURE(user);
        const std::string as = std::string{"user="} + user;
        CHECK(pgweir.connect(as).query("SELECT current_user").text() == user);
    }
    CHECK(login_error(pgweir.conninfo("user=app_plain")).starts_with("28P01 "));
}

TEST_CASE("integration/auth: a password may come from a file" * pooler_only())
{
    const TempDirectory directory;
    write_file(directory / "password", "secret\n");
    const Pgweir pgweir{with_users(
        "[users.app_scram]\npassword_file = \"" + (directory / "password").string() + "\"\n"
    )};
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_scram");
    CHECK(login_error(pgweir.conninfo("password=wrong")).starts_with("28P01 "));
}

TEST_CASE("integration/auth: a password may come from the variable of the URL" * pooler_only())
{
    const Pgweir pgweir{
        {.upstream = "-", .environment = {{"DATABASE_URL", postgres().url("app_scram")}}}
    };
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_scram");
}

TEST_CASE("integration/auth: an MD5 verifier is enough for an MD5 login" * pooler_only())
{
    // md5 of "secretapp_trust"; PostgreSQL trusts this user, so that no plain text is needed.
    const std::string verifier = postgres().sql("SELECT 'md5' || md5('secret' || 'app_trust')");
    Start start = with_users("[users.app_trust]\npassword = \"" + verifier + "\"\n");
    start.user = "app_trust";
    start.flags = {"--set", "auth.method=md5"};
    const Pgweir pgweir{start};
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_trust");
    CHECK(login_error(pgweir.conninfo("password=wrong")).starts_with("28P01 "));
}

TEST_CASE("integration/auth: a SCRAM verifier is enough for a SCRAM login" * pooler_only())
{
    const std::string verifier = postgres().sql(
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'app_trust'"
    );
    REQUIRE(verifier.starts_with("SCRAM-SHA-256$"));
    Start start = with_users("[users.app_trust]\npassword = \"" + verifier + "\"\n");
    start.user = "app_trust";
    const Pgweir pgweir{start};
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_trust");
    CHECK(login_error(pgweir.conninfo("password=wrong")).starts_with("28P01 "));
}

TEST_CASE("integration/auth: a login that stops half way disturbs nobody")
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    for (int i = 0; i < 20; ++i) {
        WireClient half{pgweir.target()};
        half.send(message::startup({{"user", "app_scram"}, {"database", "app"}}));
        CHECK(half.receive().text() == "R(10)");
    }
    CHECK(client.query("SELECT 1").text() == "1");
}
