#include <pgweir/auth/error.hpp>
#include <pgweir/auth/scram.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using auth::ChannelBinding;
using auth::Errc;

namespace {

// The example of RFC 7677, section 3.
constexpr std::string_view client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const std::vector<std::string> plain_only{"SCRAM-SHA-256"};
const std::vector<std::string> both{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
const std::vector<std::string> plus_only{"SCRAM-SHA-256-PLUS"};

auth::KeyCache& cache()
{
    static auth::KeyCache keys;
    return keys;
}

auth::ScramClientOptions options()
{
    return {
        .secret = "pencil",
        .nonce = "rOprNGfwEbeRWgbNEkqO",
        .mechanisms = plain_only,
        .binding = {},
        .user = "user",
    };
}

ErrorCode server_first_error(std::string_view message)
{
    auth::ScramClient client{options(), cache()};
    REQUIRE(client.first().has_value());
    const auto result = client.on_server_first(message);
    return result ? ErrorCode{} : result.error();
}

ErrorCode server_final_error(std::string_view message)
{
    auth::ScramClient client{options(), cache()};
    REQUIRE(client.first().has_value());
    REQUIRE(client.on_server_first(server_first).has_value());
    return client.on_server_final(message);
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to)
{
    std::string out{text};
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
}

/// "mechanism gs2-header", or the error, of a client with these offers.
std::string choice(
    std::vector<std::string> mechanisms, ChannelBinding channel_binding, auth::BindingData binding
)
{
    auto choosing = options();
    choosing.mechanisms = std::move(mechanisms);
    choosing.channel_binding = channel_binding;
    choosing.binding = std::move(binding);
    auth::ScramClient client{std::move(choosing), cache()};
    const auto first = client.first();
    if (!first) return first.error().message();
    return std::string{first->mechanism} + " "
           + first->message.substr(0, first->message.find("n="));
}

} // namespace

TEST_CASE("auth/scram_client: speaks the example of RFC 7677 byte for byte")
{
    auth::ScramClient client{options(), cache()};

    const auto first = client.first();
    REQUIRE(first.has_value());
    CHECK(first->mechanism == "SCRAM-SHA-256");
    CHECK(first->message == client_first);
    CHECK(client.on_server_first(server_first).value() == client_final);
    CHECK_FALSE(client.on_server_final(server_final));
}

TEST_CASE("auth/scram_client: keys do as well as the password, without PBKDF2")
{
    auth::KeyCache unused;
    auto with_keys = options();
    with_keys.secret = auth::derive_scram_keys(
        "pencil", auth::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value(), 4'096
    );
    auth::ScramClient client{with_keys, unused};

    REQUIRE(client.first().has_value());
    CHECK(client.on_server_first(server_first).value() == client_final);
    CHECK_FALSE(client.on_server_final(server_final));
    CHECK(unused.stats() == auth::KeyCache::Stats{});
}

TEST_CASE("auth/scram_client: a second login with the same password costs no PBKDF2")
{
    auth::KeyCache keys;
    for (int login = 0; login < 2; ++login) {
        auth::ScramClient client{options(), keys};
        REQUIRE(client.first().has_value());
        CHECK(client.on_server_first(server_first).value() == client_final);
    }
    CHECK(keys.stats() == auth::KeyCache::Stats{.hits = 1, .misses = 1, .entries = 1});
}

TEST_CASE("auth/scram_client: a name is escaped, and empty unless asked for")
{
    auto named = options();
    named.user = "a,b=c";
    CHECK(auth::ScramClient{named, cache()}.first()->message.starts_with("n,,n=a=2Cb=3Dc,r="));
    named.user = "";
    CHECK(auth::ScramClient{named, cache()}.first()->message.starts_with("n,,n=,r="));
}

TEST_CASE("auth/scram_client: binds where the server and TLS can, and says so where it could")
{
    const Buffer hash(32);
    const std::string bound = "SCRAM-SHA-256-PLUS p=tls-server-end-point,,";
    const auto prefer = ChannelBinding::prefer;

    CHECK(choice(both, prefer, hash) == bound);
    CHECK(choice(plus_only, prefer, hash) == bound);
    CHECK(choice(plain_only, prefer, hash) == "SCRAM-SHA-256 y,,");
    CHECK(choice(both, prefer, {}) == "SCRAM-SHA-256 n,,");
    CHECK(choice(plain_only, prefer, {}) == "SCRAM-SHA-256 n,,");
    CHECK(choice(both, ChannelBinding::disable, hash) == "SCRAM-SHA-256 n,,");
    CHECK(choice(both, ChannelBinding::require, hash) == bound);
}

TEST_CASE("auth/scram_client: goes no further where no offer suits")
{
    const Buffer hash(32);
    const auto unavailable = make_error_code(Errc::binding_unavailable).message();
    const auto unsupported = make_error_code(Errc::unsupported_mechanism).message();

    CHECK(choice(plain_only, ChannelBinding::require, hash) == unavailable);
    CHECK(choice(both, ChannelBinding::require, {}) == unavailable);
    CHECK(choice(plus_only, ChannelBinding::prefer, {}) == unsupported);
    CHECK(choice(plus_only, ChannelBinding::disable, hash) == unsupported);
    CHECK(choice({"SCRAM-SHA-1", ""}, ChannelBinding::prefer, hash) == unsupported);
    CHECK(choice({}, ChannelBinding::prefer, hash) == unsupported);
}

TEST_CASE("auth/scram_client: the server's nonce must go on where ours ends")
{
    const auto mismatch = Errc::nonce_mismatch;
    CHECK(server_first_error(replaced(server_first, "r=rOpr", "r=rOpS")) == mismatch);
    CHECK(server_first_error("r=rOprNGfwEbeRWgbNEkqO,s=c2FsdA==,i=4096") == mismatch);
    CHECK(server_first_error("r=rOpr,s=c2FsdA==,i=4096") == mismatch);
}

TEST_CASE("auth/scram_client: a server cannot make it work for minutes, or not at all")
{
    const auto with = [](std::string_view count) {
        return server_first_error(replaced(server_first, "4096", count));
    };
    CHECK_FALSE(with("1"));
    CHECK(with("0") == Errc::iterations_out_of_range);
    CHECK(with("1000001") == Errc::iterations_out_of_range);
    CHECK(with("2147483648") == Errc::iterations_out_of_range);
    CHECK(with("4294967297") == Errc::iterations_out_of_range);
    CHECK(with("99999999999999999999") == Errc::iterations_out_of_range);
    CHECK(with("-1") == Errc::malformed_message);
    CHECK(with("4096x") == Errc::malformed_message);
    CHECK(with("99999999999999999999x") == Errc::malformed_message);
    CHECK(with("") == Errc::malformed_message);
}

TEST_CASE("auth/scram_client: a server-first-message that is not one is malformed")
{
    const std::string salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const std::string salt_beyond = auth::base64_encode(Buffer(auth::salt_size_max + 1));

    for (const auto& message : {
             std::string{},
             std::string{","},
             std::string{"r"},
             std::string{server_first} + ",",
             std::string{server_first} + ",x",
             std::string{server_first} + '\0',
             replaced(server_first, ",i=4096", ""),
             replaced(server_first, ",s=" + salt, ""),
             replaced(server_first, "r=", "n="),
             replaced(server_first, "$k0", " k0"),
             replaced(server_first, "$k0", "\x80k0"),
             replaced(server_first, salt, ""),
             replaced(server_first, salt, "W22ZaJ0SNY7soEsUEjb6gR=="),
             replaced(server_first, salt, "W22Z\n"),
             replaced(server_first, salt, salt_beyond),
         }) {
        CAPTURE(message);
        CHECK(server_first_error(message) == Errc::malformed_message);
    }
    CHECK(server_first_error("m=must," + std::string{server_first}) == Errc::unsupported_extension);
    CHECK(server_first_error(std::string{server_first} + ",m=must") == Errc::unsupported_extension);
}

TEST_CASE("auth/scram_client: every piece of the server's first message is missed")
{
    const auto last = server_first.find(",i=") + 3; // from there on it is a smaller count
    for (std::size_t size = 0; size <= last; ++size) {
        CAPTURE(size);
        CHECK(server_first_error(server_first.substr(0, size)));
    }
}

TEST_CASE("auth/scram_client: no message is longer than an honest one")
{
    const std::string padding(auth::scram_message_size_max, 'x');
    const std::string nonce(auth::scram_nonce_size_max, 'x');

    CHECK(
        server_first_error(std::string{server_first} + ",x=" + padding) == Errc::message_too_long
    );
    CHECK(
        server_first_error(replaced(server_first, "$k0", "$k0" + nonce)) == Errc::malformed_message
    );
    CHECK(
        server_final_error(std::string{server_final} + ",x=" + padding) == Errc::message_too_long
    );
}

TEST_CASE("auth/scram_client: a server that does not know the password is not the server")
{
    CHECK_FALSE(server_final_error(server_final));
    CHECK_FALSE(server_final_error(std::string{server_final} + ",x=future"));
    CHECK(
        server_final_error(replaced(server_final, "v=6rri", "v=6rrj"))
        == Errc::wrong_server_signature
    );
}

TEST_CASE("auth/scram_client: a server's own error is no malformed message")
{
    CHECK(server_first_error("e=other-error") == Errc::server_refused);
    CHECK(server_final_error("e=invalid-proof") == Errc::server_refused);
}

TEST_CASE("auth/scram_client: every piece of the server's final message is missed")
{
    for (std::size_t size = 0; size < server_final.size(); ++size) {
        CAPTURE(size);
        CHECK(server_final_error(server_final.substr(0, size)) == Errc::malformed_message);
    }
    CHECK(server_final_error("v=") == Errc::malformed_message);
    CHECK(
        server_final_error("p=" + std::string{server_final.substr(2)}) == Errc::malformed_message
    );
    CHECK(server_final_error(std::string{server_final} + ",") == Errc::malformed_message);
    CHECK(server_final_error(std::string{server_final} + ",m=1") == Errc::unsupported_extension);
}

TEST_CASE("auth/scram_client: a server that skips the proof has not proved itself")
{
    auth::ScramClient client{options(), cache()};
    REQUIRE(client.first().has_value());
    CHECK(client.on_server_final(server_final) == Errc::unexpected_message);
    CHECK(client.on_server_first(server_first).error() == Errc::unexpected_message);
}

TEST_CASE("auth/scram_client: it starts once, and ends once")
{
    auth::ScramClient client{options(), cache()};
    REQUIRE(client.first().has_value());
    REQUIRE(client.on_server_first(server_first).has_value());
    REQUIRE_FALSE(client.on_server_final(server_final));

    CHECK(client.on_server_final(server_final) == Errc::unexpected_message);
    CHECK(client.first().error() == Errc::unexpected_message);
}
