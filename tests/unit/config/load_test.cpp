#include <pgweir/config/load.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::config;
using namespace std::chrono_literals;

namespace {

const std::string upstream = "upstream = 'postgresql://db'\n";

std::string problems_of(const std::string& toml, Environment environment, Overrides overrides = {})
{
    return report(load_text(
                      toml,
                      {.file = "pgweir.toml",
                       .overrides = std::move(overrides),
                       .environment = std::move(environment)}
    )
                      .problems);
}

} // namespace

TEST_CASE("config/load: every problem of a file is reported, each with its line and its key")
{
    CHECK(
        config::problems_of(R"(listen = ["6432"]
worker_threads = 65
http = 9930
client_login_timeout = 60
max_packet_size = "16MB"
unix_socket_mode = 777
lisen = ["127.0.0.1:6432"]
upstream = "postgresql://app:hunter2@db/app?sslmod=require"

[pool]
size = 0
min_size = -1
mode = "transactions"
query_wait_timeout = "31d"
prepare_unnamed = "yes"
sise = 20
server_reset_query = 5

[auth]
method = "scram"

[log]
level = 3

[poool]
size = 1

[databases.app.pool]
size = "20"
[databases.app.pol]
size = 3
[users.app]
pasword = "hunter3"
)")
        == R"(pgweir.toml:1: listen: "6432" is not an address such as "127.0.0.1:6432", )"
           R"("[::1]:6432" or "/run/pgweir"
pgweir.toml:2: worker_threads: must be between 0 and 64, is 65
pgweir.toml:3: http: must be a string
pgweir.toml:4: client_login_timeout: must be a duration such as "500ms", "5s", "1min", "1h" or "1d"
pgweir.toml:5: max_packet_size: must be a size such as "64KiB", "16MiB" or "1GiB"
pgweir.toml:6: unix_socket_mode: must be an octal string such as "0770"
pgweir.toml:7: lisen: is not a setting; did you mean listen?
pgweir.toml:11: pool.size: must be between 1 and 10000, is 0
pgweir.toml:12: pool.min_size: must be between 0 and 10000, is -1
pgweir.toml:13: pool.mode: must be transaction, session or statement, is "transactions"
pgweir.toml:14: pool.query_wait_timeout: must be between 0 and 30d, is 31d
pgweir.toml:15: pool.prepare_unnamed: must be true or false
pgweir.toml:16: pool.sise: is not a setting; did you mean pool.size?
pgweir.toml:17: pool.server_reset_query: must be a string
pgweir.toml:20: auth.method: must be trust, password, md5 or scram-sha-256, is "scram"
pgweir.toml:23: log.level: must be debug, info, warning or error
pgweir.toml:25: poool: is not a table of settings; did you mean pool?
pgweir.toml:29: databases.app.pool.size: must be a whole number
pgweir.toml:30: databases.app.pol: is not a table of settings; did you mean databases.app.pool?
pgweir.toml:33: users.app.pasword: is not a setting; did you mean users.app.password?
pgweir.toml:8: upstream: has an unknown option; did you mean sslmode?
)"
    );
}

TEST_CASE("config/load: a table is not a setting, and a setting not a table")
{
    CHECK(
        config::problems_of(
            "pool = 5\n[listen]\naddress = 1\n[databases]\napp = 'postgresql://db'\n"
        )
        == R"(pgweir.toml:1: pool: is a table, not a setting
pgweir.toml:2: listen: is a setting, not a table
pgweir.toml:5: databases.app: is a table, not a setting
)"
    );
}

TEST_CASE("config/load: after a syntax error nothing is said about what is missing")
{
    CHECK(
        config::problems_of("upstream = \"postgresql://u:hunter2@db\n")
        == "pgweir.toml:1: is not valid TOML: the next token is not a valid string\n"
    );
}

TEST_CASE("config/load: the command line beats the environment, which beats the file")
{
    const std::string toml = upstream + "[pool]\nsize = 1\nmin_size = 1\nmax_waiting = 1\n";
    const auto settings = settings_of(
        toml, {{"PGWEIR_POOL_SIZE", "4"}, {"PGWEIR_POOL_MIN_SIZE", "2"}}, {{"pool.size", "3"}}
    );
    CHECK(settings.pool.size == 3);
    CHECK(settings.pool.min_size == 2);
    CHECK(settings.pool.max_waiting == 1);
}

TEST_CASE("config/load: variables and flags need no quotes, brackets or types")
{
    const auto settings = settings_of(
        "",
        {{"PGWEIR_LISTEN", "0.0.0.0:6432, /run/pgweir"},
         {"PGWEIR_HTTP", ""},
         {"PGWEIR_POOL_PREPARE_UNNAMED", "off"},
         {"PGWEIR_POOL_QUERY_TIMEOUT", "0"},
         {"PGWEIR_MAX_PACKET_SIZE", "65536"},
         {"PGWEIR_UNIX_SOCKET_MODE", "770"}},
        {{"upstream", "postgresql://db"},
         {"databases.app.upstream", "postgresql://db2"},
         {"admin_users", "alice,bob"}}
    );
    CHECK(
        settings.listen
        == std::vector<net::ListenAddress>{{"0.0.0.0", 6432, ""}, {"", 6432, "/run/pgweir"}}
    );
    CHECK(settings.http.empty());
    CHECK_FALSE(settings.pool.prepare_unnamed);
    CHECK(settings.max_packet_size == 65'536);
    CHECK(settings.unix_socket_mode == 0770);
    CHECK(settings.find_upstream("app").value().hosts.at(0).host == "db2");
    CHECK(settings.admin_users == std::vector<std::string>{"alice", "bob"});
}

TEST_CASE("config/load: a wrong variable or flag is named as it was given")
{
    CHECK(
        problems_of(
            upstream,
            {{"PGWEIR_POOL_SIZE", "many"}, {"PGWEIR_POOL_SISE", "1"}},
            {{"pool.size", "99999999999999999999999"}, {"pool.sise", "1"}, {"pool", "1"}}
        )
        == R"(environment: PGWEIR_POOL_SISE: is not a setting; did you mean PGWEIR_POOL_SIZE?
environment: PGWEIR_POOL_SIZE: must be a whole number
command line: pool.size: must be between 1 and 10000, is 99999999999999999999999
command line: pool.sise: is not a setting; did you mean pool.size?
command line: pool: is a table, not a setting
)"
    );
}

TEST_CASE("config/load: DATABASE_URL is the upstream when nothing else names one")
{
    const Environment environment{{"DATABASE_URL", "postgresql://u:p@variable/d"}};
    const auto host = [&](const std::string& toml, std::string_view database) {
        const auto found = settings_of(toml, environment).find_upstream(database);
        return found ? found->hosts.at(0).host : "unknown";
    };
    CHECK(host("", "app") == "variable");
    CHECK(host("[databases.app.pool]\nsize = 3\n", "app") == "variable");
    CHECK(host(upstream, "app") == "db");
    CHECK(host("[databases.app]\nupstream = 'postgresql://listed'\n", "app") == "listed");
    CHECK(host("[databases.app]\nupstream = 'postgresql://listed'\n", "other") == "unknown");
    CHECK(
        problems_of("", {{"DATABASE_URL", "mysql://u:hunter2@h/d"}})
        == "environment: DATABASE_URL: is not a connection string: expected "
           "postgresql://user@host:port/dbname, or key=value pairs with quotes around values that "
           "contain spaces\n"
    );
}

TEST_CASE("config/load: without any upstream we say how to give one")
{
    CHECK(
        config::problems_of("http = ''")
        == "pgweir.toml: upstream: nobody says where PostgreSQL is: give --upstream "
           "postgresql://user@host/dbname, DATABASE_URL, or [databases.NAME] in a file\n"
    );
    CHECK(
        config::problems_of("[databases.app]\n")
        == "pgweir.toml:1: databases.app: needs an upstream: a connection string\n"
    );
}

TEST_CASE("config/load: the console's names cannot be databases")
{
    CHECK(
        config::problems_of("[databases.pgweir]\nupstream = "
                            "'postgresql://a'\n[databases.pgbouncer.pool]\nsize = 1\n")
        == R"(pgweir.toml:3: databases.pgbouncer: is reserved: it is the name of the console
pgweir.toml:2: databases.pgweir.upstream: is reserved: it is the name of the console
)"
    );
}

TEST_CASE("config/load: a password is in the file, in a file of its own, or in a variable")
{
    const TemporaryDirectory directory;
    directory.write("app.password", "from file\r\n");
    directory.write("pgweir.toml", upstream + R"([users.one]
password = "from toml"
[users.two]
password_file = "app.password"
[users.three]
password_env = "THREE"
[users.four]
)");
    const auto result = load(
        {.file = directory.path("pgweir.toml"),
         .overrides = {},
         .environment = {{"THREE", "from variable"}}}
    );
    CHECK(report(result.problems).empty());
    CHECK(report(result.warnings).empty());
    CHECK(result.settings.value().users.at("one").auth == auth::User{"one", true, "from toml"});
    CHECK(result.settings.value().users.at("two").auth == auth::User{"two", true, "from file"});
    CHECK(
        result.settings.value().users.at("three").auth == auth::User{"three", true, "from variable"}
    );
    CHECK(result.settings.value().users.at("four").auth == auth::User{"four", false, ""});
}

TEST_CASE("config/load: of two passwords the one with precedence counts, two in one place do not")
{
    const auto settings = settings_of(
        upstream + "[users.app]\npassword_file = '/nowhere'\n", {{"PGWEIR_USERS_APP_PASSWORD", "p"}}
    );
    CHECK(settings.users.at("app").auth.password == "p");
    CHECK(
        config::problems_of(upstream + "[users.app]\npassword = 'hunter2'\npassword_env = 'X'\n")
        == "pgweir.toml:4: users.app.password_env: stands beside password: keep one of them\n"
           "pgweir.toml:4: users.app.password_env: names X, which is not set\n"
    );
}

TEST_CASE("config/load: a password file that cannot be used is a problem")
{
    const TemporaryDirectory directory;
    directory.write("empty", "\n");
    directory.write("two", "hunter2\nhunter3\n");
    directory.write("pgweir.toml", upstream + R"([users.a]
password_file = "missing"
[users.b]
password_file = "empty"
[users.c]
password_file = "two"
[users.d]
password_file = "."
)");
    const std::string file = directory.path("pgweir.toml");
    const auto result = load({.file = file, .overrides = {}, .environment = {}});
    CHECK(
        report(result.problems)
        == file + ":3: users.a.password_file: " + directory.path("missing")
               + " cannot be read: No such file or directory\n" + file
               + ":5: users.b.password_file: " + directory.path("empty") + " is empty\n" + file
               + ":7: users.c.password_file: " + directory.path("two") + " has more than one line\n"
               + file + ":9: users.d.password_file: " + directory.path(".")
               + " cannot be read: Is a directory\n"
    );
}

TEST_CASE("config/load: secrets that everybody can read are warned of")
{
    const TemporaryDirectory directory;
    directory.write("secret", "hunter2\n", 0644);
    directory.write(
        "pgweir.toml",
        R"(upstream = "postgresql://u:hunter3@db"
[databases.app]
upstream = "postgresql://db"
[users.a]
password_file = "secret"
[users.b]
password = "hunter4"
)",
        0644
    );
    const std::string file = directory.path("pgweir.toml");
    const auto result = load({.file = file, .overrides = {}, .environment = {}});
    CHECK(report(result.problems).empty());
    CHECK(
        report(result.warnings)
        == file + ":5: users.a.password_file: " + directory.path("secret")
               + " can be read by everybody: chmod 0600 it\n" + file
               + ":1: upstream: is a password in a file that everybody can read: chmod 0600 it\n"
               + file
               + ":7: users.b.password: is a password in a file that everybody can read: chmod "
                 "0600 it\n"
    );
}

TEST_CASE("config/load: a file whose passwords are elsewhere may be read by everybody")
{
    const TemporaryDirectory directory;
    directory.write("pgpass", "*:*:*:u:hunter2\n", 0600);
    directory.write("pgweir.toml", "upstream = 'postgresql://u@db'\n", 0644);
    const auto result = load(
        {.file = directory.path("pgweir.toml"),
         .overrides = {},
         .environment = {{"PGPASSFILE", directory.path("pgpass")}}}
    );
    CHECK(report(result.warnings).empty());
    CHECK(result.settings.value().upstream.value().password == "hunter2");
}

TEST_CASE("config/load: the user of an upstream may have its password under users")
{
    const auto settings = settings_of(R"(
[databases.app]
upstream = "postgresql://app@db"
[databases.shop]
upstream = "postgresql://shop@db"
[databases.other]
upstream = "postgresql://app:own@db"
[users.app]
password = "plain"
[users.shop]
password = "SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5"
)");
    CHECK(settings.databases.at("app").upstream.password == "plain");
    CHECK(settings.databases.at("other").upstream.password == "own");
    CHECK_FALSE(settings.databases.at("shop").upstream.has_password);
}

TEST_CASE("config/load: paths in the file begin at the file, those of variables where we run")
{
    const TemporaryDirectory directory;
    for (const char* const name : {"c.pem", "k.pem", "ca.pem"}) directory.write(name, "pem");
    directory.write(
        "pgweir.toml", R"(upstream = "postgresql://db/?sslmode=verify-full&sslrootcert=ca.pem"
[client_tls]
mode = "require"
cert_file = "c.pem"
key_file = "k.pem"
)"
    );
    const auto result = load(
        {.file = directory.path("pgweir.toml"), .overrides = {}, .environment = {}}
    );
    CHECK(report(result.problems).empty());
    CHECK(result.settings.value().client_tls.cert_file == directory.path("c.pem"));
    CHECK(result.settings.value().upstream.value().tls.ca_file == directory.path("ca.pem"));
    CHECK(
        problems_of(
            upstream,
            {{"PGWEIR_CLIENT_TLS_CERT_FILE", "no-such.pem"},
             {"PGWEIR_CLIENT_TLS_KEY_FILE", "/dev/null"}}
        )
        == "environment: PGWEIR_CLIENT_TLS_CERT_FILE: no-such.pem cannot be read: No such file or "
           "directory\n"
           "environment: PGWEIR_CLIENT_TLS_KEY_FILE: /dev/null cannot be read: Invalid argument\n"
    );
}

TEST_CASE("config/load: a file that is not there is one problem")
{
    CHECK(
        report(load({.file = "/nowhere/pgweir.toml", .overrides = {}, .environment = {}}).problems)
        == "/nowhere/pgweir.toml: cannot be read: No such file or directory\n"
    );
    CHECK(
        report(load({.file = "", .overrides = {}, .environment = {{"PGWEIR_CONFIG", "/nowhere/x"}}}
        ).problems)
        == "/nowhere/x: cannot be read: No such file or directory\n"
    );
}

TEST_CASE("config/load: without a file the environment and flags are enough")
{
    const auto result = load(
        {.file = "", .overrides = {{"upstream", "postgresql://db/app"}}, .environment = {}}
    );
    CHECK(report(result.problems).empty());
    Settings expected;
    expected.upstream = result.settings.value().upstream;
    CHECK(result.settings == expected);
}
