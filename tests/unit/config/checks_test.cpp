#include <pgweir/config/checks.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir::config;

namespace {

const std::string upstream = "upstream = 'postgresql://db'\n";

std::string warnings_of(const std::string& toml)
{
    return report(
        load_text(toml, {.file = "pgweir.toml", .overrides = {}, .environment = {}}).warnings
    );
}

} // namespace

TEST_CASE("config/checks: a pool keeps no more servers open than it may have")
{
    CHECK(problems_of(upstream + R"([pool]
size = 10
min_size = 11
[databases.a.pool]
size = 5
[users.b.pool]
min_size = 30
[users.c.pool]
query_timeout = "1s"
size = 11
)") == R"(pgweir.toml:4: pool.min_size: must be at most size, which is 10, is 11
pgweir.toml:6: databases.a.pool.size: must be at least min_size, which is 11, is 5
pgweir.toml:8: users.b.pool.min_size: must be at most size, which is 10, is 30
)");
    CHECK(problems_of(upstream + "[pool]\nsize = 10\nmin_size = 10\n").empty());
}

TEST_CASE("config/checks: weights are those of what a pool's clients are told apart by")
{
    CHECK(
        problems_of(upstream + R"([pool]
fair_weights = ["web=4", "batch"]
[databases.a.pool]
fair_weights = ["web=4", "batch=1"]
[users.b.pool]
fair_by = "address"
[users.c.pool]
fair_by = "none"
fair_weights = ["web=4"]
)")
        == R"(pgweir.toml:3: pool.fair_weights: each must be a name and its weight, )"
           R"(1 to 1000, such as "batch=1", is "batch")"
           "\n"
           R"(pgweir.toml:7: users.b.pool.fair_by: does not suit fair_weights: each must be )"
           R"(an address or prefix and its weight, 1 to 1000, such as )"
           R"("10.1.0.0/16=4" or "unix=2", is "web=4")"
           "\n"
    );
}

TEST_CASE("config/checks: TLS towards clients needs a certificate and its key")
{
    CHECK(
        problems_of(upstream + "[client_tls]\nmode = 'prefer'\n")
        == "pgweir.toml:3: client_tls.mode: needs cert_file and key_file\n"
    );
    CHECK(
        problems_of(upstream + "[client_tls]\nmode = 'verify-full'\n")
        == "pgweir.toml:3: client_tls.mode: needs cert_file and key_file\n"
           "pgweir.toml:3: client_tls.mode: needs ca_file, to verify the certificates of clients\n"
    );
    CHECK(problems_of(upstream + "[client_tls]\nmode = 'disable'\n").empty());
    CHECK(problems_of(upstream).empty());
}

TEST_CASE("config/checks: a certificate and a key need each other, and somebody who uses them")
{
    const TemporaryDirectory directory;
    directory.write("c.pem", "pem", 0644);
    directory.write("k.pem", "pem", 0644);
    const std::string cert = "cert_file = '" + directory.path("c.pem") + "'\n";
    const std::string key = "key_file = '" + directory.path("k.pem") + "'\n";

    CHECK(
        problems_of(upstream + "[client_tls]\n" + cert)
        == "pgweir.toml:3: client_tls.cert_file: needs key_file as well\n"
    );
    CHECK(
        problems_of(upstream + "[server_tls]\n" + key)
        == "pgweir.toml:3: server_tls.key_file: needs cert_file as well\n"
    );
    CHECK(
        warnings_of(upstream + "[client_tls]\n" + cert + key)
        == "pgweir.toml:4: client_tls.key_file: " + directory.path("k.pem")
               + " can be read by everybody: chmod 0600 it\n"
                 "pgweir.toml:3: client_tls.cert_file: has no effect while client_tls.mode is "
                 "disable\n"
    );
}

TEST_CASE("config/checks: who verifies PostgreSQL says whom to trust")
{
    CHECK(
        problems_of(upstream + "[server_tls]\nmode = 'verify-ca'\n")
        == "pgweir.toml:3: server_tls.mode: needs ca_file: a file, or \"system\" for the machine's "
           "own\n"
    );
    CHECK(
        problems_of(R"(upstream = "postgresql://db/?sslmode=verify-full"
[databases.a]
upstream = "postgresql://db/?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem"
[databases.b]
upstream = "host=/run/postgresql sslmode=verify-full"
[databases.c]
upstream = "postgresql://db/?sslmode=verify-full&sslrootcert=system"
[databases.d.pool]
size = 1
)")
        == "pgweir.toml:1: upstream: sslmode=verify-full needs sslrootcert or server_tls.ca_file: "
           "a "
           "file, or \"system\" for the machine's own\n"
           "pgweir.toml:3: databases.a.upstream: /nowhere/ca.pem cannot be read: No such file or "
           "directory\n"
    );
    CHECK(
        problems_of(
            "upstream = 'postgresql://db/?sslmode=verify-full'\n[server_tls]\nca_file = 'system'\n"
        )
            .empty()
    );
}

TEST_CASE("config/checks: a verifier of the wrong kind is warned of")
{
    const std::string users = R"([users.a]
password = "md5aabbccddeeff00112233445566778899"
[users.b]
password = "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5"
)";
    CHECK(
        warnings_of(upstream + users)
        == "pgweir.toml:2: users.a: has an md5 verifier, which auth.method scram-sha-256 cannot "
           "use\n"
    );
    CHECK(
        warnings_of(upstream + "auth.method = 'md5'\n" + users)
        == "pgweir.toml:5: users.b: has a SCRAM verifier, which auth.method md5 cannot use\n"
    );
}

TEST_CASE("config/checks: a default at fault is named by its key")
{
    Report report_;
    report_.add_problem("pool.size", "is odd");
    CHECK(report(report_.problems) == "settings: pool.size: is odd\n");
}

TEST_CASE("config/checks: a pool is not guaranteed more than there may be")
{
    CHECK(
        problems_of(upstream + R"(max_db_connections = 8
[pool]
guaranteed_size = 9
)") == "pgweir.toml:4: pool.guaranteed_size: must be at most max_db_connections, which is 8, is 9\n"
    );
    CHECK(
        problems_of(upstream + R"([users.b]
max_user_connections = 3
[users.b.pool]
guaranteed_size = 4
[users.c.pool]
size = 4
guaranteed_size = 5
)")
        == "pgweir.toml:5: users.b.pool.guaranteed_size: must be at most max_user_connections, "
           "which is 3, is 4\n"
           "pgweir.toml:8: users.c.pool.guaranteed_size: must be at most size, which is 4, is 5\n"
    );
    CHECK(
        warnings_of(upstream + R"(max_db_connections = 8
[users.b.pool]
guaranteed_size = 4
[users.c.pool]
guaranteed_size = 5
)")
        == "pgweir.toml:2: max_db_connections: is 8, less than the guaranteed_size of all users "
           "together, 9: those that log in last may not have theirs\n"
    );
}

TEST_CASE("config/checks: what a database or user says of its cap counts more")
{
    const auto result = load_text(
        upstream + R"(max_db_connections = 8
max_user_connections = 7
[databases.app]
max_db_connections = 0
[users.b]
password = "secret"
max_user_connections = 3
)",
        {.file = "pgweir.toml", .overrides = {}, .environment = {}}
    );
    REQUIRE(result.settings);
    CHECK(result.settings->pool_options("app", "b").max_db_connections == 0);
    CHECK(result.settings->pool_options("app", "b").max_user_connections == 3);
    CHECK(result.settings->pool_options("other", "c").max_db_connections == 8);
    CHECK(result.settings->pool_options("other", "c").max_user_connections == 7);
    CHECK(result.settings->users.at("b").auth.password == "secret");
}
