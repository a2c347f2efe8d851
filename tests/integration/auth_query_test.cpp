// Users that the configuration does not know: PostgreSQL is asked for them.
#include <pgweir/auth/verifier.hpp>

#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pgweir;
using namespace pgweir::test;

namespace {

/// A role for as long as it is needed. PostgreSQL wants SCRAM of it, unless it is in md5_roles.
class Role {
public:
    explicit Role(const std::string& options = "LOGIN PASSWORD 'secret'")
    {
        drop();
        make(options);
    }
    ~Role() { drop(); }
    Role(const Role&) = delete;
    Role& operator=(const Role&) = delete;

    static void make(const std::string& options) { postgres().sql("CREATE ROLE anna " + options); }
    static void drop() { postgres().sql("DROP ROLE IF EXISTS anna"); }
    static void alter(const std::string& options) { postgres().sql("ALTER ROLE anna " + options); }
};

Start looking_up(std::vector<std::string> flags = {})
{
    flags.insert(flags.end(), {"--pool-size", "2"});
    return {.flags = std::move(flags), .user = "app_lookup"};
}

std::string login(const Pgweir& pgweir, const std::string& more = "")
{
    return login_error(pgweir.conninfo("user=anna " + more));
}

std::string who_is(const Pgweir& pgweir, const std::string& more = "")
{
    return pgweir.connect("user=anna " + more).query("SELECT current_user").text();
}

const std::string wrong = "28P01 password authentication failed for user \"anna\"";

std::size_t count_of(const std::string& text, const std::string& word)
{
    std::size_t count = 0;
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
    return count;
}

} // namespace

TEST_CASE("integration/auth_query: a role that was made a moment ago logs in with its own password")
{
    const Pgweir pgweir{looking_up()};
    Role::drop();
    CHECK(login(pgweir) == wrong);
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    CHECK(login(pgweir, "password=wrong") == wrong);
    CHECK(who_is(pgweir) == "anna");
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_lookup");
}

TEST_CASE("integration/auth_query: a new password counts at once, and the old one no longer")
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    Role::alter("PASSWORD 'other'");
    CHECK(login(pgweir) == wrong);
    CHECK(who_is(pgweir, "password=other") == "anna");
    postgres().disconnect("anna"); // the next server logs in with the new one
    CHECK(who_is(pgweir, "password=other") == "anna");
}

TEST_CASE(
    "integration/auth_query: a pool that could not log in any more can after the next login"
    * pooler_only()
)
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    Connection client = pgweir.connect("user=anna");
    CHECK(client.query("SELECT 1").text() == "1");
    Role::alter("PASSWORD 'other'");
    postgres().disconnect("anna");
    CHECK(client.query("SELECT 1").is_error()); // the pool has the keys of the old password
    CHECK(who_is(pgweir, "password=other") == "anna");
}

TEST_CASE("integration/auth_query: a role that was dropped is gone, and a new one is another")
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    Role::drop();
    CHECK(login(pgweir) == wrong);
    Role::make("LOGIN PASSWORD 'secret'");
    CHECK(who_is(pgweir) == "anna"); // on a server of the old role this is an error
}

TEST_CASE("integration/auth_query: who may not log in is told so, after the password")
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    Role::alter("NOLOGIN");
    CHECK(login(pgweir) == "28000 role \"anna\" is not permitted to log in");
    CHECK(login(pgweir, "password=wrong") == wrong);
    Role::alter("LOGIN");
    CHECK(login(pgweir).empty());
}

TEST_CASE("integration/auth_query: a password is valid until its time is over")
{
    const Pgweir pgweir{looking_up()};
    const Role role{"LOGIN PASSWORD 'secret' VALID UNTIL '2999-01-01'"};
    CHECK(login(pgweir).empty());
    Role::alter("VALID UNTIL '2001-01-01'");
    CHECK(login(pgweir) == wrong);
    Role::alter("VALID UNTIL 'infinity'");
    CHECK(login(pgweir).empty());
    Role::alter("PASSWORD NULL");
    CHECK(login(pgweir) == wrong);
}

TEST_CASE("integration/auth_query: a verifier with other iterations and another salt")
{
    const Pgweir pgweir{looking_up()};
    const std::string verifier = auth::to_string(
        auth::make_scram_verifier("secret", as_bytes("of some other length"), 1'234)
    );
    const Role role{"LOGIN PASSWORD '" + verifier + "'"};
    CHECK(who_is(pgweir) == "anna");
    CHECK(login(pgweir, "password=wrong") == wrong);
}

TEST_CASE("integration/auth_query: with md5, each role as its password is stored" * pooler_only())
{
    const Pgweir pgweir{looking_up({"--set", "auth.method=md5"})};
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    postgres().sql("GRANT md5_roles TO anna; SET password_encryption = 'md5'; "
                   "ALTER ROLE anna PASSWORD 'secret'; RESET password_encryption");
    postgres().disconnect("anna");
    CHECK(who_is(pgweir) == "anna");
    CHECK(login(pgweir, "password=wrong") == wrong);
    CHECK(pgweir.connect().query("SELECT current_user").text() == "app_lookup");

    // PostgreSQL does not tell who exists, either.
    const auto first_request = [&](const std::string& user) {
        WireClient client{pgweir.target()};
        client.send(message::startup({{"user", user}, {"database", "app"}}));
        return client.receive().text();
    };
    CHECK(first_request("nobody") == "R(10)");
    CHECK(first_request("app_plain") == "R(10)");
}

TEST_CASE("integration/auth_query: a password that came as it is goes on as it is" * pooler_only())
{
    const Pgweir pgweir{looking_up({"--set", "auth.method=password"})};
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    CHECK(login(pgweir, "password=wrong") == wrong);
}

TEST_CASE("integration/auth_query: trust believes everybody who exists" * pooler_only())
{
    const Pgweir pgweir{looking_up({"--set", "auth.method=trust"})};
    const std::string user = pgweir.connect("user=app_trust").query("SELECT current_user").text();
    CHECK(user == "app_trust");
    CHECK(login(pgweir) == wrong);
}

TEST_CASE("integration/auth_query: who may not read pg_authid finds nobody" * pooler_only())
{
    const Pgweir pgweir{{.user = "app_scram"}};
    const Role role;
    CHECK(login(pgweir) == wrong);
    CHECK(login(pgweir) == wrong);
    const std::string log = pgweir.log();
    CHECK(count_of(log, "event=auth_query_failed") == 1); // and asked only once
    CHECK(log.find("permission denied for table pg_authid") != log.npos);
    CHECK(log.find("set auth.user") != log.npos);
}

TEST_CASE("integration/auth_query: it can be turned off" * pooler_only())
{
    const Pgweir pgweir{looking_up({"--set", "auth.query="})};
    const Role role;
    CHECK(login(pgweir) == wrong);
    CHECK(pgweir.log().find("event=auth_query_failed") == std::string::npos);
}

TEST_CASE("integration/auth_query: a query and a user of one's own" * pooler_only())
{
    postgres().sql(
        "CREATE OR REPLACE FUNCTION public.find_role(text) RETURNS TABLE (usename name, passwd "
        "text) "
        "LANGUAGE sql SECURITY DEFINER AS 'SELECT rolname, rolpassword FROM pg_authid WHERE "
        "rolname = $1'; REVOKE ALL ON FUNCTION public.find_role(text) FROM PUBLIC; "
        "GRANT EXECUTE ON FUNCTION public.find_role(text) TO app_plain"
    );
    const Role role;
    const Start start{
        .user = "app_scram",
        .toml = "[auth]\nquery = \"SELECT usename, passwd FROM find_role($1)\"\n"
                "user = \"app_plain\"\n[users.app_plain]\npassword = \"secret\"\n",
    };
    {
        const Pgweir pgweir{start};
        CHECK(who_is(pgweir) == "anna");
        CHECK(login(pgweir, "password=wrong") == wrong);
        CHECK(pgweir.connect().query("SELECT current_user").text() == "app_scram");
    }
    postgres().sql("DROP FUNCTION public.find_role(text)");
    const Pgweir pgweir{start};
    CHECK(login(pgweir) == wrong);
    CHECK(pgweir.log().find("function find_role(unknown) does not exist") != std::string::npos);
}

TEST_CASE("integration/auth_query: answers that are none let nobody in" * pooler_only())
{
    const Role role;
    const std::string secret = "(SELECT rolpassword FROM pg_authid WHERE rolname = $1)";
    const std::vector<std::pair<std::string, std::string>> queries{
        {"SELECT " + secret, "must return a name and a password"},
        {"SELECT 'bert', " + secret, "has returned another name"},
        {"SELECT $1::name, " + secret + " FROM generate_series(1, 2)", "more than one row"},
        {"SELECT $1::name, 1/0, " + secret, "division by zero"},
    };
    for (const auto& [query, reason] : queries) {
        CAPTURE(query);
        const Pgweir pgweir{looking_up({"--set", "auth.query=" + query})};
        CHECK(login(pgweir) == wrong);
        CHECK(pgweir.log().find(reason) != std::string::npos);
    }
}

TEST_CASE("integration/auth_query: a name is a value, whatever is in it")
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    const std::vector<std::string> names{
        "anna' OR 'a' = 'a", "\"anna\"", "$1", "ANNA", std::string(200, 'x'), "\xff\xfe"
    };
    for (const std::string& name : names) {
        CAPTURE(name);
        WireClient client{pgweir.target()};
        client.send(message::startup({{"user", name}, {"database", "app"}}));
        const std::string answer = client.receive().text();
        const bool is_refused = answer == "R(10)" || answer.starts_with("E");
        CHECK(is_refused);
    }
    CHECK(who_is(pgweir) == "anna");
}

TEST_CASE(
    "integration/auth_query: many logins at once share one connection, which is closed soon"
    * pooler_only()
)
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    constexpr int count = 50;
    std::vector<WireClient> clients;
    for (int i = 0; i < count; ++i) {
        WireClient& client = clients.emplace_back(pgweir.target());
        client.send(message::startup({{"user", i % 2 == 0 ? "anna" : "bert"}, {"database", "app"}})
        );
    }
    for (WireClient& client : clients) CHECK(client.receive().text() == "R(10)");
    CHECK(postgres().server_count("app_lookup") <= 1);
    CHECK(postgres().server_count("anna") == 0); // nobody has proved anything
    postgres().wait_for_server_count("app_lookup", 0);
    CHECK(who_is(pgweir) == "anna");

    // One that breaks while it is idle is replaced without a word.
    postgres().disconnect("app_lookup");
    CHECK(who_is(pgweir) == "anna");
    CHECK(pgweir.log().find("event=auth_query_failed") == std::string::npos);
}

TEST_CASE(
    "integration/auth_query: while PostgreSQL is down, who was there is believed" * pooler_only()
)
{
    const Pgweir pgweir{looking_up()};
    const Role role;
    CHECK(who_is(pgweir) == "anna");
    postgres().stop();
    CHECK(
        login_error(pgweir.conninfo("user=bert"))
        == "57P03 user \"bert\" cannot be looked up in the database at the moment"
    );
    CHECK(login(pgweir).empty());
    CHECK(login(pgweir, "password=wrong") == wrong);
    CHECK(pgweir.log().find("event=auth_query_failed") != std::string::npos);
    Connection client = pgweir.connect("user=anna");
    client.send("SELECT current_user");
    postgres().start();
    CHECK(client.only_result().text() == "anna"); // failover_wait
    wait_until(
        [&] { return login_error(pgweir.conninfo("user=bert")).starts_with("28P01 "); }, "an answer"
    );
}

TEST_CASE(
    "integration/auth_query: a SCRAM verifier of the configuration logs in to PostgreSQL, too"
    * pooler_only()
)
{
    const Role role;
    const std::string verifier = postgres().sql(
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'anna'"
    );
    const Pgweir pgweir{
        {.user = "app_scram", .toml = "[users.anna]\npassword = \"" + verifier + "\"\n"}
    };
    CHECK(who_is(pgweir) == "anna");
    CHECK(login(pgweir, "password=wrong") == wrong);
}
