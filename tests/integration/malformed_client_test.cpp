#include "integration/support/daemon.hpp"
#include "support/prng.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

Start trusting()
{
    return {
        .flags = {"--pool-size", "2", "--workers", "2", "--set", "auth.method=trust"},
        .user = "app_trust",
    };
}

std::string random_bytes(Prng& random, std::size_t size)
{
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>(random.below(256));
    return bytes;
}

std::string good_startup()
{
    return message::startup({{"user", "app_trust"}, {"database", "app"}});
}

// Something that a client could send, before anything is done to it.
std::string good_messages(Prng& random)
{
    const std::vector<std::string> kinds{
        message::query("SELECT 1"),
        message::query("BEGIN; SELECT 1/0"),
        message::parse("s", "SELECT $1::int"),
        message::bind("s", {"1"}),
        message::describe('S', "s"),
        message::execute(),
        message::close('S', "s"),
        message::sync(),
        message::flush(),
        message::query("COPY (SELECT 1) TO STDOUT"),
        message::query("CREATE TEMP TABLE IF NOT EXISTS t (i int)"),
        message::query("COPY t FROM STDIN"),
        message::copy_data("1\n"),
        message::copy_done(),
        message::copy_fail("why"),
        message::password("secret"),
        message::typed('F', message::be32(177) + std::string(6, '\0')),
    };
    std::string bytes;
    for (std::uint64_t left = 1 + random.below(6); left > 0; --left) {
        bytes += kinds[random.below(kinds.size())];
    }
    return bytes;
}

// Cut short, a byte changed, bytes put in between, or a length that lies.
std::string spoiled(Prng& random, std::string bytes)
{
    const std::size_t at = random.below(bytes.size());
    switch (random.below(5)) {
    case 0: return bytes.substr(0, at);
    case 1: bytes[at] = static_cast<char>(random.below(256)); return bytes;
    case 2: return bytes.insert(at, random_bytes(random, 1 + random.below(64)));
    case 3: return bytes.replace(1, 4, random_bytes(random, 4));
    default: return bytes + random_bytes(random, random.below(512));
    }
}

// Sends, and leaves in one of the ways in which clients leave.
void send_and_leave(Prng& random, WireClient& client, const std::string& bytes)
{
    client.stream().write_what_is_taken(bytes);
    if (random.chance(50)) client.stream().shut_down_writing();
    if (random.chance(30)) client.stream().reset();
}

// A client that behaves: its transaction, its error, its own answers and nobody else's.
void expect_served(Connection& client)
{
    REQUIRE(client.query("SELECT 'mine'").text() == "mine");
    REQUIRE(client.query_params("SELECT $1::int", {"42"}).text() == "42");
    REQUIRE(client.transaction_status() == PQTRANS_IDLE);
}

constexpr std::uint64_t rounds = 150;

} // namespace

TEST_CASE("integration/malformed_client: random bytes before the login disturb nobody")
{
    const Pgweir pgweir{trusting()};
    Connection witness = pgweir.connect();
    for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
        CAPTURE(seed);
        Prng random{seed};
        WireClient client{pgweir.target()};
        const bool is_plausible = random.chance(60);
        const std::string bytes = is_plausible ? spoiled(random, good_startup())
                                               : random_bytes(random, random.below(2'000));
        send_and_leave(random, client, bytes);
        if (seed % 10 == 0) expect_served(witness);
    }
    Connection next = pgweir.connect();
    expect_served(next);
}

TEST_CASE("integration/malformed_client: spoiled messages after the login disturb nobody")
{
    const Pgweir pgweir{trusting()};
    Connection witness = pgweir.connect();
    std::optional<std::size_t> before;
    for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
        CAPTURE(seed);
        Prng random{seed};
        WireClient client{pgweir.target()};
        client.log_in("app_trust");
        send_and_leave(random, client, spoiled(random, good_messages(random)));
        if (seed % 10 == 0) expect_served(witness);
        if (seed == rounds / 2) before = pgweir.peak_memory();
    }
    Connection next = pgweir.connect();
    expect_served(next);
    constexpr std::size_t megabyte = 1U << 20U;
    if (before) CHECK(*pgweir.peak_memory() - *before < 8 * megabyte);
}

TEST_CASE("integration/malformed_client: good messages in a senseless order disturb nobody")
{
    const Pgweir pgweir{trusting()};
    Connection witness = pgweir.connect();
    for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
        CAPTURE(seed);
        Prng random{seed};
        WireClient client{pgweir.target()};
        client.log_in("app_trust");
        std::string bytes;
        for (int i = 0; i < 4; ++i) bytes += good_messages(random);
        send_and_leave(random, client, bytes);
        if (seed % 10 == 0) expect_served(witness);
    }
    Connection next = pgweir.connect();
    expect_served(next);
}

TEST_CASE("integration/malformed_client: every type of message, empty, right after the login")
{
    const Pgweir pgweir{trusting()};
    Connection witness = pgweir.connect();
    for (int type = 0; type < 256; ++type) {
        CAPTURE(type);
        WireClient client{pgweir.target()};
        client.log_in("app_trust");
        client.stream().write_what_is_taken(message::typed(static_cast<char>(type), ""));
        client.stream().shut_down_writing();
        static_cast<void>(client.stream().read_to_end()); // throws if the end does not come
    }
    expect_served(witness);
}

TEST_CASE("integration/malformed_client: an unknown type of message is 08P01 and the end")
{
    const Pgweir pgweir{trusting()};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.send(message::typed('y', "what?"));
    const std::string words = refusal(client);
    CAPTURE(words);
    CHECK(words.starts_with("08P01 "));
}

TEST_CASE(
    "integration/malformed_client: a length that cannot be is 08P01 and the end" * pooler_only()
) // PostgreSQL closes without a word
{
    const Pgweir pgweir{trusting()};
    for (const std::size_t length : {0U, 3U, 0x8000'0000U, 0xFFFF'FFFFU}) {
        CAPTURE(length);
        WireClient client{pgweir.target()};
        client.log_in("app_trust");
        client.send("Q" + message::be32(length));
        client.stream().shut_down_writing();
        const std::string words = refusal(client);
        CAPTURE(words);
        CHECK(words.starts_with("08P01 "));
    }
    Connection next = pgweir.connect();
    expect_served(next);
}

// A driver that changes its mind sends Terminate before the startup packet.
TEST_CASE("integration/malformed_client: what is no startup packet is not answered")
{
    const Pgweir pgweir{trusting()};
    for (const std::string& bytes : {message::typed('X', ""), std::string{"GET / HTTP/1.1\r\n"}}) {
        CAPTURE(bytes);
        WireClient client{pgweir.target()};
        client.send(bytes);
        client.stream().shut_down_writing();
        CHECK(client.stream().read_to_end().empty());
    }
}

TEST_CASE(
    "integration/malformed_client: a message of a gigabyte that is only announced costs nothing"
)
{
    const Pgweir pgweir{trusting()};
    Connection witness = pgweir.connect();
    expect_served(witness);
    const auto before = pgweir.peak_memory();
    std::vector<WireClient> liars;
    for (int i = 0; i < 20; ++i) {
        liars.emplace_back(pgweir.target()).log_in("app_trust");
        // What must be held to be understood, and what could be passed on.
        const char type = "PBQdC"[i % 5];
        liars.back().stream().write_what_is_taken(type + message::be32(0x3FFF'FFFF));
    }
    for (WireClient& liar : liars) liar.stream().close();
    expect_served(witness);
    constexpr std::size_t megabyte = 1U << 20U;
    if (before) CHECK(*pgweir.peak_memory() - *before < 16 * megabyte);
}

TEST_CASE("integration/malformed_client: a password that is none, in every method" * pooler_only())
{
    for (const std::string method : {"password", "md5", "scram-sha-256"}) {
        CAPTURE(method);
        const Pgweir pgweir{
            {.flags = {"--pool-size", "1", "--set", std::string{"auth.method="} + method}}
        };
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            CAPTURE(seed);
            Prng random{seed};
            WireClient client{pgweir.target()};
            client.send(message::startup({{"user", "app_scram"}, {"database", "app"}}));
            REQUIRE(client.receive().type == 'R');
            const std::string body = random.chance(50)
                                         ? std::string{"SCRAM-SHA-256"} + '\0'
                                               + random_bytes(random, random.below(200))
                                         : random_bytes(random, random.below(200));
            client.stream().write_what_is_taken(message::typed('p', body));
            client.stream().shut_down_writing();
            CHECK(client.receive_to_end().find("R(0)") == std::string::npos);
        }
        Connection next = pgweir.connect();
        expect_served(next);
    }
}
