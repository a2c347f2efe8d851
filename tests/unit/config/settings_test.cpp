#include <pgweir/config/settings.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::config;
using namespace std::chrono_literals;

namespace {

// host/dbname of where a database is.
std::string place_of(const Settings& settings, std::string_view database)
{
    const auto upstream = settings.find_upstream(database);
    return upstream ? upstream->hosts.at(0).host + "/" + upstream->dbname : "unknown";
}

// user:password@host/dbname of who is asked about roles.
std::string asked_by(const Settings& settings, std::string_view database)
{
    const auto source = settings.find_role_source(database);
    if (!source) return "nobody";
    const auto& upstream = source->upstream;
    return upstream.user + ":" + upstream.password + "@" + upstream.hosts.at(0).host + "/"
           + upstream.dbname;
}

constexpr const char* listed = R"(
[databases.app]
upstream = "postgresql://one/"
[databases.shop]
upstream = "postgresql://two/real_shop"
)";

} // namespace

TEST_CASE("config/settings: without a list every database is on the upstream")
{
    const auto settings = settings_of("upstream = 'postgresql://db/main'");
    CHECK(place_of(settings, "main") == "db/main");
    CHECK(place_of(settings, "other") == "db/other");
    CHECK(place_of(settings, "") == "db/main");
    CHECK(place_of(settings, "*") == "db/*");
}

TEST_CASE("config/settings: with a list other databases are unknown, unless there is an upstream")
{
    const auto settings = settings_of(listed);
    CHECK(place_of(settings, "app") == "one/app");
    CHECK(place_of(settings, "shop") == "two/real_shop");
    CHECK(place_of(settings, "other") == "unknown");

    const auto open = settings_of("upstream = 'postgresql://db/main'\n" + std::string{listed});
    CHECK(place_of(open, "app") == "one/app");
    CHECK(place_of(open, "other") == "db/other");
}

TEST_CASE("config/settings: the database * is every name that is not listed")
{
    const auto settings = settings_of(
        "upstream = 'postgresql://db/main'\n" + std::string{listed}
        + "[databases.\"*\"]\nupstream = 'postgresql://rest/fixed'\npool.size = 3\n"
    );
    CHECK(place_of(settings, "app") == "one/app");
    CHECK(place_of(settings, "other") == "rest/other");
    CHECK(place_of(settings, "*") == "rest/*");
    CHECK(settings.pool_options("other", "u").size == 3);
    CHECK(settings.pool_options("app", "u").size == 20);
}

TEST_CASE("config/settings: roles are looked up where the upstream's own database is")
{
    const std::string text = R"(
upstream = "postgresql://app:one@db/main"
[databases.shop]
upstream = "postgresql://shop:two@other"
[databases.stock]
upstream = "postgresql://db/stock"
)";
    const auto settings = settings_of(text);
    CHECK(settings.find_role_source("main")->query == auth::default_query);
    for (const char* const name : {"main", "whatever", "*", "", "pgweir"}) {
        CHECK(asked_by(settings, name) == "app:one@db/main");
    }
    CHECK(asked_by(settings, "shop") == "shop:two@other/shop");
    CHECK(asked_by(settings, "stock") == "nobody"); // each client is itself there
    CHECK(asked_by(settings_of("upstream = 'postgresql://app@db'"), "any") == "app:@db/app");
    CHECK(asked_by(settings_of(text + "[auth]\nquery = ''\n"), "main") == "nobody");
}

TEST_CASE("config/settings: another user than the upstream's may look roles up")
{
    const std::string text = R"(
upstream = "postgresql://app:one@db/main"
[databases.stock]
upstream = "postgresql://db/stock"
[auth]
user = "watch"
)";
    CHECK(asked_by(settings_of(text), "main") == "watch:@db/main");
    const auto settings = settings_of(text + "[users.watch]\npassword = 'dog'\n");
    CHECK(asked_by(settings, "main") == "watch:dog@db/main");
    CHECK(asked_by(settings, "stock") == "watch:dog@db/stock");
    CHECK(settings.find_upstream("main")->user == "app");
}

TEST_CASE("config/settings: the console is nowhere")
{
    const auto settings = settings_of("upstream = 'postgresql://db/main'");
    CHECK(place_of(settings, "pgweir") == "unknown");
    CHECK(place_of(settings, "pgbouncer") == "unknown");
}

TEST_CASE("config/settings: the user of an upstream may log in there, and only there")
{
    const auto settings = settings_of(
        R"(
[databases.app]
upstream = "postgresql://alice:one@db/"
[databases.shop]
upstream = "postgresql://bob@db/"
[users.carol]
password = "three"
)"
    );
    CHECK(settings.find_user("alice", "app") == auth::User{"alice", true, "one"});
    CHECK_FALSE(settings.find_user("alice", "shop"));
    CHECK_FALSE(settings.find_user("alice", "nowhere"));
    CHECK(settings.find_user("bob", "shop") == auth::User{"bob", false, ""});
    CHECK(settings.find_user("carol", "shop") == auth::User{"carol", true, "three"});
    CHECK(settings.find_user("carol", "pgweir") == auth::User{"carol", true, "three"});
    CHECK_FALSE(settings.find_user("", "app"));
}

TEST_CASE("config/settings: the user of the upstream may log in to the console, others' may not")
{
    const auto settings = settings_of("upstream = 'postgresql://alice:one@db'\n"
                                      "[databases.app]\nupstream = 'postgresql://bob:two@db'\n");
    CHECK(settings.find_user("alice", "pgweir") == auth::User{"alice", true, "one"});
    CHECK_FALSE(settings.find_user("bob", "pgweir"));
}

TEST_CASE("config/settings: a pool has the defaults, changed by the database, then by the user")
{
    const auto settings = settings_of(R"(
upstream = "postgresql://db"
[pool]
size = 10
query_timeout = "1s"
[databases.app.pool]
size = 11
query_timeout = "2s"
mode = "session"
[users.carol.pool]
query_timeout = "3s"
)");
    const auto plain = settings.pool_options("other", "other");
    CHECK(plain == settings.pool);

    auto expected = settings.pool;
    expected.size = 11;
    expected.query_timeout = 2s;
    expected.mode = pool::Mode::session;
    CHECK(settings.pool_options("app", "other") == expected);

    expected.query_timeout = 3s;
    CHECK(settings.pool_options("app", "carol") == expected);
    CHECK(settings.pool_options("other", "carol").query_timeout == 3s);
    CHECK(place_of(settings, "app") == "db/app");
}

TEST_CASE("config/settings: database and user together never ask for more than the size")
{
    const auto settings = settings_of(R"(
upstream = "postgresql://db"
[databases.app.pool]
min_size = 15
[users.carol.pool]
size = 5
)");
    CHECK(settings.pool_options("app", "carol").size == 5);
    CHECK(settings.pool_options("app", "carol").min_size == 5);
}

TEST_CASE("config/settings: settings are equal when everything in them is, secrets too")
{
    const std::string text = "upstream = 'postgresql://u:one@db'\n[users.a.pool]\nsize = 3\n";
    CHECK(settings_of(text) == settings_of(text));
    CHECK(settings_of(text) != settings_of(text + "min_size = 0\n"));
    CHECK(
        settings_of(text)
        != settings_of("upstream = 'postgresql://u:two@db'\n[users.a.pool]\nsize = 3\n")
    );
}
