#include "integration/support/daemon.hpp"
#include "integration/support/fake_server.hpp"
#include "support/prng.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

using namespace pgweir::test;

namespace {

// Nobody waits for it for long.
Start impatient(const FakeServer& server)
{
    Start start = in_front_of(server);
    for (const char* const setting :
         {"pool.query_wait_timeout=2s",
          "pool.server_connect_timeout=1s",
          "pool.query_timeout=2s",
          "pool.cancel_wait_timeout=500ms"}) {
        start.flags.insert(start.flags.end(), {"--set", setting});
    }
    return start;
}

// What a client sees who logs in and asks one question: "1" when it was answered.
std::string ask_once(const Pgweir& pgweir)
{
    std::string error = login_error(pgweir.conninfo());
    if (!error.empty()) return error;
    Connection client = pgweir.connect();
    // The last: an answer whose end is missing is followed by an error.
    const std::vector<Result> results = client.query_all("SELECT 1");
    return results.empty() ? "lost" : results.back().text();
}

// The first connections get the bad manners, later ones are served as by PostgreSQL.
class BadAtFirst {
public:
    BadAtFirst(int count, FakeServer::Behaviour bad) : left_{count}, bad_{std::move(bad)} {}

    void operator()(Stream& stream)
    {
        if (left_-- > 0) {
            bad_(stream);
        } else {
            serve_politely(stream);
        }
    }

private:
    std::atomic<int> left_;
    FakeServer::Behaviour bad_;
};

// Starts a daemon before such a server: it must say so, stay alive, and find the good server later.
void expect_recovery(const FakeServer::Behaviour& bad)
{
    BadAtFirst manners{1, bad};
    FakeServer server{[&manners](Stream& stream) { manners(stream); }};
    const Pgweir pgweir{impatient(server)};
    wait_until(
        [&] { return ask_once(pgweir) == "1" && server.connection_count() >= 2; },
        "the server that behaves is found"
    );
    CHECK(http_get(pgweir.http(), "/healthz").status == 200);
}

std::string huge(char type) { return type + message::be32(0x7FFF'FFFF); }

} // namespace

TEST_CASE("integration/misbehaving_server: the harness itself, behaving" * pooler_only())
{
    FakeServer server{serve_politely};
    const Pgweir pgweir{impatient(server)};
    CHECK(ask_once(pgweir) == "1");
}

TEST_CASE("integration/misbehaving_server: it closes instead of logging us in" * pooler_only())
{
    expect_recovery([](Stream& /*stream*/) {});
    expect_recovery([](Stream& stream) { static_cast<void>(stream.read_some()); });
    expect_recovery([](Stream& stream) { stream.write(message::typed('R', message::be32(0))); });
}

TEST_CASE("integration/misbehaving_server: it says nothing at all" * pooler_only())
{
    expect_recovery([](Stream& stream) { static_cast<void>(stream.read_to_end()); });
}

TEST_CASE("integration/misbehaving_server: it speaks another protocol" * pooler_only())
{
    expect_recovery([](Stream& stream) { stream.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    expect_recovery([](Stream& stream) { stream.write(std::string(100'000, '\0')); });
    expect_recovery([](Stream& stream) { stream.write(huge('R')); });
}

TEST_CASE("integration/misbehaving_server: it asks for a login that does not exist" * pooler_only())
{
    for (const std::size_t method : {1U, 2U, 6U, 7U, 9U, 99U, 0xFFFF'FFFFU}) {
        CAPTURE(method);
        expect_recovery([method](Stream& stream) {
            stream.write(message::typed('R', message::be32(method)));
            static_cast<void>(stream.read_some());
        });
    }
}

TEST_CASE("integration/misbehaving_server: its SCRAM is hostile" * pooler_only())
{
    const std::string mechanisms = message::typed(
        'R', message::be32(10) + std::string{"SCRAM-SHA-256"} + '\0' + '\0'
    );
    // Ours too long, missing, of another nonce, with work for years, or not base64.
    const std::vector<std::string> challenges{
        "r=" + std::string(60'000, 'x') + ",s=AAAA,i=4096",
        "",
        "r=other,s=AAAA,i=4096",
        "r=other,s=AAAA,i=2000000000",
        "r=other,s=AAAA,i=-1",
        "r=other,s=!!!!,i=4096",
        "s=AAAA",
    };
    for (const std::string& challenge : challenges) {
        CAPTURE(challenge.substr(0, 40));
        expect_recovery([&](Stream& stream) {
            static_cast<void>(stream.read_some());
            stream.write(mechanisms);
            static_cast<void>(read_message(stream));
            stream.write(message::typed('R', message::be32(11) + challenge));
            static_cast<void>(stream.read_some());
        });
    }
}

TEST_CASE("integration/misbehaving_server: its error lacks every field" * pooler_only())
{
    expect_recovery([](Stream& stream) {
        static_cast<void>(stream.read_some());
        stream.write(message::typed('E', std::string(1, '\0')));
    });
    expect_recovery([](Stream& stream) {
        static_cast<void>(stream.read_some());
        stream.write(message::typed('E', "Mno end"));
    });
}

TEST_CASE("integration/misbehaving_server: it breaks off in the middle of a row" * pooler_only())
{
    const std::string answer = polite_answer();
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{10}, answer.size() / 2, answer.size() - 1}) {
        CAPTURE(size);
        expect_recovery([&](Stream& stream) {
            accept_login(stream);
            static_cast<void>(read_message(stream));
            stream.write(answer.substr(0, size));
        });
    }
}

TEST_CASE("integration/misbehaving_server: it answers what nobody asked" * pooler_only())
{
    const std::string ready = message::typed('Z', "I");
    const std::vector<std::string> surprises{
        ready + ready + ready,                     // more answers than questions
        polite_answer() + polite_answer(),         // data that would reach the next client
        message::typed('Z', "X"),                  // a state that does not exist
        message::typed('Z', ""),                   // … or none
        message::typed('G', std::string(3, '\0')), // COPY in the middle of nowhere
        std::string{"Z"} + message::be32(3),
        huge('D'),
        message::typed('R', message::be32(0)),
        message::typed(static_cast<char>(200), "?"),
    };
    for (const std::string& surprise : surprises) {
        CAPTURE(surprise.substr(0, 6));
        expect_recovery([&](Stream& stream) {
            accept_login(stream);
            static_cast<void>(read_message(stream));
            stream.write(surprise);
        });
    }
}

TEST_CASE(
    "integration/misbehaving_server: an answer too many never reaches another client"
    * pooler_only()
)
{
    // Once as the tail of the first answer, in one write, and the connection stays open.
    std::atomic<int> asked = 0;
    FakeServer server{[&](Stream& stream) {
        accept_login(stream);
        for (;;) {
            if (read_message(stream).type != 'Q') continue;
            const bool is_first = asked++ == 0;
            stream.write(polite_answer() + (is_first ? message::typed('Z', "I") : ""));
        }
    }};
    const Pgweir pgweir{impatient(server)};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    CHECK(first.query("SELECT 1").text() == "1");
    for (int i = 0; i < 5; ++i) CHECK(second.query("SELECT 1").text() == "1");
    CHECK(server.connection_count() == 2); // the first one is not to be trusted any more
}

TEST_CASE("integration/misbehaving_server: it never answers, nor to a cancel" * pooler_only())
{
    expect_recovery([](Stream& stream) {
        accept_login(stream);
        static_cast<void>(stream.read_to_end());
    });
}

TEST_CASE(
    "integration/misbehaving_server: random bytes at any point of a conversation" * pooler_only()
)
{
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        CAPTURE(seed);
        expect_recovery([seed](Stream& stream) {
            Prng random{seed};
            if (random.chance(70)) accept_login(stream);
            static_cast<void>(stream.read_some());
            std::string bytes = random.chance(50) ? polite_answer() : "";
            for (std::uint64_t left = random.below(300); left > 0; --left) {
                bytes += static_cast<char>(random.below(256));
            }
            stream.write_what_is_taken(bytes);
        });
    }
}
