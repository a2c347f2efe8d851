#include "support/daemon.hpp"
#include "support/parallel.hpp"
#include "support/wait.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

using namespace pgweir::test;

namespace {

const Certificates& certificates() { return postgres().certificates(); }

Start with_tls(const std::string& mode, const std::string& method = "scram-sha-256")
{
    Start start{.flags = {"--pool-size", "2"}};
    const Identity& identity = certificates().server();
    for (const std::string& setting :
         {"client_tls.mode=" + mode,
          "client_tls.cert_file=" + identity.cert_file.string(),
          "client_tls.key_file=" + identity.key_file.string(),
          "client_tls.ca_file=" + certificates().authority().string(),
          "auth.method=" + method}) {
        start.flags.insert(start.flags.end(), {"--set", setting});
    }
    return start;
}

// What libpq needs to be sure whom it talks to.
std::string verified()
{
    return "sslmode=verify-full sslrootcert=" + certificates().authority().string();
}

} // namespace

TEST_CASE("integration/tls: a client that verifies everything is content")
{
    const Pgweir pgweir{with_tls("prefer")};
    Connection client = pgweir.connect(verified());
    CHECK(PQsslInUse(client.raw()) == 1);
    CHECK(client.query("SELECT 1").text() == "1");
}

TEST_CASE("integration/tls: SCRAM is bound to the TLS channel when the client asks for it")
{
    const Pgweir pgweir{with_tls("require")};
    Connection client = pgweir.connect(verified() + " channel_binding=require");
    CHECK(client.query("SELECT 1").text() == "1");
}

TEST_CASE(
    "integration/tls: a client that demands channel binding is not let down to a password"
    * pooler_only()
)
{
    const Pgweir pgweir{with_tls("require", "password")};
    const std::string error = login_error(pgweir.conninfo("sslmode=require channel_binding=require")
    );
    CAPTURE(error);
    CHECK(error.find("channel binding") != std::string::npos);
    CHECK(pgweir.connect("sslmode=require channel_binding=prefer").query("SELECT 1").text() == "1");
}

TEST_CASE(
    "integration/tls: disable answers no, and a client that insists goes away" * pooler_only()
)
{
    const Pgweir pgweir{with_tls("disable")};
    CHECK(PQsslInUse(pgweir.connect("sslmode=prefer").raw()) == 0);
    const std::string error = login_error(pgweir.conninfo("sslmode=require"));
    CAPTURE(error);
    CHECK(error.find("server does not support SSL") != std::string::npos);
}

TEST_CASE("integration/tls: allow and prefer take clients with and without TLS" * pooler_only())
{
    for (const std::string mode : {"allow", "prefer"}) {
        CAPTURE(mode);
        const Pgweir pgweir{with_tls(mode)};
        CHECK(pgweir.connect("sslmode=disable").query("SELECT 1").text() == "1");
        CHECK(pgweir.connect("sslmode=require").query("SELECT 1").text() == "1");
    }
}

TEST_CASE(
    "integration/tls: require sends a plaintext client away with 28000 and the reason"
    * pooler_only()
)
{
    const Pgweir pgweir{with_tls("require")};
    const std::string error = login_error(pgweir.conninfo("sslmode=disable"));
    CAPTURE(error);
    CHECK(error.starts_with("28000 "));
    CHECK(error.find("TLS") != std::string::npos);
    CHECK(pgweir.connect("sslmode=require").query("SELECT 1").text() == "1");
}

TEST_CASE("integration/tls: verify-ca wants a certificate of our authority" * pooler_only())
{
    const Pgweir pgweir{with_tls("verify-ca")};
    const std::string base = verified() + " ";
    const std::string good = client_certificate(certificates().client());
    const std::string strange = client_certificate(certificates().strange_client());
    const std::string expired = client_certificate(certificates().expired_client());

    CHECK(pgweir.connect(base + good).query("SELECT 1").text() == "1");
    CHECK_FALSE(login_error(pgweir.conninfo(base + "sslcert=/nonexistent")).empty());
    CHECK_FALSE(login_error(pgweir.conninfo(base + strange)).empty());
    CHECK_FALSE(login_error(pgweir.conninfo(base + expired)).empty());
    CHECK(pgweir.connect(base + good).query("SELECT 2").text() == "2");
}

TEST_CASE("integration/tls: a client whose certificate was revoked is refused" * pooler_only())
{
    const std::string good = verified() + " " + client_certificate(certificates().client());
    const std::string bad = verified() + " " + client_certificate(certificates().revoked_client());
    Start start = with_tls("verify-ca");
    CHECK(Pgweir{start}.connect(bad).query("SELECT 1").text() == "1"); // nobody has said so

    const std::string list = "client_tls.crl_file=" + certificates().revoked_clients().string();
    start.flags.insert(start.flags.end(), {"--set", list});
    const Pgweir pgweir{start};
    CHECK_FALSE(login_error(pgweir.conninfo(bad)).empty());
    const auto is_told = [&] { return pgweir.log().find("revoked") != std::string::npos; };
    wait_until(is_told, "the log tells why");
    CHECK(pgweir.connect(good).query("SELECT 1").text() == "1");
}

TEST_CASE("integration/tls: verify-full wants the certificate to name the user" * pooler_only())
{
    Start start = with_tls("verify-full", "trust");
    start.user = "app_cert";
    start.upstream = "-";
    start.toml =
        "[databases.app]\nupstream = \"postgresql://127.0.0.1:" + std::to_string(postgres().port())
        + "/app?sslmode=require&sslcert=" + certificates().client().cert_file.string()
        + "&sslkey=" + certificates().client().key_file.string()
        + "\"\n[users.app_cert]\npassword = \"secret\"\n[users.app_scram]\npassword = \"secret\"\n";
    const Pgweir pgweir{start};
    const std::string cert = verified() + " " + client_certificate(certificates().client());

    CHECK(pgweir.connect(cert).query("SELECT current_user").text() == "app_cert");
    const std::string error = login_error(pgweir.conninfo(cert + " user=app_scram"));
    CAPTURE(error);
    CHECK(error.starts_with("28000 "));
}

TEST_CASE("integration/tls: large values pass under TLS on both sides")
{
    Start start = with_tls("require");
    start.upstream = postgres().url("app_tls") + "?sslmode=require";
    start.user = "app_tls";
    const Pgweir pgweir{start};
    Connection client = pgweir.connect(verified());

    const std::string value(8'000'000, 'x');
    CHECK(bool{client.query_params("SELECT $1::text", {value}).value() == value});
    CHECK(client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").text() == "t");
}

TEST_CASE("integration/tls: many clients under TLS share few servers")
{
    const Pgweir pgweir{with_tls("require")};
    std::atomic<int> right = 0;
    Parallel clients{8, [&](int id) {
                         Connection client = pgweir.connect(verified());
                         const std::string mine = std::to_string(id);
                         for (int i = 0; i < 50; ++i) {
                             const Result result = client.query_params("SELECT $1::text", {mine});
                             right += result.text() == mine ? 1 : 0;
                         }
                     }};
    clients.join();
    CHECK(right == 8 * 50);
}

TEST_CASE("integration/tls: a broken handshake harms nobody else" * pooler_only())
{
    const Pgweir pgweir{with_tls("require")};
    Connection client = pgweir.connect(verified());
    for (const std::string garbage : {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x40", ""}) {
        WireClient broken{pgweir.target()};
        broken.send(message::ssl_request());
        CHECK(broken.stream().read_exactly(1) == "S");
        broken.stream().write_what_is_taken(garbage);
        broken.stream().shut_down_writing();
        static_cast<void>(broken.stream().read_to_end()); // throws if the end does not come
        CHECK(client.query("SELECT 1").text() == "1");
    }
}
