// Statements are parsed under the settings that their session has at that moment, however it came
// to have them: in a transaction, or in the same pipeline.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

const std::string one_server = "1";

Start with_one_server() { return {.flags = {"--pool-size", one_server}}; }

// True while transform_null_equals is on; PostgreSQL reports neither it nor its changes.
const std::string is_transformed =
    "SELECT coalesce((x = NULL)::text, 'null') FROM (SELECT NULL::int AS x) AS q";

// 31 where it is the first of February, 1 where it is the second of January.
const std::string days = "SELECT '1/2/2003'::date - '2003-01-01'::date";

struct Schemas {
    Schemas()
    {
        postgres().sql("DROP SCHEMA IF EXISTS first, second CASCADE");
        postgres().sql("CREATE SCHEMA first; CREATE TABLE first.t (x int)");
        postgres().sql("CREATE SCHEMA second; CREATE TABLE second.t (x text)");
        postgres().sql("INSERT INTO first.t VALUES (1); INSERT INTO second.t VALUES ('two')");
        postgres().sql("GRANT USAGE ON SCHEMA first, second TO PUBLIC");
        postgres().sql("GRANT SELECT ON first.t, second.t TO PUBLIC");
    }
    ~Schemas() { postgres().sql("DROP SCHEMA first, second CASCADE"); }
    Schemas(const Schemas&) = delete;
    Schemas& operator=(const Schemas&) = delete;
};

std::string parsed_anew(Connection& client, const std::string& name, const std::string& sql)
{
    const Result prepared = client.prepare(name, sql);
    return prepared.is_error() ? prepared.text() : client.execute(name).text();
}

std::string in_pipeline(Connection& client, const std::string& first, const std::string& name)
{
    client.enter_pipeline();
    if (!first.empty()) client.send_params(first, {});
    client.send_prepare(name, days);
    client.send_execute(name);
    std::string answer = client.sync_and_read();
    client.exit_pipeline();
    return answer;
}

} // namespace

TEST_CASE("integration/parse_settings: what is set in a transaction is over with it")
{
    const Pgweir pgweir{with_one_server()};
    Connection one = pgweir.connect();
    Connection other = pgweir.connect();
    int count = 0;
    for (const std::string set : {"SET LOCAL", "SET"}) {
        const std::string number = std::to_string(++count);
        one.query("BEGIN");
        one.query(set + " transform_null_equals = on");
        CHECK(parsed_anew(one, "in" + number, is_transformed) == "true");
        CHECK(one.query("ROLLBACK").text() == "ROLLBACK");
        CHECK(parsed_anew(one, "behind" + number, is_transformed) == "null");
        CHECK(parsed_anew(other, "other" + number, is_transformed) == "null");
    }
    CHECK(one.execute("in1").text() == "true"); // as it was parsed
    CHECK(one.execute("behind2").text() == "null");
}

TEST_CASE("integration/parse_settings: what stays set is the session's own")
{
    const Pgweir pgweir{with_one_server()};
    Connection one = pgweir.connect();
    Connection other = pgweir.connect();
    one.query("BEGIN");
    one.query("SET transform_null_equals = on");
    CHECK(parsed_anew(one, "in", is_transformed) == "true");
    CHECK(one.query("COMMIT").text() == "COMMIT");
    CHECK(parsed_anew(other, "other", is_transformed) == "null");
    CHECK(parsed_anew(one, "behind", is_transformed) == "true");
    CHECK(one.execute("in").text() == "true");
    CHECK(other.execute("other").text() == "null");
}

TEST_CASE("integration/parse_settings: a pipeline goes on under what it has set")
{
    const Pgweir pgweir{with_one_server()};
    Connection one = pgweir.connect();
    Connection other = pgweir.connect();
    CHECK(in_pipeline(one, "SET DateStyle = 'SQL, DMY'", "p1") == "SET /  / 31 / sync");
    CHECK(in_pipeline(other, "", "p1") == "1 / sync");
    CHECK(parsed_anew(other, "p2", days) == "1");
    CHECK(in_pipeline(one, "", "p2") == "31 / sync");
}

TEST_CASE("integration/parse_settings: behind the end of a transaction, in the same pipeline")
{
    const Pgweir pgweir{with_one_server()};
    Connection client = pgweir.connect();
    for (const std::string name : {"a", "b"}) {
        client.enter_pipeline();
        client.send_params("BEGIN", {});
        client.send_params("SET LOCAL DateStyle = 'SQL, DMY'", {});
        client.send_prepare(name + "1", days);
        client.send_execute(name + "1");
        client.sync();
        client.send_params("COMMIT", {});
        client.sync();
        client.send_prepare(name + "2", days);
        client.send_execute(name + "2");
        client.sync();
        CHECK(client.read_until_sync() == "BEGIN / SET /  / 31 / sync");
        CHECK(client.read_until_sync() == "COMMIT / sync");
        CHECK(client.read_until_sync() == "1 / sync");
        client.exit_pipeline();
    }
}

TEST_CASE("integration/parse_settings: a SET that fails in a pipeline has set nothing")
{
    const Pgweir pgweir{with_one_server()};
    Connection one = pgweir.connect();
    Connection other = pgweir.connect();
    one.enter_pipeline();
    one.send_params("SELECT 1/0", {});
    one.send_params("SET DateStyle = 'SQL, DMY'", {});
    one.sync();
    one.send_prepare("p", days);
    one.send_execute("p");
    one.sync();
    CHECK(one.read_until_sync() == "ERROR 22012 / aborted / sync");
    CHECK(one.read_until_sync() == "1 / sync");
    one.exit_pipeline();
    CHECK(in_pipeline(other, "SET DateStyle = 'SQL, DMY'", "p") == "SET /  / 31 / sync");
    CHECK(one.execute("p").text() == "1");
}

TEST_CASE("integration/parse_settings: a savepoint takes back what was set behind it")
{
    const Pgweir pgweir{with_one_server()};
    Connection client = pgweir.connect();
    client.query("BEGIN");
    client.query("SAVEPOINT s");
    client.query("SET LOCAL transform_null_equals = on");
    CHECK(parsed_anew(client, "a", is_transformed) == "true");
    client.query("ROLLBACK TO s");
    CHECK(parsed_anew(client, "b", is_transformed) == "null");
    client.query("SET LOCAL transform_null_equals = on");
    client.query("SAVEPOINT s");
    client.query("ROLLBACK TO s");
    CHECK(parsed_anew(client, "c", is_transformed) == "true");
    client.query("COMMIT");
}

TEST_CASE("integration/parse_settings: another search_path in a transaction finds other tables")
{
    const Schemas schemas;
    const Pgweir pgweir{with_one_server()};
    Connection client = pgweir.connect();
    const std::string sql = "SELECT x FROM t";
    for (const bool is_named : {false, true}) {
        client.query("BEGIN");
        client.query("SET search_path TO first");
        for (const std::string name : {"a", "b", "c"}) {
            CHECK(parsed_anew(client, is_named ? name : "", sql) == "1");
        }
        client.query("SET search_path TO second");
        CHECK(parsed_anew(client, is_named ? "d" : "", sql) == "two");
        CHECK(client.query("ROLLBACK").text() == "ROLLBACK");
    }
}

TEST_CASE("integration/parse_settings: by set_config() with parameters, too")
{
    const Schemas schemas;
    const Pgweir pgweir{with_one_server()};
    Connection client = pgweir.connect();
    const std::string set = "SELECT set_config('search_path', $1, true)";
    int count = 0;
    for (const std::string path : {"first", "second", "first", "second"}) {
        client.query("BEGIN");
        CHECK(client.query_params(set, {path}).text() == path);
        const std::string expected = path == "first" ? "1" : "two";
        CHECK(parsed_anew(client, "", "SELECT x FROM t") == expected);
        CHECK(parsed_anew(client, "s" + std::to_string(++count), "SELECT x FROM t") == expected);
        CHECK(client.query("COMMIT").text() == "COMMIT");
    }
}

TEST_CASE(
    "integration/parse_settings: who says the same again finds what was prepared" * pooler_only()
)
{
    const Schemas schemas;
    const Pgweir pgweir{with_one_server()};
    Connection client = pgweir.connect();
    int count = 0;
    const auto use = [&](const std::string& schema) {
        client.query("BEGIN");
        client.query("SET LOCAL app.tenant = '" + std::to_string(count) + "'");
        client.query("SET LOCAL search_path TO " + schema);
        const std::string name = "s" + std::to_string(++count);
        std::string answer = parsed_anew(client, name, "SELECT x FROM t");
        client.query("COMMIT");
        return answer;
    };
    CHECK(use("first") == "1");
    CHECK(use("second") == "two");
    const auto parses = [&] { return metric(pgweir.metrics(), {"pgweir_server_parses_total"}); };
    const double before = parses();
    for (int i = 0; i < 3; ++i) {
        CHECK(use("first") == "1");
        CHECK(use("second") == "two");
    }
    CHECK(parses() == before);
}
