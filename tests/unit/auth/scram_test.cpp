#include <pgweir/auth/scram.hpp>

#include <pgweir/auth/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>

using namespace pgweir;
using auth::Errc;

namespace {

/// Gets every message on its way, by its number, and may change it.
using Network = std::function<void(int step, std::string& message)>;

struct Peers {
    auth::ScramServer server;
    auth::ScramClient client;
};

/// No error: both sides believe each other. `network` stands between them.
ErrorCode talk(Peers& peers, const Network& network = [](int, std::string&) {})
{
    auto first = peers.client.first();
    if (!first) return first.error();
    network(0, first->message);

    auto server_first = peers.server.on_client_first(first->mechanism, first->message);
    if (!server_first) return server_first.error();
    network(1, *server_first);

    auto client_final = peers.client.on_server_first(*server_first);
    if (!client_final) return client_final.error();
    network(2, *client_final);

    auto server_final = peers.server.on_client_final(*client_final);
    if (!server_final) return server_final.error();
    network(3, *server_final);

    return peers.client.on_server_final(*server_final);
}

const Bytes salt = as_bytes("sixteen bytes...");
constexpr std::uint32_t few_iterations = 3; // these tests are not about PBKDF2

auth::KeyCache& cache()
{
    static auth::KeyCache keys;
    return keys;
}

std::vector<std::string> offers(const auth::ScramServer& server)
{
    return {server.mechanisms().begin(), server.mechanisms().end()};
}

Peers make_peers(
    std::string_view stored, std::string_view typed, auth::BindingData ours, auth::BindingData seen
)
{
    auth::ScramServer server{
        auth::make_scram_verifier(stored, salt, few_iterations), "the-server", std::move(ours)
    };
    auth::ScramClientOptions options{
        .secret = std::string{typed},
        .nonce = "the-client",
        .mechanisms = offers(server),
        .binding = std::move(seen),
        .user = {},
    };
    return {std::move(server), auth::ScramClient{std::move(options), cache()}};
}

void flip_bit(std::string& message, std::size_t bit)
{
    if (bit / 8 >= message.size()) return;
    auto& byte = message[bit / 8];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << bit % 8));
}

} // namespace

TEST_CASE("auth/scram: a client with the password and its server believe each other")
{
    auto peers = make_peers("pencil", "pencil", {}, {});
    CHECK_FALSE(talk(peers));
}

TEST_CASE("auth/scram: what a proof reveals logs in where the verifier is the same")
{
    auto peers = make_peers("pencil", "pencil", {}, {});
    REQUIRE_FALSE(talk(peers));
    const auth::ScramKeys keys = peers.server.recovered_keys().value();

    const auto log_in_to = [&](auth::ScramVerifier verifier) {
        Peers others{
            auth::ScramServer{std::move(verifier), "another-server"},
            auth::ScramClient{
                {.secret = keys,
                 .nonce = "pgweir",
                 .mechanisms = {"SCRAM-SHA-256"},
                 .binding = {},
                 .user = {}},
                cache()
            }
        };
        return talk(others);
    };
    CHECK_FALSE(log_in_to(auth::make_scram_verifier("pencil", salt, few_iterations)));
    CHECK(
        log_in_to(auth::make_scram_verifier("pencil", as_bytes("another salt"), few_iterations))
        == Errc::wrong_password
    );
    CHECK(
        log_in_to(auth::make_scram_verifier("pencils", salt, few_iterations))
        == Errc::wrong_password
    );
}

TEST_CASE("auth/scram: passwords are the same when SASLprep says so")
{
    auto peers = make_peers("IX", "I\u00ADX", {}, {});
    CHECK_FALSE(talk(peers));
}

TEST_CASE("auth/scram: another password is wrong")
{
    for (const auto* const typed : {"", "Pencil", "pencil ", "\xFF"}) {
        CAPTURE(typed);
        auto peers = make_peers("pencil", typed, {}, {});
        CHECK(talk(peers) == Errc::wrong_password);
    }
}

TEST_CASE("auth/scram: over TLS both sides bind to the certificate")
{
    const Buffer hash(48, std::byte{0xA5});
    std::string first;
    auto peers = make_peers("pencil", "pencil", hash, hash);
    CHECK_FALSE(talk(peers, [&](int step, std::string& message) {
        if (step == 0) first = message;
    }));
    CHECK(first.starts_with("p=tls-server-end-point,,"));
}

TEST_CASE("auth/scram: a middleman has another certificate")
{
    auto peers = make_peers("pencil", "pencil", Buffer(32), Buffer(32, std::byte{1}));
    CHECK(talk(peers) == Errc::binding_mismatch);
}

TEST_CASE("auth/scram: a middleman who hides the offer of -PLUS is found out")
{
    const Buffer hash(32);
    auth::ScramServer server{
        auth::make_scram_verifier("pencil", salt, few_iterations), "the-server", hash
    };
    auth::ScramClientOptions options{
        .secret = "pencil",
        .nonce = "the-client",
        .mechanisms = {"SCRAM-SHA-256"},
        .binding = hash,
        .user = {},
    };
    Peers peers{std::move(server), auth::ScramClient{std::move(options), cache()}};
    CHECK(talk(peers) == Errc::binding_downgrade);
}

TEST_CASE("auth/scram: a middleman who turns \"could bind\" into \"cannot\" is found out too")
{
    const Buffer hash(32);
    auth::ScramServer server{
        auth::make_scram_verifier("pencil", salt, few_iterations), "the-server", hash
    };
    auth::ScramClientOptions options{
        .secret = "pencil",
        .nonce = "the-client",
        .mechanisms = {"SCRAM-SHA-256"},
        .binding = hash,
        .user = {},
    };
    Peers peers{std::move(server), auth::ScramClient{std::move(options), cache()}};
    const auto error = talk(peers, [](int step, std::string& message) {
        if (step == 0) message[0] = 'n';
    });
    CHECK(error == Errc::binding_mismatch);
}

TEST_CASE("auth/scram: what the server learned logs in elsewhere, with the same verifier")
{
    auto peers = make_peers("pencil", "pencil", {}, {});
    REQUIRE_FALSE(talk(peers));

    auth::KeyCache unused;
    auth::ScramClientOptions options{
        .secret = peers.server.recovered_keys().value(),
        .nonce = "the-pooler",
        .mechanisms = {"SCRAM-SHA-256"},
        .binding = {},
        .user = {},
    };
    Peers behind{
        {auth::make_scram_verifier("pencil", salt, few_iterations), "postgres"},
        auth::ScramClient{std::move(options), unused}
    };
    CHECK_FALSE(talk(behind));
}

TEST_CASE("auth/scram: whoever changes a single bit on the way is noticed")
{
    const Buffer hash(32, std::byte{0x5A});
    for (const bool is_bound : {false, true}) {
        const auto binding = is_bound ? auth::BindingData{hash} : auth::BindingData{};
        std::array<std::size_t, 4> sizes{};
        auto honest = make_peers("pencil", "pencil", binding, binding);
        REQUIRE_FALSE(talk(honest, [&](int step, std::string& message) {
            sizes.at(static_cast<std::size_t>(step)) = message.size();
        }));

        const std::size_t bits = 8 * (sizes[0] + sizes[1] + sizes[2] + sizes[3]);
        for (std::size_t bit = 0; bit < bits; ++bit) {
            CAPTURE(bit);
            std::size_t before = 0; // bits of the messages that have passed
            auto peers = make_peers("pencil", "pencil", binding, binding);
            const auto error = talk(peers, [&](int, std::string& message) {
                flip_bit(message, bit - before); // wraps where the bit has passed
                before += message.size() * 8;
            });
            CHECK(error);
        }
    }
}

TEST_CASE("auth/scram: whoever cuts a message, or adds to it, is noticed")
{
    for (int target = 0; target < 4; ++target) {
        for (std::size_t size = 0; size < 200; ++size) {
            CAPTURE(target);
            CAPTURE(size);
            bool is_changed = false;
            auto peers = make_peers("pencil", "pencil", {}, {});
            const auto error = talk(peers, [&](int step, std::string& message) {
                if (step != target || message.size() == size) return;
                message.resize(size, ',');
                is_changed = true;
            });
            CHECK(static_cast<bool>(error) == is_changed);
        }
    }
}
