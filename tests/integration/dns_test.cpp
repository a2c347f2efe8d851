// Hosts by names that change their meaning: those are told by the test, and not by DNS.
#include "support/inner_pooler.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace pgweir;
using namespace pgweir::test;
using namespace std::chrono_literals;

namespace {

/// What the one name means. Shared with the front door's thread.
class Book {
public:
    void set(std::vector<std::string> addresses)
    {
        const std::scoped_lock lock{mutex_};
        addresses_ = std::move(addresses);
    }
    void be_silent(bool on)
    {
        const std::scoped_lock lock{mutex_};
        is_silent_ = on;
    }
    [[nodiscard]] bool is_silent() const
    {
        const std::scoped_lock lock{mutex_};
        return is_silent_;
    }
    std::vector<std::string> look_up()
    {
        const std::scoped_lock lock{mutex_};
        ++question_count_;
        return addresses_;
    }
    [[nodiscard]] int question_count() const
    {
        const std::scoped_lock lock{mutex_};
        return question_count_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> addresses_;
    bool is_silent_ = false;
    int question_count_ = 0;
};

class BookNames final : public net::NameSource {
public:
    explicit BookNames(Book& book) : book_{book} {}

    net::Task<net::Resolved> look_up(net::HostPort host) override
    {
        net::Timer timer{co_await net::asio::this_coro::executor};
        while (book_.is_silent()) {
            timer.expires_after(10ms);
            co_await timer.async_wait(net::use_task);
        }
        net::Resolved resolved;
        for (const std::string& each : book_.look_up()) {
            host.address = each;
            resolved.addresses.push_back(net::resolve_literal(host).value().addresses.at(0));
        }
        if (resolved.addresses.empty()) resolved.problem = "nobody knows it";
        co_return resolved;
    }

private:
    Book& book_;
};

InnerPooler::Options by_name(Book& book)
{
    InnerPooler::Options options;
    options.hosts = {{"db.test", postgres().port()}};
    options.names = [&book] { return std::make_unique<BookNames>(book); };
    options.dns_max_ttl = 50ms;
    options.pool.size = 2;
    options.pool.server_login_retry = 100ms;
    options.pool.server_connect_timeout = 2s;
    return options;
}

std::string address_of(Connection& client)
{
    return client.query("SELECT host(inet_server_addr())").text();
}

} // namespace

TEST_CASE("integration/dns: all addresses of a name are tried")
{
    Book book;
    book.set({"127.0.0.77", "127.0.0.2"}); // at the first of them nobody listens
    const InnerPooler pooler{by_name(book)};
    Connection client = pooler.connect();
    CHECK(address_of(client) == "127.0.0.2");
}

TEST_CASE("integration/dns: connections to an address that is gone are closed, busy ones later")
{
    Book book;
    book.set({"127.0.0.1"});
    const InnerPooler pooler{by_name(book)};
    Connection busy = pooler.connect();
    Connection other = pooler.connect();
    busy.query("BEGIN");
    CHECK(address_of(busy) == "127.0.0.1");
    CHECK(address_of(other) == "127.0.0.1");
    postgres().wait_for_server_count("app_trust", 2);

    book.set({"127.0.0.2"});
    postgres().wait_for_server_count("app_trust", 1); // nobody has asked for anything
    CHECK(address_of(busy) == "127.0.0.1");
    CHECK(address_of(other) == "127.0.0.2");
    busy.query("COMMIT");
    wait_until([&] { return address_of(busy) == "127.0.0.2"; }, "its server is another one");
    wait_until([&] { return address_of(other) == "127.0.0.2"; }, "the other one's, too");
}

TEST_CASE("integration/dns: an address more is no reason to leave the others")
{
    Book book;
    book.set({"127.0.0.1"});
    const InnerPooler pooler{by_name(book)};
    Connection client = pooler.connect();
    const int server = client.backend_pid();
    book.set({"127.0.0.2", "127.0.0.1"});
    const int looked_up = book.question_count();
    wait_until([&] { return book.question_count() >= looked_up + 2; }, "the names are known");
    client.query("BEGIN");
    CHECK(client.backend_pid() == server);
    Connection other = pooler.connect();
    CHECK(address_of(other) == "127.0.0.2");
}

TEST_CASE("integration/dns: a name that nobody knows any more means what it meant before")
{
    Book book;
    book.set({"127.0.0.1"});
    const InnerPooler pooler{by_name(book)};
    Connection client = pooler.connect();
    CHECK(address_of(client) == "127.0.0.1");
    book.set({});
    postgres().disconnect("app_trust");
    CHECK(address_of(client) == "127.0.0.1");
    book.be_silent(true);
    postgres().disconnect("app_trust");
    CHECK(address_of(client) == "127.0.0.1");
    book.be_silent(false);
}

TEST_CASE("integration/dns: a name that means nothing is an error, within the time of a connect")
{
    Book book;
    {
        const InnerPooler pooler{by_name(book)};
        CHECK(
            login_error(pooler.conninfo())
            == "08006 could not translate host name \"db.test\": nobody knows it"
        );
    }
    book.be_silent(true);
    const InnerPooler pooler{by_name(book)};
    CHECK(
        login_error(pooler.conninfo())
        == "08006 could not translate host name \"db.test\": no answer in time"
    );
    book.set({"127.0.0.1"});
    book.be_silent(false);
    wait_until([&] { return login_error(pooler.conninfo()).empty(); }, "it is known at last");
}
