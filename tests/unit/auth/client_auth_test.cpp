#include <pgweir/auth/client_auth.hpp>

#include <pgweir/auth/error.hpp>
#include <pgweir/auth/scram.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace pgweir;
using auth::Challenge;
using auth::Errc;
using auth::Method;

namespace {

const auth::Digest process_secret = auth::sha256(as_bytes("a secret of this process"));
constexpr std::array md5_salt{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
constexpr std::string_view md5_of_pencil = "md5a2286e2058e8275f4419293789626063"; // user "c"
constexpr std::string_view scram_of_pencil =
    "SCRAM-SHA-256$4096:5lC0k1hF2hgXjt9qmK//zg==$zEP9m4OhAQtzlyVaHXwlzh0gSbtd5CoyMhE59FfyahA="
    ":dd0djDJJ/7zc5GDVNN+IFkmN1kHSXY5v91X8FJpNdWc=";

std::optional<auth::User> user(std::string_view password)
{
    return auth::User{.name = "c", .has_password = true, .password = std::string{password}};
}

auth::User user_without_password() { return {.name = "c", .has_password = false, .password = {}}; }

/// All ways not to have a password that could be right.
std::array<std::optional<auth::User>, 4> nobodies()
{
    return {std::nullopt, user_without_password(), user(""), user("SCRAM-SHA-256$broken")};
}

class Fixture {
public:
    [[nodiscard]] auth::LoginPlan plan(
        Method method, const std::optional<auth::User>& who, bool is_of_database = false
    ) const
    {
        return auth_.plan_login(method, "c", who, is_of_database);
    }
    [[nodiscard]] auth::KeyCache::Stats stats() const { return keys_.stats(); }

private:
    auth::KeyCache keys_;
    auth::ClientAuth auth_{process_secret, keys_};
};

/// How a client that types `password` fares.
ErrorCode log_in(const auth::LoginPlan& plan, std::string password)
{
    REQUIRE(plan.scram_verifier() != nullptr);
    auth::KeyCache keys;
    auth::ScramServer server{*plan.scram_verifier(), "the-server"};
    auth::ScramClientOptions options{
        .secret = std::move(password),
        .nonce = "the-client",
        .mechanisms = {"SCRAM-SHA-256"},
        .binding = {},
        .user = {},
    };
    auth::ScramClient client{std::move(options), keys};

    const auto first = client.first().value();
    const auto server_first = server.on_client_first(first.mechanism, first.message).value();
    const auto client_final = client.on_server_first(server_first).value();
    const auto server_final = server.on_client_final(client_final);
    return server_final ? client.on_server_final(*server_final) : server_final.error();
}

} // namespace

TEST_CASE("auth/client_auth: the method decides on the challenge")
{
    const Fixture fixture;
    for (const auto& who : {user("pencil"), user(md5_of_pencil), std::optional<auth::User>{}}) {
        CHECK(fixture.plan(Method::trust, who).challenge == Challenge::none);
        CHECK(fixture.plan(Method::password, who).challenge == Challenge::cleartext);
        CHECK(fixture.plan(Method::md5, who).challenge == Challenge::md5);
        CHECK(fixture.plan(Method::scram_sha_256, who).challenge == Challenge::scram);
    }
}

TEST_CASE("auth/client_auth: md5 becomes SCRAM for a user whose verifier can do nothing else")
{
    const Fixture fixture;
    const auto plan = fixture.plan(Method::md5, user(scram_of_pencil));

    CHECK(plan.challenge == Challenge::scram);
    CHECK_FALSE(log_in(plan, "pencil"));
    CHECK(log_in(plan, "Pencil") == Errc::wrong_password);
}

TEST_CASE("auth/client_auth: with md5, a name that the database does not know is asked as most are")
{
    const Fixture fixture;
    for (const auto& who : nobodies()) {
        const auto plan = fixture.plan(Method::md5, who, true);
        CHECK(plan.challenge == Challenge::scram);
        CHECK(log_in(plan, "pencil") == Errc::wrong_password);
        CHECK_FALSE(plan.reveals_keys);
    }
    CHECK(fixture.plan(Method::md5, user(md5_of_pencil), true).challenge == Challenge::md5);
}

TEST_CASE("auth/client_auth: only a proof for a stored verifier reveals keys that others take")
{
    const Fixture fixture;
    CHECK(fixture.plan(Method::scram_sha_256, user(scram_of_pencil)).reveals_keys);
    CHECK(fixture.plan(Method::md5, user(scram_of_pencil)).reveals_keys);
    CHECK_FALSE(fixture.plan(Method::password, user(scram_of_pencil)).reveals_keys);
    for (const auto& who : {user("pencil"), user(md5_of_pencil), std::optional<auth::User>{}}) {
        CHECK_FALSE(fixture.plan(Method::scram_sha_256, who).reveals_keys);
    }
}

TEST_CASE("auth/client_auth: only trust tells that a user is unknown")
{
    const Fixture fixture;
    CHECK(fixture.plan(Method::trust, user("pencil")).is_known);
    CHECK(fixture.plan(Method::trust, user_without_password()).is_known);
    CHECK_FALSE(fixture.plan(Method::trust, std::nullopt).is_known);
}

TEST_CASE("auth/client_auth: a cleartext password is right for every stored form of it")
{
    const Fixture fixture;
    for (const auto stored : {std::string_view{"pencil"}, md5_of_pencil, scram_of_pencil}) {
        CAPTURE(stored);
        const auto plan = fixture.plan(Method::password, user(stored));
        CHECK_FALSE(plan.check_password("pencil"));
        CHECK(plan.check_password("Pencil") == Errc::wrong_password);
        CHECK(plan.check_password("") == Errc::wrong_password);
        CHECK(plan.check_password(stored.substr(1)) == Errc::wrong_password);
    }
}

TEST_CASE("auth/client_auth: a stolen hash is no password")
{
    const Fixture fixture;
    for (const auto stored : {md5_of_pencil, scram_of_pencil}) {
        CAPTURE(stored);
        const auto plan = fixture.plan(Method::password, user(stored));
        CHECK(plan.check_password(stored) == Errc::wrong_password);
    }
}

TEST_CASE("auth/client_auth: an empty password is wrong, even if that is what was stored")
{
    const Fixture fixture;
    const auto md5 = "md5" + auth::make_md5_verifier("", "c").value().hex;
    const auto scram = auth::to_string(auth::make_scram_verifier("", as_bytes("salt"), 1));
    for (const auto& stored : {md5, scram}) {
        const auto plan = fixture.plan(Method::password, user(stored));
        CHECK(plan.check_password("") == Errc::wrong_password);
    }
}

TEST_CASE("auth/client_auth: the longest password works, and one byte more is wrong")
{
    const Fixture fixture;
    const std::string longest(auth::password_size_max, 'x');
    const auto plan = fixture.plan(Method::password, user(longest));

    CHECK_FALSE(plan.check_password(longest));
    CHECK(plan.check_password(longest + "x") == Errc::wrong_password);
}

TEST_CASE("auth/client_auth: whoever is nobody gets nowhere with any password")
{
    const Fixture fixture;
    for (const auto& nobody : nobodies()) {
        const auto cleartext = fixture.plan(Method::password, nobody);
        CHECK(cleartext.check_password("") == Errc::wrong_password);
        CHECK(cleartext.check_password("pencil") == Errc::wrong_password);

        const auto md5 = fixture.plan(Method::md5, nobody);
        CHECK(md5.check_md5(md5_salt, "") == Errc::wrong_password);
        // The second is what a nobody's answer is compared with: anybody can read it in the source.
        for (const auto* const typed : {"", "never the password of anybody"}) {
            const auth::Verifier secret = auth::PlainPassword{typed};
            const auto response = auth::md5_response(secret, "c", md5_salt).value();
            CHECK(md5.check_md5(md5_salt, response) == Errc::wrong_password);
        }

        const auto scram = fixture.plan(Method::scram_sha_256, nobody);
        CHECK(log_in(scram, "") == Errc::wrong_password);
        CHECK(log_in(scram, "pencil") == Errc::wrong_password);
    }
}

TEST_CASE("auth/client_auth: the md5 answer is right for both stored forms")
{
    const Fixture fixture;
    const auth::Verifier typed = auth::PlainPassword{"pencil"};
    const auto right = auth::md5_response(typed, "c", md5_salt).value();
    const auto other_user = auth::md5_response(typed, "d", md5_salt).value();

    for (const auto stored : {std::string_view{"pencil"}, md5_of_pencil}) {
        CAPTURE(stored);
        const auto plan = fixture.plan(Method::md5, user(stored));
        CHECK_FALSE(plan.check_md5(md5_salt, right));
        CHECK(plan.check_md5(md5_salt, other_user) == Errc::wrong_password);
    }
}

TEST_CASE("auth/client_auth: a plain password logs in by SCRAM, and is hashed once")
{
    const Fixture fixture;
    const auto plan = fixture.plan(Method::scram_sha_256, user("pencil"));
    CHECK_FALSE(log_in(plan, "pencil"));
    CHECK(log_in(plan, "Pencil") == Errc::wrong_password);

    const auto again = fixture.plan(Method::scram_sha_256, user("pencil"));
    CHECK(*again.scram_verifier() == *plan.scram_verifier());
    CHECK(fixture.stats() == auth::KeyCache::Stats{.hits = 1, .misses = 1, .entries = 1});
}

TEST_CASE("auth/client_auth: a new password of the same user is hashed anew")
{
    const Fixture fixture;
    static_cast<void>(fixture.plan(Method::scram_sha_256, user("pencil")));
    const auto plan = fixture.plan(Method::scram_sha_256, user("crayon"));

    CHECK_FALSE(log_in(plan, "crayon"));
    CHECK(log_in(plan, "pencil") == Errc::wrong_password);
}

TEST_CASE("auth/client_auth: strangers see the salt that the user has, or would have")
{
    const Fixture fixture;
    const auto known = fixture.plan(Method::scram_sha_256, user("pencil"));
    const auto md5 = fixture.plan(Method::scram_sha_256, user(md5_of_pencil));
    CHECK(log_in(md5, "pencil") == Errc::wrong_password); // as PostgreSQL: its hash cannot help

    for (const auto& nobody : nobodies()) {
        const auto plan = fixture.plan(Method::scram_sha_256, nobody);
        REQUIRE(plan.scram_verifier() != nullptr);
        CHECK(plan.scram_verifier()->salt == known.scram_verifier()->salt);
        CHECK(plan.scram_verifier()->salt == md5.scram_verifier()->salt);
        CHECK(plan.scram_verifier()->iterations == known.scram_verifier()->iterations);
    }
}

TEST_CASE("auth/client_auth: names that nobody has do not push real ones out of the cache")
{
    const Fixture fixture;
    for (const auto& nobody : nobodies()) {
        static_cast<void>(fixture.plan(Method::scram_sha_256, nobody));
        const auto plan = fixture.plan(Method::password, nobody);
        CHECK(plan.check_password("guess") == Errc::wrong_password);
    }
    CHECK(fixture.stats() == auth::KeyCache::Stats{});
}
