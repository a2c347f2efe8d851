#include <pgweir/config/sources.hpp>

#include <pgweir/config/rows.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace pgweir::config;

namespace {

Entry mention(Path path, const std::string& text = "")
{
    return {.path = std::move(path), .value = Untyped{text}, .place = {}};
}

std::string read(const Environment& environment, const std::vector<Entry>& known = {})
{
    std::vector<Problem> problems;
    std::string out;
    for (const Entry& entry : read_environment(environment, known, problems)) {
        out += to_key(entry.path) + "=" + std::get<Untyped>(entry.value).text + "\n";
    }
    return out + report(problems);
}

} // namespace

TEST_CASE("config/sources: a variable is the key with underscores")
{
    CHECK(
        read(
            {{"PGWEIR_POOL_SIZE", "30"},
             {"PGWEIR_HTTP", ""},
             {"PGWEIR_CLIENT_TLS_CERT_FILE", "c"},
             {"PGWEIR_MAX_CLIENT_CONN", "5"},
             {"POOL_SIZE", "1"},
             {"PGWEIR", "1"}}
        )
        == "client_tls.cert_file=c\nhttp=\nmax_client_conn=5\npool.size=30\n"
    );
}

TEST_CASE("config/sources: no two settings share a variable")
{
    std::set<std::string> variables;
    for (const std::string& key : all_keys({})) {
        std::string variable = "PGWEIR_";
        for (const char c : key) variable += c == '.' ? '_' : static_cast<char>(std::toupper(c));
        CAPTURE(variable);
        CHECK(variables.insert(variable).second);
        CHECK(read({{variable, "x"}}) == key + "=x\n");
    }
    CHECK(variables.size() > 40);
}

TEST_CASE("config/sources: databases and users have variables too")
{
    CHECK(
        read(
            {{"PGWEIR_DATABASES_APP_UPSTREAM", "u"},
             {"PGWEIR_DATABASES_APP_POOL_MIN_SIZE", "1"},
             {"PGWEIR_USERS_MY_APP_PASSWORD", "p"},
             {"PGWEIR_USERS_APP_PASSWORD_FILE", "f"},
             {"PGWEIR_USERS_APP_POOL_SIZE", "2"}}
        )
        == R"(databases.app.pool.min_size=1
databases.app.upstream=u
users.app.password_file=f
users.app.pool.size=2
users.my_app.password=p
)"
    );
}

TEST_CASE("config/sources: a name in a variable is the one that the file has, if it has it")
{
    const std::vector<Entry> known{
        mention({"users", "My-App", "password"}),
        mention({"databases", "shop.eu"}),
        mention({"users", "a-b"}),
        mention({"users", "A_B"})
    };
    CHECK(
        read(
            {{"PGWEIR_USERS_MY_APP_PASSWORD", "p"}, {"PGWEIR_DATABASES_SHOP_EU_UPSTREAM", "u"}},
            known
        )
        == "databases.\"shop.eu\".upstream=u\nusers.My-App.password=p\n"
    );
    CHECK(
        read({{"PGWEIR_USERS_A_B_PASSWORD", "p"}}, known)
        == "users.A_B.password=p\n"
           "environment: PGWEIR_USERS_A_B_PASSWORD: could mean users.A_B or users.a-b: use the "
           "file\n"
    );
}

TEST_CASE("config/sources: an unknown variable is a typo")
{
    CHECK(
        read(
            {{"PGWEIR_POOL_SISE", "1"},
             {"PGWEIR_SOMETHING_QUITE_DIFFERENT", "1"},
             {"PGWEIR_USERS_APP_PASWORD", "hunter2"},
             {"PGWEIR_USERS__PASSWORD", "1"}}
        )
        == R"(environment: PGWEIR_POOL_SISE: is not a setting; did you mean PGWEIR_POOL_SIZE?
environment: PGWEIR_SOMETHING_QUITE_DIFFERENT: is not a setting
environment: PGWEIR_USERS_APP_PASWORD: is not a setting
environment: PGWEIR_USERS__PASSWORD: is not a setting
)"
    );
}

TEST_CASE("config/sources: the variables of a Kubernetes Service with our name mean nothing to us")
{
    CHECK(read({{"PGWEIR_SERVICE_HOST", "10.0.0.1"},
                {"PGWEIR_SERVICE_PORT", "6432"},
                {"PGWEIR_SERVICE_PORT_POSTGRES", "6432"},
                {"PGWEIR_PORT", "tcp://10.0.0.1:6432"},
                {"PGWEIR_PORT_6432_TCP", "tcp://10.0.0.1:6432"},
                {"PGWEIR_PORT_6432_TCP_PROTO", "tcp"},
                {"PGWEIR_PORT_6432_TCP_PORT", "6432"},
                {"PGWEIR_PORT_6432_TCP_ADDR", "10.0.0.1"},
                {"PGWEIR_METRICS_SERVICE_HOST", "10.0.0.2"},
                {"PGWEIR_METRICS_PORT", "tcp://10.0.0.2:1"},
                {"PGWEIR_METRICS_PORT_9930_TCP_ADDR", "10.0.0.2"}})
              .empty());
    CHECK(
        read(
            {{"PGWEIR_PORT_", ""},
             {"PGWEIR_PORT_X_TCP", ""},
             {"PGWEIR_PORT_1_TCPX", ""},
             {"PGWEIR_SERVICE_PORT_", ""},
             {"PGWEIR_LISTEN_PORT", ""}}
        )
        == R"(environment: PGWEIR_LISTEN_PORT: is not a setting
environment: PGWEIR_PORT_: is not a setting
environment: PGWEIR_PORT_1_TCPX: is not a setting
environment: PGWEIR_PORT_X_TCP: is not a setting
environment: PGWEIR_SERVICE_PORT_: is not a setting
)"
    );
}

TEST_CASE("config/sources: a variable that holds a user's password is not a setting")
{
    CHECK(read(
              {{"PGWEIR_APP_SECRET", "hunter2"}, {"PGWEIR_CONFIG", "x"}},
              {mention({"users", "app", "password_env"}, "PGWEIR_APP_SECRET")}
    )
              .empty());
}

TEST_CASE("config/sources: flags that are given again replace, but lists grow")
{
    std::vector<Problem> problems;
    const auto entries = read_overrides(
        {{"listen", "a:1"}, {"pool.size", "1"}, {"listen", "b:2"}, {"pool.size", "2"}, {"a..b", "x"}
        },
        problems
    );
    std::string out;
    for (const Entry& entry : entries) {
        out += to_key(entry.path) + "=" + std::get<Untyped>(entry.value).text + "\n";
    }
    CHECK(out == "listen=a:1,b:2\npool.size=1\npool.size=2\n");
    CHECK(report(problems) == "command line: a..b: is not a key such as pool.size\n");
}
