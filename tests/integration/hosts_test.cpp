// Several hosts in one connection string: which of them is taken, and what is said when none is.
#include "support/daemon.hpp"
#include "support/fake_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

struct Place {
    std::string host;
    std::uint16_t port;
};

Place local(std::uint16_t port) { return {"127.0.0.1", port}; }

// As keywords: the URL form is tested with the parser.
Start in_front_of(const std::vector<Place>& places, const std::string& more = "")
{
    std::string hosts;
    std::string ports;
    for (const Place& place : places) {
        hosts += (hosts.empty() ? "" : ",") + place.host;
        ports += (ports.empty() ? "" : ",") + std::to_string(place.port);
    }
    return {
        .flags =
            {"--pool-size",
             "1",
             "--set",
             "auth.method=trust",
             "--set",
             "pool.server_login_retry=100ms",
             "--set",
             "pool.server_connect_timeout=3s"},
        .upstream = "host=" + hosts + " port=" + ports
                    + " user=app_scram password=secret dbname=app sslmode=disable " + more,
    };
}

// An old PostgreSQL, which must be asked what it is, and says its name to all other queries.
FakeServer::Behaviour old_server(bool is_standby, const std::string& name)
{
    return [=](Stream& stream) {
        accept_login(stream);
        for (;;) {
            const Message message = read_message(stream);
            if (message.type == 'X') return;
            if (message.type != 'Q') continue;
            std::string answer = name;
            if (message.body.starts_with("SHOW transaction_read_only")) {
                answer = is_standby ? "on" : "off";
            } else if (message.body.find("pg_is_in_recovery") != std::string::npos) {
                answer = is_standby ? "t" : "f";
            }
            stream.write(polite_answer(answer));
        }
    };
}

std::string answer_of(const Start& start)
{
    const Pgweir pgweir{start};
    const std::string error = login_error(pgweir.conninfo());
    return error.empty() ? pgweir.connect().query("SELECT 1").text() : error;
}

} // namespace

TEST_CASE("integration/hosts: one that is not there is passed over" * pooler_only())
{
    CHECK(answer_of(in_front_of({local(free_port()), local(postgres().port())})) == "1");
    CHECK(answer_of(in_front_of({{"/nowhere", 5432}, local(postgres().port())})) == "1");
}

TEST_CASE("integration/hosts: a socket that is not there is told at once" * pooler_only())
{
    CHECK(
        answer_of(in_front_of({{"/nowhere", 5432}}))
        == "08006 could not connect to server at /nowhere/.s.PGSQL.5432: No such file or directory"
    );
}

TEST_CASE("integration/hosts: one that says nothing costs its share of the time" * pooler_only())
{
    FakeServer silent{[](Stream& stream) { static_cast<void>(stream.read_exactly(10'000)); }};
    CHECK(answer_of(in_front_of({local(silent.port()), local(postgres().port())})) == "1");
    CHECK(silent.connection_count() >= 1);
}

TEST_CASE("integration/hosts: hostaddr is where a host is" * pooler_only())
{
    const Place nowhere{"db.invalid", postgres().port()};
    CHECK(answer_of(in_front_of({nowhere}, "hostaddr=127.0.0.1")) == "1");
}

TEST_CASE(
    "integration/hosts: one that starts is passed over, one that refuses is not" * pooler_only()
)
{
    FakeServer starting{[](Stream& stream) {
        refuse_login(stream, "57P03", "the database system is starting up");
    }};
    CHECK(answer_of(in_front_of({local(starting.port()), local(postgres().port())})) == "1");

    FakeServer refusing{[](Stream& stream) {
        refuse_login(stream, "28P01", "not with that password");
    }};
    CHECK(
        answer_of(in_front_of({local(refusing.port()), local(postgres().port())}))
        == "28P01 not with that password"
    );
}

TEST_CASE(
    "integration/hosts: target_session_attrs asks who does not say what it is" * pooler_only()
)
{
    FakeServer standby{old_server(true, "standby")};
    FakeServer primary{old_server(false, "primary")};
    const std::vector<Place> places{local(standby.port()), local(primary.port())};
    const auto answer = [&](const std::string& wanted) {
        return answer_of(in_front_of(places, "target_session_attrs=" + wanted));
    };
    CHECK(answer("any") == "standby");
    CHECK(answer("read-write") == "primary");
    CHECK(answer("read-only") == "standby");
    CHECK(answer("primary") == "primary");
    CHECK(answer("standby") == "standby");
    CHECK(answer("prefer-standby") == "standby");

    const std::vector<Place> primaries{local(free_port()), local(primary.port())};
    CHECK(answer_of(in_front_of(primaries, "target_session_attrs=prefer-standby")) == "primary");
}

TEST_CASE("integration/hosts: … and PostgreSQL says it" * pooler_only())
{
    FakeServer standby{old_server(true, "standby")};
    const std::vector<Place> places{local(postgres().port()), local(standby.port())};
    for (const std::string wanted : {"any", "read-write", "primary"}) {
        CAPTURE(wanted);
        CHECK(answer_of(in_front_of(places, "target_session_attrs=" + wanted)) == "1");
    }
    for (const std::string wanted : {"read-only", "standby", "prefer-standby"}) {
        CAPTURE(wanted);
        CHECK(answer_of(in_front_of(places, "target_session_attrs=" + wanted)) == "standby");
    }
}

TEST_CASE("integration/hosts: when there is none, all of them are named" * pooler_only())
{
    FakeServer standby{old_server(true, "standby")};
    const std::uint16_t nobody = free_port();
    const std::string error = answer_of(
        in_front_of({local(standby.port()), local(nobody)}, "target_session_attrs=primary")
    );
    CHECK(
        error
        == "57P03 server at 127.0.0.1:" + std::to_string(standby.port())
               + ": server is in hot standby mode; could not connect to server at 127.0.0.1:"
               + std::to_string(nobody) + ": Connection refused"
    );
}

TEST_CASE("integration/hosts: load_balance_hosts=random uses all of them" * pooler_only())
{
    FakeServer first{old_server(false, "first")};
    FakeServer second{old_server(false, "second")};
    Start start = in_front_of(
        {local(first.port()), local(second.port())}, "load_balance_hosts=random"
    );
    start.flags[1] = "20";
    start.flags.insert(start.flags.end(), {"--pool-mode", "session"}); // a server for each client
    const Pgweir pgweir{start};
    std::vector<Connection> clients;
    std::set<std::string> answers;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(pgweir.connect());
        answers.insert(clients.back().query("SELECT 1").text());
    }
    CHECK(answers == std::set<std::string>{"first", "second"});
}

TEST_CASE("integration/hosts: the one that worked last is tried first" * pooler_only())
{
    std::atomic<bool> is_first_open = false;
    FakeServer first{[&](Stream& stream) {
        if (!is_first_open) return refuse_login(stream, "57P03", "not yet");
        old_server(false, "first")(stream);
    }};
    FakeServer second{old_server(false, "second")};
    const Pgweir pgweir{in_front_of({local(first.port()), local(second.port())})};
    Connection client = pgweir.connect();
    CHECK(client.query("SELECT 1").text() == "second");
    is_first_open = true;
    CHECK(pgweir.console().query("RECONNECT").text() == "RECONNECT");
    const auto is_second_again = [&] {
        return client.query("SELECT 1").text() == "second" && second.connection_count() == 2;
    };
    wait_until(is_second_again, "another connection to the same host");
    CHECK(first.connection_count() == 1);
}
