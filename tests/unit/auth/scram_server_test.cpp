#include <pgweir/auth/error.hpp>
#include <pgweir/auth/scram.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using auth::Errc;

namespace {

// The example of RFC 7677, section 3.
constexpr std::string_view server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const auth::ScramVerifier& pencil()
{
    static const auth::ScramVerifier verifier = auth::make_scram_verifier(
        "pencil", auth::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value()
    );
    return verifier;
}

Buffer certificate_hash()
{
    Buffer hash;
    append(hash, auth::sha256(as_bytes("certificate")));
    return hash;
}

auth::ScramServer plain_server() { return {pencil(), std::string{server_nonce}}; }
auth::ScramServer tls_server() { return {pencil(), std::string{server_nonce}, certificate_hash()}; }

ErrorCode first_error(
    auth::ScramServer server,
    std::string_view message,
    std::string_view mechanism = auth::scram_mechanism
)
{
    const auto result = server.on_client_first(mechanism, message);
    return result ? ErrorCode{} : result.error();
}

ErrorCode final_error(std::string_view message)
{
    auto server = plain_server();
    REQUIRE(server.on_client_first(auth::scram_mechanism, client_first).has_value());
    const auto result = server.on_client_final(message);
    CHECK(server.recovered_keys().has_value() == result.has_value());
    return result ? ErrorCode{} : result.error();
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to)
{
    std::string out{text};
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("auth/scram_server: speaks the example of RFC 7677 byte for byte")
{
    auto server = plain_server();

    CHECK(server.on_client_first(auth::scram_mechanism, client_first).value() == server_first);
    CHECK(server.on_client_final(client_final).value() == server_final);
}

TEST_CASE("auth/scram_server: offers -PLUS where it can bind, and there alone")
{
    const auto text = [](const auth::ScramServer& server) {
        std::string names;
        for (const auto mechanism : server.mechanisms()) names.append(mechanism).append(" ");
        return names;
    };
    CHECK(text(plain_server()) == "SCRAM-SHA-256 ");
    CHECK(text(tls_server()) == "SCRAM-SHA-256-PLUS SCRAM-SHA-256 ");
}

TEST_CASE("auth/scram_server: after success it knows the keys, but never before")
{
    auto server = plain_server();
    REQUIRE(server.on_client_first(auth::scram_mechanism, client_first).has_value());
    CHECK_FALSE(server.recovered_keys().has_value());

    REQUIRE(server.on_client_final(client_final).has_value());
    CHECK(server.recovered_keys() == auth::derive_scram_keys("pencil", pencil().salt, 4'096));
}

TEST_CASE("auth/scram_server: the user name in the first message does not matter")
{
    for (const std::string name : {"", "*", "somebody else", "=2C=3D", "caf\u00E9"}) {
        CAPTURE(name);
        CHECK_FALSE(first_error(plain_server(), "n,,n=" + name + ",r=abc"));
    }
}

TEST_CASE("auth/scram_server: unknown extensions are skipped, unless they must be understood")
{
    CHECK_FALSE(first_error(plain_server(), "n,,n=,r=abc,x=future,y="));
    CHECK(first_error(plain_server(), "n,,m=must,n=,r=abc") == Errc::unsupported_extension);
    CHECK(first_error(plain_server(), "n,,n=,r=abc,m=must") == Errc::unsupported_extension);
    CHECK(final_error(replaced(client_final, ",p=", ",m=must,p=")) == Errc::unsupported_extension);
    // It is signed: what somebody has put in is not the client's.
    CHECK(final_error(replaced(client_final, ",p=", ",x=future,p=")) == Errc::wrong_password);
}

TEST_CASE("auth/scram_server: nobody logs in as somebody else")
{
    CHECK(first_error(plain_server(), "n,a=root,n=,r=abc") == Errc::unsupported_extension);
}

TEST_CASE("auth/scram_server: a first message that is not one is malformed")
{
    using namespace std::string_view_literals;

    for (const auto message : {
             ""sv,
             "n"sv,
             "n,"sv,
             "n,,"sv,
             ",,n=,r=abc"sv,
             "x,,n=,r=abc"sv,
             "nn,,n=,r=abc"sv,
             "p,,n=,r=abc"sv,
             "n,b,n=,r=abc"sv,
             "n,,r=abc"sv,      // no user
             "n,,n="sv,         // no nonce
             "n,,n=,r="sv,      // an empty one
             "n,,n=,r=a\x7F"sv, // not printable
             "n,,n=,r=a b"sv,
             "n,,n=,r=a\0b"sv,
             "n,,n=\0,r=abc"sv,
             "n,,n=,r=abc,"sv,
             "n,,n=,r=abc,,x=1"sv,
             "n,,n=,r=abc,x"sv,
             "n,,n=,r=abc,1=1"sv,
             "n,,r=abc,n="sv,
             "n,,n,r=abc"sv,
         }) {
        CAPTURE(message);
        CHECK(first_error(plain_server(), message) == Errc::malformed_message);
    }
}

TEST_CASE("auth/scram_server: a final message that is not one is malformed")
{
    using namespace std::string_view_literals;

    CHECK_FALSE(final_error(client_final));
    for (const auto& message : {
             std::string{},
             std::string{"c=biws"},
             std::string{client_final.substr(0, client_final.find(",p="))},
             std::string{client_final} + ",",
             std::string{client_final} + ",x=1", // the proof comes last
             std::string{client_final} + '\0',
             replaced(client_final, "VQ=", "VR="), // a second spelling of the proof
             replaced(client_final, "VQ=", "VQ"),
             replaced(client_final, "p=dHzb", "p="),
             replaced(client_final, "p=dHzb", "p=AAAAdHzb"),
             replaced(client_final, "c=biws", "c=biw"),
             replaced(client_final, "c=biws", "x=biws"),
             replaced(client_final, "c=biws,", ""),
         }) {
        CAPTURE(message);
        CHECK(final_error(message) == Errc::malformed_message);
    }
}

TEST_CASE("auth/scram_server: a wrong proof, nonce or binding is told apart from a broken message")
{
    CHECK(final_error(replaced(client_final, "p=dHzb", "p=dHzc")) == Errc::wrong_password);
    CHECK(final_error(replaced(client_final, "hNlF$k0", "hNlF$k1")) == Errc::nonce_mismatch);
    CHECK(final_error(replaced(client_final, "hNlF$k0", "hNlF$k")) == Errc::nonce_mismatch);
    CHECK(final_error(replaced(client_final, "biws", "eSws")) == Errc::binding_mismatch);
}

TEST_CASE("auth/scram_server: no message is longer than an honest one")
{
    const std::string padding(auth::scram_message_size_max, 'x');
    const std::string nonce(auth::scram_nonce_size_max - server_nonce.size(), 'x');

    CHECK_FALSE(first_error(plain_server(), "n,,n=,r=" + nonce));
    CHECK(first_error(plain_server(), "n,,n=,r=x" + nonce) == Errc::message_too_long);
    CHECK(first_error(plain_server(), "n,,r=a,n=" + padding) == Errc::message_too_long);
    CHECK(final_error(std::string{client_final} + padding) == Errc::message_too_long);
}

TEST_CASE("auth/scram_server: only the offered mechanisms may be chosen")
{
    CHECK(first_error(plain_server(), "n,,n=,r=abc", "SCRAM-SHA-1") == Errc::unsupported_mechanism);
    CHECK(first_error(plain_server(), "n,,n=,r=abc", "") == Errc::unsupported_mechanism);
    CHECK(
        first_error(plain_server(), "p=tls-server-end-point,,n=,r=abc", auth::scram_plus_mechanism)
        == Errc::unsupported_mechanism
    );
}

TEST_CASE("auth/scram_server: the flag of channel binding must fit mechanism and offer")
{
    const std::string rest = ",,n=,r=abc";
    const std::string bound = "p=tls-server-end-point" + rest;

    CHECK_FALSE(first_error(tls_server(), bound, auth::scram_plus_mechanism));
    CHECK_FALSE(first_error(tls_server(), "n" + rest)); // a client that cannot bind
    CHECK_FALSE(first_error(plain_server(), "y" + rest));

    CHECK(first_error(tls_server(), "y" + rest) == Errc::binding_downgrade);
    CHECK(first_error(tls_server(), bound) == Errc::malformed_message);
    CHECK(
        first_error(tls_server(), "n" + rest, auth::scram_plus_mechanism) == Errc::malformed_message
    );
    CHECK(
        first_error(tls_server(), "y" + rest, auth::scram_plus_mechanism) == Errc::malformed_message
    );
    CHECK(
        first_error(tls_server(), "p=tls-unique" + rest, auth::scram_plus_mechanism)
        == Errc::unsupported_binding
    );
}

TEST_CASE("auth/scram_server: a client that saw another certificate is refused")
{
    auto server = tls_server();
    const std::string header = "p=tls-server-end-point,,";
    REQUIRE(server.on_client_first(auth::scram_plus_mechanism, header + "n=,r=abc").has_value());

    Buffer seen;
    append(seen, as_bytes(header));
    append(seen, auth::sha256(as_bytes("the middleman's certificate")));
    const std::string message = "c=" + auth::base64_encode(seen) + ",r=abc"
                                + std::string{server_nonce}
                                + ",p=" + auth::base64_encode(auth::Digest{});
    CHECK(server.on_client_final(message).error() == Errc::binding_mismatch);
}

TEST_CASE("auth/scram_server: a mock refuses even the proof that fits its keys")
{
    auto mock = pencil();
    mock.is_mock = true;
    auth::ScramServer server{mock, std::string{server_nonce}};

    CHECK(server.on_client_first(auth::scram_mechanism, client_first).value() == server_first);
    CHECK(server.on_client_final(client_final).error() == Errc::wrong_password);
    CHECK_FALSE(server.recovered_keys().has_value());
}

TEST_CASE("auth/scram_server: messages out of turn end it, also the right ones that follow")
{
    auto early = plain_server();
    CHECK(early.on_client_final(client_final).error() == Errc::unexpected_message);
    CHECK(
        early.on_client_first(auth::scram_mechanism, client_first).error()
        == Errc::unexpected_message
    );

    auto twice = plain_server();
    REQUIRE(twice.on_client_first(auth::scram_mechanism, client_first).has_value());
    REQUIRE(twice.on_client_final(client_final).has_value());
    CHECK(twice.on_client_final(client_final).error() == Errc::unexpected_message);
}

TEST_CASE("auth/scram_server: there is one guess, not two")
{
    auto server = plain_server();
    REQUIRE(server.on_client_first(auth::scram_mechanism, client_first).has_value());
    const auto wrong = replaced(client_final, "p=dHzb", "p=dHzc");

    CHECK(server.on_client_final(wrong).error() == Errc::wrong_password);
    CHECK(server.on_client_final(client_final).error() == Errc::unexpected_message);
}

TEST_CASE("auth/scram_server: a nonce of ours is fresh, printable and as long as PostgreSQL's")
{
    const auto nonce = auth::make_scram_nonce();
    CHECK(nonce.size() == 24);
    CHECK(nonce.find_first_of(",= ") == std::string::npos);
    CHECK(nonce != auth::make_scram_nonce());
}
