#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

// The parameters of a URL that make the server prove who it is.
std::string verify_full(const std::filesystem::path& authority)
{
    return "?sslmode=verify-full&sslrootcert=" + authority.string();
}

Start upstream(const std::string& user, const std::string& parameters)
{
    Start start{.flags = {"--pool-size", "1"}, .user = user};
    start.upstream = postgres().url(user) + parameters;
    // The first login fails in some of these, and is not worth a second attempt.
    start.flags.insert(start.flags.end(), {"--set", "pool.query_wait_timeout=3s"});
    return start;
}

std::string server_is_under_tls(const Pgweir& pgweir)
{
    Connection client = pgweir.connect();
    return client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").text();
}

// A client gets in without a server in some designs and waits for one in others: what counts is
// that it is told, at its login or at its first query, and what the log says.
std::string first_error(const Pgweir& pgweir)
{
    std::string error = login_error(pgweir.conninfo());
    if (!error.empty()) return error;
    Connection client = pgweir.connect();
    const Result result = client.query("SELECT 1");
    return result.is_error() ? result.sqlstate() + " " + result.message() : "";
}

} // namespace

TEST_CASE(
    "integration/server_login: every method that PostgreSQL may ask for is answered" * pooler_only()
)
{
    for (const std::string user : {"app_scram", "app_md5", "app_plain", "app_trust"}) {
        CAPTURE(user);
        const Pgweir pgweir{upstream(user, "")};
        CHECK(pgweir.connect().query("SELECT current_user").text() == user);
    }
}

TEST_CASE("integration/server_login: a client certificate proves who we are" * pooler_only())
{
    const Certificates& certificates = postgres().certificates();
    const Pgweir pgweir{upstream(
        "app_cert",
        "?sslmode=require&sslcert=" + certificates.client().cert_file.string()
            + "&sslkey=" + certificates.client().key_file.string()
    )};
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_cert");
    CHECK(server_is_under_tls(pgweir) == "t");
}

TEST_CASE(
    "integration/server_login: the certificate may stand in the configuration" * pooler_only()
)
{
    const Certificates& certificates = postgres().certificates();
    Start start = upstream("app_cert", "");
    start.toml = "[server_tls]\nmode = \"verify-full\"\nca_file = \""
                 + certificates.authority().string() + "\"\ncert_file = \""
                 + certificates.client().cert_file.string() + "\"\nkey_file = \""
                 + certificates.client().key_file.string() + "\"\n";
    const Pgweir pgweir{start};
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_cert");
}

TEST_CASE(
    "integration/server_login: an expired client certificate is refused by PostgreSQL"
    * pooler_only()
)
{
    const Identity& expired = postgres().certificates().expired_client();
    const Pgweir pgweir{upstream(
        "app_cert",
        "?sslmode=require&sslcert=" + expired.cert_file.string()
            + "&sslkey=" + expired.key_file.string()
    )};
    const std::string error = first_error(pgweir);
    CAPTURE(error);
    CHECK_FALSE(error.empty());
}

TEST_CASE("integration/server_login: the sslmode of the URL decides about TLS" * pooler_only())
{
    CHECK(server_is_under_tls(Pgweir{upstream("app_scram", "?sslmode=disable")}) == "f");
    CHECK(server_is_under_tls(Pgweir{upstream("app_scram", "?sslmode=prefer")}) == "t");
    CHECK(server_is_under_tls(Pgweir{upstream("app_scram", "?sslmode=require")}) == "t");
}

TEST_CASE("integration/server_login: allow takes TLS only when PostgreSQL insists" * pooler_only())
{
    CHECK(server_is_under_tls(Pgweir{upstream("app_scram", "?sslmode=allow")}) == "f");
    CHECK(server_is_under_tls(Pgweir{upstream("app_tls", "?sslmode=allow")}) == "t");
}

TEST_CASE("integration/server_login: verify-full and channel binding work together" * pooler_only())
{
    const std::string parameters = verify_full(postgres().certificates().authority())
                                   + "&channel_binding=require";
    CHECK(server_is_under_tls(Pgweir{upstream("app_tls", parameters)}) == "t");
}

TEST_CASE(
    "integration/server_login: channel binding that cannot be had is a failure" * pooler_only()
)
{
    // md5 has no binding: whoever asks for the password could be anybody.
    const Pgweir pgweir{upstream("app_md5", "?sslmode=require&channel_binding=require")};
    const std::string error = first_error(pgweir);
    CAPTURE(error);
    CHECK_FALSE(error.empty());
    CHECK(pgweir.log().find("channel") != std::string::npos);
}

TEST_CASE(
    "integration/server_login: a server whose authority we do not know is not trusted"
    * pooler_only()
)
{
    for (const std::string mode : {"verify-ca", "verify-full"}) {
        CAPTURE(mode);
        const Pgweir pgweir{upstream(
            "app_scram",
            std::string{"?sslmode="} + mode
                + "&sslrootcert=" + postgres().certificates().stranger().string()
        )};
        const std::string error = first_error(pgweir);
        CAPTURE(error);
        CHECK_FALSE(error.empty());
        CHECK(pgweir.log().find("certificate") != std::string::npos);
        CHECK(postgres().server_count("app_scram") == 0);
    }
}

TEST_CASE(
    "integration/server_login: a server whose certificate was revoked is not spoken to"
    * pooler_only()
)
{
    const Certificates& certificates = postgres().certificates();
    const std::string verify = verify_full(certificates.authority()) + "&sslcrl=";
    const std::string others = verify + certificates.revoked_clients().string();
    CHECK(server_is_under_tls(Pgweir{upstream("app_scram", others)}) == "t");

    const std::string its_own = verify + certificates.revoked_servers().string();
    const Pgweir pgweir{upstream("app_scram", its_own)};
    CHECK_FALSE(first_error(pgweir).empty());
    CHECK(pgweir.log().find("revoked") != std::string::npos);
}

TEST_CASE(
    "integration/server_login: verify-full looks at the name, verify-ca does not" * pooler_only()
)
{
    const std::string authority = "&sslrootcert=" + postgres().certificates().authority().string();
    Start start = upstream("app_scram", "");
    start.upstream = postgres().url("app_scram", "127.0.0.2") + "?sslmode=verify-ca" + authority;
    CHECK(server_is_under_tls(Pgweir{start}) == "t");

    start.upstream = postgres().url("app_scram", "127.0.0.2") + "?sslmode=verify-full" + authority;
    const Pgweir pgweir{start};
    CHECK_FALSE(first_error(pgweir).empty());
    CHECK(pgweir.log().find("127.0.0.2") != std::string::npos);
}

TEST_CASE(
    "integration/server_login: a wrong password for PostgreSQL is told and not repeated for ever"
    * pooler_only()
)
{
    Start start = upstream("app_scram", "");
    const std::string port = std::to_string(postgres().port());
    start.upstream = "postgresql://app_scram:wrong@127.0.0.1:" + port + "/app";
    start.flags.insert(start.flags.end(), {"--set", "auth.method=trust"});
    const Pgweir pgweir{start};
    const std::string error = first_error(pgweir);
    CAPTURE(error);
    CHECK(error.starts_with("28P01 "));
    CHECK(pgweir.log().find("28P01") != std::string::npos);
}

TEST_CASE("integration/server_login: an absent PostgreSQL is 08006 or 57P03, soon" * pooler_only())
{
    Start start = upstream("app_scram", "");
    const std::string port = std::to_string(free_port());
    start.upstream = "postgresql://app_scram:secret@127.0.0.1:" + port + "/app";
    const Pgweir pgweir{start};
    const std::string error = first_error(pgweir);
    CAPTURE(error);
    CHECK((error.starts_with("08006 ") || error.starts_with("57P03 ")));
    CHECK(http_get(pgweir.http(), "/healthz").status == 200);
}

TEST_CASE(
    "integration/server_login: a silent PostgreSQL is given up after server_connect_timeout"
    * pooler_only()
)
{
    Start start = upstream("app_scram", "");
    start.flags.insert(start.flags.end(), {"--set", "pool.server_connect_timeout=300ms"});
    const Pgweir pgweir{start};
    std::string error;
    {
        const Freeze freeze;
        error = first_error(pgweir);
    }
    CAPTURE(error);
    CHECK_FALSE(error.empty());
    wait_until([&] { return first_error(pgweir).empty(); }, "PostgreSQL is found again");
}
