#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace pgweir::test;

namespace {

// The sum of the samples that fit, or -1 while there is none.
double sample(const Pgweir& pgweir, const std::vector<std::string>& parts)
{
    try {
        return metric(pgweir.metrics(), parts);
    } catch (const std::runtime_error&) {
        return -1;
    }
}

void wait_for_sample(const Pgweir& pgweir, const std::vector<std::string>& parts, double least)
{
    std::string name;
    for (const std::string& part : parts) name += part + " ";
    wait_until([&] { return sample(pgweir, parts) >= least; }, name + std::to_string(least));
}

} // namespace

TEST_CASE("integration/metrics: the text is what Prometheus reads" * pooler_only())
{
    const Pgweir pgweir;
    pgweir.connect().query("SELECT 1");
    const HttpAnswer answer = http_get(pgweir.http(), "/metrics");
    CHECK(answer.status == 200);
    CHECK(answer.head.find("text/plain") != std::string::npos);

    const std::string name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    const std::string label = R"re([a-zA-Z_][a-zA-Z0-9_]*="[^"]*")re";
    const std::string value = R"(NaN|[+-]?(Inf|[0-9.]+(e[+-]?[0-9]+)?))";
    const std::regex name_and_value{
        name + R"((\{)" + label + "(," + label + R"()*\})? ()" + value + ")"
    };
    std::istringstream lines{answer.body};
    std::set<std::string> seen;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#') || line.empty()) continue;
        CAPTURE(line);
        CHECK(std::regex_match(line, name_and_value));
        CHECK(seen.insert(line.substr(0, line.rfind(' '))).second); // no sample twice
    }
    CHECK(seen.size() > 20);
}

TEST_CASE(
    "integration/metrics: there are histograms of waiting, queries, transactions, connects"
    * pooler_only()
)
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection client = pgweir.connect();
    for (int i = 0; i < 5; ++i) client.query("SELECT 1");
    for (const std::string what : {"wait", "query", "transaction", "connect"}) {
        CAPTURE(what);
        wait_for_sample(pgweir, {"pgweir_", what, "_seconds_bucket", "le=\"+Inf\""}, 1);
        wait_for_sample(pgweir, {"pgweir_", what, "_seconds_count"}, 1);
    }
    wait_for_sample(pgweir, {"pgweir_", "transaction", "_seconds_count"}, 5);
}

TEST_CASE("integration/metrics: transactions, queries and bytes are counted" * pooler_only())
{
    const Pgweir pgweir;
    Connection client = pgweir.connect();
    client.query("SELECT repeat('x', 1000000)");
    for (int i = 0; i < 9; ++i) client.query("SELECT 1");
    wait_for_sample(pgweir, {"pgweir_", "transactions", "_total"}, 10);
    wait_for_sample(pgweir, {"pgweir_", "queries", "_total"}, 10);
    wait_for_sample(pgweir, {"pgweir_", "bytes", "_total"}, 1'000'000);
}

TEST_CASE("integration/metrics: clients and servers by state, and the queue" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection holder = pgweir.connect();
    Connection waiting = pgweir.connect();
    holder.query(begin_at_once);
    waiting.send("SELECT 1");
    waiting.flush();
    pgweir.wait_for_waiting(1);

    wait_for_sample(pgweir, {"pgweir_", "clients", "state=\"waiting\""}, 1);
    wait_for_sample(pgweir, {"pgweir_", "clients", "state=\"active\""}, 1);
    wait_for_sample(pgweir, {"pgweir_", "servers", "state=\"active\""}, 1);
    // The age of the oldest waiter grows while it waits.
    wait_for_sample(pgweir, {"pgweir_", "oldest", "_seconds"}, 0.2);
    holder.query("COMMIT");
    CHECK(waiting.next_result().value().text() == "1");
    wait_until(
        [&] {
            return sample(pgweir, {"pgweir_", "clients", "state=\"waiting\""}) == 0
                   && sample(pgweir, {"pgweir_", "servers", "state=\"idle\""}) == 1;
        },
        "the queue is empty again"
    );
}

TEST_CASE("integration/metrics: errors are counted by SQLSTATE, timeouts by kind" * pooler_only())
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1", "--set", "pool.query_timeout=300ms"}}};
    Connection client = pgweir.connect();
    for (int i = 0; i < 3; ++i) client.query("SELECT 1/0");
    client.query("SELECT pg_sleep(60)");
    static_cast<void>(login_error(pgweir.conninfo("password=wrong")));
    wait_for_sample(pgweir, {"pgweir_", "errors", "_total", "22012"}, 3);
    wait_for_sample(pgweir, {"pgweir_", "errors", "_total", "28P01"}, 1);
    wait_for_sample(pgweir, {"pgweir_", "timeouts", "_total", "query"}, 1);
}

TEST_CASE(
    "integration/metrics: no counter ever goes back, also when its clients are gone" * pooler_only()
)
{
    const Pgweir pgweir;
    for (int i = 1; i <= 5; ++i) {
        pgweir.connect().query("SELECT 1");
        wait_for_sample(pgweir, {"pgweir_", "transactions", "_total"}, i);
    }
}

TEST_CASE("integration/metrics: health and readiness answer 200 when all is well" * pooler_only())
{
    const Pgweir pgweir;
    CHECK(http_get(pgweir.http(), "/healthz").status == 200);
    CHECK(http_get(pgweir.http(), "/readyz").status == 200);
    CHECK(http_get(pgweir.http(), "/nothing").status == 404);
}

TEST_CASE("integration/metrics: bad HTTP hurts nobody" * pooler_only())
{
    const Pgweir pgweir;
    const std::vector<std::string> requests{
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        std::string(100'000, 'A'),
    };
    for (const std::string& request : requests) {
        Stream stream{pgweir.http().host, pgweir.http().port};
        stream.write_what_is_taken(request);
        stream.shut_down_writing();
        static_cast<void>(stream.read_to_end()); // throws if the end does not come
    }
    const Stream silent{pgweir.http().host, pgweir.http().port}; // says nothing, holds up nobody
    CHECK(http_get(pgweir.http(), "/healthz").status == 200);
    CHECK(pgweir.connect().query("SELECT 1").text() == "1");
}
