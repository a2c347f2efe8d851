#include <pgweir/session/settings.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const StartupSettings& startup)
{
    if (!startup.problem.empty()) return "problem: " + startup.problem;
    std::string out;
    for (const auto& [name, value] : startup.settings->entries()) out += name + "=" + value + "|";
    return out;
}

std::string from_options(std::string options)
{
    return text_of(read_startup_settings({{"options", std::move(options)}}));
}

std::string sql_to(std::string name, std::string value)
{
    return reconcile({}, Settings{{{std::move(name), std::move(value)}}}, {});
}

} // namespace

TEST_CASE("session/settings: of a startup packet all counts but who, where and how")
{
    const Parameters parameters{
        {"user", "u"},
        {"database", "d"},
        {"replication", "false"},
        {"_pq_.feature", "on"},
        {"TimeZone", "UTC"},
        {"application_name", "test"},
    };
    CHECK(text_of(read_startup_settings(parameters)) == "application_name=test|timezone=UTC|");
}

TEST_CASE("session/settings: options are taken apart as PostgreSQL does")
{
    CHECK(from_options("-c a=1 -cb=2  --c-d=3") == "a=1|b=2|c_d=3|");
}

TEST_CASE("session/settings: a backslash keeps white space and itself")
{
    CHECK(from_options(R"(-c a=one\ two\\three)") == R"(a=one two\three|)");
}

TEST_CASE("session/settings: of equal names the last one counts, and the packet before the options")
{
    CHECK(from_options("-c a=1 -c A=2") == "a=2|");
    CHECK(text_of(read_startup_settings({{"a", "packet"}, {"options", "-c a=1"}})) == "a=packet|");
}

TEST_CASE("session/settings: options that cannot be understood are a problem")
{
    CHECK(
        from_options("-f yes") == "problem: invalid command-line argument for server process: -f"
    );
    CHECK(from_options("-c a") == "problem: -c a requires a value");
    CHECK(from_options("-c =1") == "problem: -c =1 requires a value");
}

TEST_CASE("session/settings: nothing is said about what is right already")
{
    const Settings both{{{"a", "1"}, {"b", "2"}}};
    CHECK(reconcile(both, both, {}).empty());
    CHECK(
        reconcile(both, Settings{{{"b", "3"}, {"c", "4"}}}, {})
        == R"(RESET "a";SET "b" TO '3';SET "c" TO '4';)"
    );
}

TEST_CASE("session/settings: a value cannot end its statement")
{
    CHECK(sql_to("a", "x'; DROP TABLE t; --") == R"(SET "a" TO 'x''; DROP TABLE t; --';)");
    CHECK(sql_to("a", R"(x\'y)") == R"(SET "a" TO E'x\\''y';)");
    CHECK(sql_to(R"(a" to 1; --)", "x") == R"(SET "a"" to 1; --" TO 'x';)");
}

TEST_CASE("session/settings: the name of a custom setting has two parts")
{
    CHECK(sql_to("my.user_id", "7") == R"(SET "my"."user_id" TO '7';)");
    CHECK(reconcile(Settings{{{"my.user_id", "7"}}}, {}, {}) == R"(RESET "my"."user_id";)");
}

TEST_CASE("session/settings: values keep their own encoding while another is in force")
{
    const Settings latin{{{"client_encoding", "LATIN1"}}};
    const Settings wanted{{{"app.x", "\xc3\xbc"}, {"app.y", "ascii"}}};
    const Settings defaults{{{"client_encoding", "UTF8"}}};
    CHECK(
        reconcile(latin, wanted, defaults)
        == R"(RESET "client_encoding";SELECT pg_catalog.set_config('app.x',)"
           R"(pg_catalog.convert_from(pg_catalog.decode('c3bc','hex'),'UTF8'),false);)"
           R"(SET "app"."y" TO 'ascii';)"
    );
    CHECK(
        reconcile({}, wanted, defaults)
        == "SET \"app\".\"x\" TO '\xc3\xbc';SET \"app\".\"y\" TO 'ascii';"
    );
}

TEST_CASE("session/settings: a list stays a list")
{
    CHECK(
        sql_to("search_path", R"("$user", public)")
        == R"(SELECT pg_catalog.set_config('search_path','"$user", public',false);)"
    );
}

TEST_CASE("session/settings: a difference makes a new value, and its absence the old one again")
{
    const SettingsRef changed = with_setting(*no_settings(), "TimeZone", "UTC");
    CHECK(*changed->find("timezone") == "UTC");
    CHECK(same_settings(without_setting(*changed, "timezone"), no_settings()));
    CHECK_FALSE(same_settings(changed, no_settings()));
}
