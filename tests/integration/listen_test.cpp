// LISTEN in transaction mode: all clients of a pool share one listening connection, and none of
// them must notice.
#include "support/daemon.hpp"
#include "support/inner_pooler.hpp"
#include "support/two_servers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

// What has come, without waiting: "channel=payload" each.
std::string heard(Connection& client)
{
    std::string text;
    while (PGnotify* const news = PQnotifies(client.raw())) {
        if (!text.empty()) text += ' ';
        text += std::string{news->relname} + '=' + news->extra;
        PQfreemem(news);
    }
    return text;
}

std::string next_heard(Connection& client)
{
    std::string text;
    wait_until(
        [&] {
            REQUIRE(PQconsumeInput(client.raw()) == 1);
            text = heard(client);
            return !text.empty();
        },
        "a notification"
    );
    return text;
}

void notify(const std::string& channel, const std::string& payload)
{
    postgres().sql("NOTIFY " + channel + ", '" + payload + "'");
}

// One that everybody hears who listens to it: whatever was sent before has come by then.
void check_next(Connection& client, const std::string& channel, const std::string& expected)
{
    notify(channel, "end");
    std::string all;
    while (!all.ends_with(channel + "=end")) {
        if (!all.empty()) all += ' ';
        all += next_heard(client);
    }
    CHECK(all == (expected.empty() ? "" : expected + " ") + channel + "=end");
}

int number(const Pgweir& pgweir, const std::string& name)
{
    return static_cast<int>(metric(pgweir.metrics(), {name + "{"}));
}

void wait_for_listeners(const Pgweir& pgweir, int clients)
{
    if (is_direct()) return;
    wait_until(
        [&] {
            if (number(pgweir, "pgweir_listen_clients") != clients) return false;
            return metric(pgweir.metrics(), {"pgweir_servers{", "\"active\""}) == 0;
        },
        "the listener listens for clients, and nobody has a server"
    );
}

// Two servers: one listens, one works.
struct Listeners {
    explicit Listeners(const std::string& channel = "news")
    {
        CHECK(client.query("LISTEN " + channel).text() == "LISTEN");
        wait_for_listeners(servers.pgweir, 1);
    }

    TwoServers servers;
    Connection client = servers.connect();
    Connection other = servers.connect();
    const std::string channels = "SELECT string_agg(c, ' ' ORDER BY c) FROM "
                                 "pg_listening_channels() AS c";
};

std::string listening_pid(const Pgweir& pgweir)
{
    Connection console = pgweir.console();
    const Result servers = console.query("SHOW SERVERS");
    for (int row = 0; row < servers.row_count(); ++row) {
        if (servers.value(row, "state") == "listening") return servers.value(row, "remote_pid");
    }
    return {};
}

} // namespace

TEST_CASE("integration/listen: who listens needs no server for it")
{
    const TwoServers servers;
    Connection one = servers.connect();
    Connection two = servers.connect();
    Connection working = servers.connect();
    CHECK(one.query("LISTEN news").text() == "LISTEN");
    CHECK(two.query("LISTEN news; LISTEN weather").text() == "LISTEN");
    CHECK(working.query("BEGIN").text() == "BEGIN");
    CHECK(working.query("COMMIT").text() == "COMMIT");
    wait_for_listeners(servers.pgweir, 2);
    notify("news", "1");
    notify("weather", "2");
    notify("news", "3");
    check_next(one, "news", "news=1 news=3");
    check_next(two, "weather", "news=1 weather=2 news=3 news=end");
    CHECK(working.query("SELECT 8").text() == "8");
    CHECK(heard(working) == "");
    if (is_direct()) return;
    CHECK(number(servers.pgweir, "pgweir_listen_channels") == 2);
    CHECK(number(servers.pgweir, "pgweir_listen_delivered_total") >= 4);
    CHECK(number(servers.pgweir, "pgweir_pins_total") == 0);
}

TEST_CASE("integration/listen: many that begin at once leave a server for those who work")
{
    const TwoServers servers;
    std::vector<Connection> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(servers.connect());
    for (Connection& client : clients) {
        client.send("LISTEN news");
        client.flush();
    }
    for (Connection& client : clients) {
        CHECK(client.next_result().value().text() == "LISTEN");
        CHECK_FALSE(client.next_result());
    }
    wait_for_listeners(servers.pgweir, 10);
    notify("news", "all");
    for (Connection& client : clients) CHECK(next_heard(client) == "news=all");
}

TEST_CASE("integration/listen: names and payloads are what they are")
{
    const std::string odd = R"("o'dd ""na;me")";
    Listeners one{odd};
    CHECK(one.client.query(one.channels).text() == "o'dd \"na;me");
    notify(odd, "it''s; \" -- \\ \xc3\xa9");
    CHECK(next_heard(one.client) == "o'dd \"na;me=it's; \" -- \\ \xc3\xa9");
    postgres().sql("NOTIFY " + odd);
    CHECK(next_heard(one.client) == "o'dd \"na;me=");
    const std::string long_text(7'999, 'x');
    notify(odd, long_text);
    CHECK(next_heard(one.client) == "o'dd \"na;me=" + long_text);
    CHECK(one.client.query("UNLISTEN " + odd).text() == "UNLISTEN");
    CHECK(one.client.query(one.channels).text() == "NULL");
}

TEST_CASE("integration/listen: LISTEN takes effect when its transaction is committed")
{
    Listeners one;
    one.other.query("BEGIN");
    CHECK(one.other.query("LISTEN late").text() == "LISTEN");
    notify("late", "too early");
    one.other.query("COMMIT");
    check_next(one.other, "late", "");
    one.client.query("BEGIN");
    one.client.query("LISTEN late");
    one.client.query("COMMIT");
    wait_for_listeners(one.servers.pgweir, 2);
    CHECK(one.client.query(one.channels).text() == "late news");
    notify("late", "heard");
    check_next(one.client, "news", "late=heard");

    one.client.query("BEGIN");
    one.client.query("LISTEN never");
    one.client.query("ROLLBACK");
    one.client.query("LISTEN never; SELECT 1/0");
    one.client.query("BEGIN");
    one.client.query("SAVEPOINT s");
    one.client.query("LISTEN never");
    one.client.query("UNLISTEN *");
    one.client.query("ROLLBACK TO s");
    one.client.query("COMMIT");
    CHECK(one.client.query(one.channels).text() == "late news");
    notify("never", "x");
    check_next(one.client, "news", "");
}

TEST_CASE("integration/listen: nothing is told within a transaction, and everything after it")
{
    Listeners one;
    one.client.query("BEGIN");
    notify("news", "1");
    notify("news", "2");
    for (int i = 0; i < 20; ++i) CHECK(one.client.query("SELECT 1").text() == "1");
    CHECK(heard(one.client) == "");
    one.client.query("COMMIT");
    check_next(one.client, "news", "news=1 news=2");
}

TEST_CASE("integration/listen: one's own notification comes before the transaction is over")
{
    Listeners one;
    for (int i = 0; i < 20; ++i) {
        const std::string payload = std::to_string(i);
        CHECK(one.client.query("NOTIFY news, '" + payload + "'").text() == "NOTIFY");
        CHECK(heard(one.client) == "news=" + payload);
        one.client.query("BEGIN");
        one.client.query("SELECT pg_notify('news', 'f')");
        CHECK(heard(one.client) == "");
        one.client.query("NOTIFY news, 'g'");
        one.client.query("COMMIT");
        CHECK(heard(one.client) == "news=f news=g");
        one.client.query("BEGIN; NOTIFY news; ROLLBACK");
        CHECK(heard(one.client) == "");
    }
    one.client.enter_pipeline();
    for (const std::string sql : {"NOTIFY news, 'p'", "SELECT 1", "NOTIFY news, 'q'"}) {
        one.client.send_params(sql, {});
        one.client.sync();
    }
    CHECK(one.client.read_until_sync() == "NOTIFY / sync");
    CHECK(one.client.read_until_sync() == "1 / sync");
    CHECK(one.client.read_until_sync() == "NOTIFY / sync");
    one.client.exit_pipeline();
    CHECK(heard(one.client) == "news=p news=q");
}

TEST_CASE("integration/listen: UNLISTEN ends it, and so does DISCARD ALL")
{
    for (const std::string end : {"UNLISTEN news", "UNLISTEN *", "DISCARD ALL"}) {
        CAPTURE(end);
        Listeners one;
        CHECK(one.client.query("LISTEN other").text() == "LISTEN");
        wait_for_listeners(one.servers.pgweir, 1);
        CHECK_FALSE(one.client.query(end).is_error());
        notify("news", "x");
        one.client.query("LISTEN other");
        check_next(one.client, "other", "");
        CHECK(one.client.query(one.channels).text() == "other");
        CHECK(one.other.query(one.channels).text() == "NULL");
    }
}

TEST_CASE("integration/listen: UNLISTEN within a transaction counts when that is committed")
{
    Listeners one;
    one.client.query("BEGIN");
    one.client.query("SELECT 1");
    one.client.query("UNLISTEN *");
    one.client.query("ROLLBACK");
    CHECK(one.client.query(one.channels).text() == "news");
    check_next(one.client, "news", "");
    one.client.query("BEGIN");
    one.client.query("SELECT 1");
    one.client.query_params("UNLISTEN *", {});
    one.client.query("LISTEN other");
    one.client.query("COMMIT");
    CHECK(one.client.query(one.channels).text() == "other");
    notify("news", "x");
    check_next(one.client, "other", "");
}

TEST_CASE("integration/listen: who keeps a server for another reason hears as well")
{
    Listeners one;
    one.client.query("CREATE TEMP TABLE mine (i int)");
    check_next(one.client, "news", "");
    CHECK(one.client.query("LISTEN more").text() == "LISTEN");
    check_next(one.client, "more", "");
    CHECK(one.client.query("NOTIFY more, '2'").text() == "NOTIFY");
    CHECK(heard(one.client) == "more=2");
    one.client.query("DROP TABLE mine");
    wait_for_listeners(one.servers.pgweir, 1);
    notify("more", "3");
    check_next(one.client, "news", "more=3");
    CHECK(one.client.query(one.channels).text() == "more news");
}

TEST_CASE("integration/listen: nothing is missed or told twice while channels come and go")
{
    Listeners one;
    Connection teller{postgres().conninfo("app_scram")};
    std::vector<std::string> expected;
    for (int i = 100; i < 150; ++i) {
        const std::string channel = "c" + std::to_string(i);
        teller.send("NOTIFY news, '" + channel + "'");
        teller.flush();
        CHECK(one.client.query("LISTEN " + channel).text() == "LISTEN");
        CHECK(teller.next_result().value().text() == "NOTIFY");
        CHECK_FALSE(teller.next_result());
        teller.query("NOTIFY " + channel + ", 'a'");
        teller.query("NOTIFY " + channel + ", 'a'"); // equal, but two
        expected.insert(expected.end(), {channel + "=a", channel + "=a", "news=" + channel});
    }
    notify("news", "end");
    expected.emplace_back("news=end");
    std::vector<std::string> all;
    while (all.size() < expected.size()) {
        std::istringstream words{next_heard(one.client)};
        for (std::string word; words >> word;) all.push_back(word);
    }
    // While a channel changes over, its notifications may overtake those of others, and no more.
    const auto channel_of = [](const std::string& word) { return word.substr(0, word.find('=')); };
    std::ranges::stable_sort(all, {}, channel_of);
    std::ranges::stable_sort(expected, {}, channel_of);
    CHECK(all == expected);
}

TEST_CASE(
    "integration/listen: a listening connection that is lost is opened again, and clients are told"
    * pooler_only()
)
{
    Listeners one;
    const std::string lost = "SELECT pg_terminate_backend(" + listening_pid(one.servers.pgweir)
                             + ")";
    CHECK(postgres().sql(lost) == "t");
    wait_until(
        [&] {
            REQUIRE(PQconsumeInput(one.client.raw()) == 1);
            static_cast<void>(heard(one.client));
            return one.client.notices().find("WARNING 01000") != std::string::npos;
        },
        "a warning"
    );
    CHECK(one.client.notices() == "WARNING 01000 notifications may have been missed\n");
    CHECK(one.client.query("SELECT 1").text() == "1");
    check_next(one.client, "news", "");
    CHECK(one.other.query("SELECT 1").text() == "1");
    CHECK(number(one.servers.pgweir, "pgweir_listen_losses_total") == 1);
    CHECK(one.servers.pgweir.log().find("event=listener_lost") != std::string::npos);
}

TEST_CASE("integration/listen: with the last client the channels go" * pooler_only())
{
    const TwoServers servers;
    {
        Connection client = servers.connect();
        client.query("LISTEN news; LISTEN weather");
        wait_for_listeners(servers.pgweir, 1);
        CHECK(number(servers.pgweir, "pgweir_listen_channels") == 2);
        Connection second = servers.connect();
        second.query("LISTEN news");
        wait_for_listeners(servers.pgweir, 2);
        second.query("UNLISTEN *");
        wait_for_listeners(servers.pgweir, 1);
        CHECK(number(servers.pgweir, "pgweir_listen_channels") == 2);
    }
    wait_for_listeners(servers.pgweir, 0);
    wait_until(
        [&] { return metric(servers.pgweir.metrics(), {"pgweir_servers{", "\"listening\""}) == 0; },
        "the listener is closed"
    );
    Connection holder = servers.connect();
    holder.query("BEGIN");
    Connection client = servers.connect();
    CHECK(client.query("SELECT pg_listening_channels()").text() == "");
    CHECK(holder.query("SELECT pg_listening_channels()").text() == "");
}

TEST_CASE("integration/listen: clients of all workers hear, and hear on when they move")
{
    InnerPooler::Options options;
    options.pool.size = 3;
    InnerPooler pooler{options};
    std::vector<Connection> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(pooler.connect());
        CHECK(clients.back().query("LISTEN news").text() == "LISTEN");
    }
    for (int i = 0; i < 50; ++i) {
        const std::string payload = std::to_string(i);
        notify("news", payload);
        if (i % 5 == 0) pooler.move_somebody();
        pooler.stir();
        for (Connection& client : clients) CHECK(next_heard(client) == "news=" + payload);
        pooler.stir();
        CHECK(clients.front().query("NOTIFY news, 'own'").text() == "NOTIFY");
        CHECK(heard(clients.front()) == "news=own");
        for (std::size_t c = 1; c < clients.size(); ++c)
            CHECK(next_heard(clients[c]) == "news=own");
    }
    for (Connection& client : clients) CHECK(client.notices() == "");
}

TEST_CASE("integration/listen: another encoding keeps its server, and hears in it" * pooler_only())
{
    const TwoServers servers;
    Connection client = servers.connect("client_encoding=LATIN1");
    CHECK(client.query("LISTEN \"caf\xe9\"").text() == "LISTEN");
    notify("\"caf\xc3\xa9\"", "\xc3\xa9");
    CHECK(next_heard(client) == "caf\xe9=\xe9");
    wait_until([&] { return number(servers.pgweir, "pgweir_pins_total") == 1; }, "the pin");
}
