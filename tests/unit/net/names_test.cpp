#include <pgweir/net/names.hpp>

#include "support/run_task.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using namespace pgweir::net;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// What names mean, and how often somebody has asked.
struct Book {
    std::vector<std::string> addresses;
    std::string problem;
    Duration delay{};
    int question_count = 0;
};

class BookNames final : public NameSource {
public:
    explicit BookNames(Book& book) : book_{book} {}

    Task<Resolved> look_up(HostPort host) override
    {
        ++book_.question_count;
        if (book_.delay > Duration::zero()) {
            Timer timer{co_await asio::this_coro::executor};
            timer.expires_after(book_.delay);
            co_await timer.async_wait(use_task);
        }
        Resolved resolved;
        resolved.problem = book_.problem;
        for (const std::string& each : book_.addresses) {
            host.address = each;
            resolved.addresses.push_back(resolve_literal(host).value().addresses.at(0));
        }
        co_return resolved;
    }

private:
    Book& book_;
};

struct Rig {
    asio::io_context io{1};
    Book book{.addresses = {"10.0.0.1"}, .problem = {}};
    Names names{io.get_executor(), std::make_unique<BookNames>(book)};
    HostPort db{"db", 5432};

    /// The addresses, or what is wrong.
    std::string find(const HostPort& host, Duration patience = 10s)
    {
        const Resolved found = test::run_task(io, names.find(host, Clock::now() + patience));
        std::string text = found.problem;
        for (const Address& address : found.addresses) {
            text += (text.empty() ? "" : " ") + address.to_string();
        }
        return text;
    }
};

} // namespace

TEST_CASE("net/names: directories and addresses are asked of nobody")
{
    Rig rig;
    CHECK(rig.find({"/run/pg", 5433}) == "/run/pg/.s.PGSQL.5433");
    CHECK(rig.find({"127.0.0.1", 1}) == "127.0.0.1:1");
    CHECK(rig.find({"::1", 2}) == "[::1]:2");
    CHECK(rig.find({"db", 3, "10.1.1.1"}) == "10.1.1.1:3"); // hostaddr
    CHECK(
        rig.find({std::string(200, 'x').insert(0, "/"), 1}).find("too long") != std::string::npos
    );
    CHECK(rig.book.question_count == 0);
}

TEST_CASE("net/names: a name is believed for its time, then somebody is asked again")
{
    Rig rig;
    rig.names.set_ttl(1h);
    CHECK(rig.find(rig.db) == "10.0.0.1:5432");
    rig.book.addresses = {"10.0.0.2", "10.0.0.3"};
    CHECK(rig.find(rig.db) == "10.0.0.1:5432");
    CHECK(rig.book.question_count == 1);
    rig.names.set_ttl(Duration::zero());
    CHECK(rig.find(rig.db) == "10.0.0.2:5432 10.0.0.3:5432");
    CHECK(rig.find(rig.db) == "10.0.0.2:5432 10.0.0.3:5432");
    CHECK(rig.book.question_count == 3);
}

TEST_CASE("net/names: who is told of a change is told again, and of nothing else")
{
    Rig rig;
    std::string told;
    rig.names.set_changed([&](const HostPort& host, const std::vector<Address>& addresses) {
        told += host.host + '=' + std::to_string(addresses.size()) + ' ';
    });
    const Address first = resolve_literal({"10.0.0.1", 5432}).value().addresses.at(0);
    CHECK(rig.names.is_current(rig.db, first)); // nobody knows better
    rig.find(rig.db);
    rig.find(rig.db);
    CHECK(told.empty());
    rig.book.addresses = {"10.0.0.2", "10.0.0.1"};
    rig.find(rig.db);
    CHECK(told == "db=2 ");
    CHECK(rig.names.is_current(rig.db, first));
    rig.book.addresses = {"10.0.0.2"};
    rig.find(rig.db);
    rig.find(rig.db);
    CHECK(told == "db=2 db=1 db=1 ");
    CHECK_FALSE(rig.names.is_current(rig.db, first));
    CHECK(rig.names.is_current({"db", 5432, "10.0.0.1"}, first)); // hostaddr
}

TEST_CASE("net/names: a name that cannot be looked up means what it meant before")
{
    Rig rig;
    rig.book = {.addresses = {}, .problem = "Host not found"};
    CHECK(rig.find(rig.db) == "could not translate host name \"db\": Host not found");
    rig.book = {.addresses = {"10.0.0.1"}, .problem = {}};
    CHECK(rig.find(rig.db) == "10.0.0.1:5432");
    rig.book = {.addresses = {}, .problem = "Host not found"};
    CHECK(rig.find(rig.db) == "10.0.0.1:5432");
}

TEST_CASE("net/names: whoever is not answered goes on in time")
{
    Rig rig;
    rig.book.delay = 1h;
    CHECK(rig.find(rig.db, 10ms) == "could not translate host name \"db\": no answer in time");
    CHECK(rig.find(rig.db, 10ms) == "could not translate host name \"db\": no answer in time");
    CHECK(rig.book.question_count == 1); // one question at a time

    Rig known;
    CHECK(known.find(known.db) == "10.0.0.1:5432");
    known.book.delay = 1h;
    const auto started = Clock::now();
    CHECK(known.find(known.db, 100ms) == "10.0.0.1:5432");
    CHECK(Clock::now() - started >= 50ms);
}

TEST_CASE("net/names: those who ask together share the answer")
{
    Rig rig;
    rig.book.delay = 20ms;
    rig.names.look_again(rig.db);
    CHECK(rig.find(rig.db) == "10.0.0.1:5432");
    CHECK(rig.book.question_count == 1);
}
