// What a text puts in doubt: of what is known of it, of its functions, and of who says it.
#include <pgweir/session/question.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

using namespace pgweir::session;

namespace {

constexpr std::string_view all_askable =
    "settings, held_cursors, temp_objects, advisory_locks, prepared_statements, channels";

// A client of a database that was asked what its functions do.
struct Doubting {
    Doubting()
    {
        auto catalog = std::make_shared<Catalog>();
        catalog->functions.add("sets_things", Part::settings);
        catalog->functions.add("makes_temp", Part::temp_objects);
        catalog->by_triggers = Part::channels;
        knowledge.catalog = catalog;
    }

    std::string doubts_of(std::string_view text)
    {
        server.doubts = {};
        raise_doubts(server, client, read_sql(text), knowledge);
        return names_of(server.doubts);
    }

    std::string customs() const
    {
        std::string all;
        for (const std::string& name : knowledge.customs) all += name + " ";
        return all;
    }

    std::string named() const
    {
        std::string all;
        for (const std::string& name : server.named) all += name + " ";
        return all;
    }

    ServerState server;
    ClientState client;
    Knowledge knowledge;
};

} // namespace

TEST_CASE_FIXTURE(Doubting, "session/doubts: each part is put in doubt by what may add to it")
{
    CHECK(doubts_of("SET work_mem = '7MB'") == "settings");
    CHECK(doubts_of("RESET work_mem") == "settings");
    CHECK(doubts_of("RESET ALL") == "settings");
    CHECK(doubts_of("SET ROLE somebody") == "settings");
    CHECK(doubts_of("SET SESSION AUTHORIZATION somebody") == "settings");
    CHECK(doubts_of("SELECT set_config('work_mem', '7MB', false)") == "settings");
    CHECK(doubts_of("DECLARE c CURSOR WITH HOLD FOR SELECT 1") == "held_cursors");
    CHECK(doubts_of("CREATE TEMP TABLE t (i int)") == "temp_objects");
    CHECK(doubts_of("SELECT pg_advisory_lock(1)") == "advisory_locks");
    CHECK(doubts_of("PREPARE p AS SELECT 1") == "prepared_statements");
    CHECK(doubts_of("LISTEN news") == "channels");
    CHECK(doubts_of("LOAD 'x'") == "settings, libraries");
    CHECK(doubts_of("SELECT setseed(0.5)") == "random_seed");
    CHECK(doubts_of("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'") == "catalog");
    CHECK(doubts_of("DO $$ BEGIN NULL; END $$") == all_askable);
    CHECK(doubts_of("CALL p()") == all_askable);
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: most texts raise none")
{
    for (const std::string_view text :
         {"SELECT 1",
          "SELECT count(*) FROM t",
          "SET LOCAL work_mem = '7MB'",
          "SELECT set_config('work_mem', '7MB', true)",
          "DECLARE c CURSOR FOR SELECT 1",
          "SELECT pg_advisory_xact_lock(1)",
          "BEGIN",
          "COMMIT",
          "CREATE TABLE t (i int)",
          "NOTIFY news",
          "SELECT 'SET x = 1'",
          ""}) {
        CAPTURE(text);
        CHECK(doubts_of(text) == "");
    }
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: several statements raise all of theirs")
{
    CHECK(
        doubts_of("SET a = 1; LISTEN n; SELECT 1; CREATE TEMP TABLE t (i int)")
        == "settings, temp_objects, channels"
    );
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: doubts stay until they are asked about")
{
    raise_doubts(server, client, read_sql("LISTEN n"), knowledge);
    raise_doubts(server, client, read_sql("SELECT 1"), knowledge);
    raise_doubts(server, client, read_sql("SET a = 1"), knowledge);
    CHECK(names_of(server.doubts) == "settings, channels");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: taking away matters only to who has something")
{
    const auto check = [&](std::string_view text, Parts owned, std::string_view name) {
        CAPTURE(text);
        client.pins = {};
        CHECK(doubts_of(text) == "");
        client.pins = pinning_parts.without(owned); // anything else does not count
        CHECK(doubts_of(text) == "");
        client.pins = owned;
        CHECK(doubts_of(text) == name);
    };
    check("DROP TABLE t", Part::temp_objects, "temp_objects");
    check("DISCARD TEMP", Part::temp_objects, "temp_objects");
    check("CLOSE c", Part::held_cursors, "held_cursors");
    check("CLOSE ALL", Part::held_cursors, "held_cursors");
    check("UNLISTEN n", Part::channels, "channels");
    check("UNLISTEN *", Part::channels, "channels");
    check("SELECT pg_advisory_unlock(1)", Part::advisory_locks, "advisory_locks");
    check("SELECT pg_advisory_unlock_all()", Part::advisory_locks, "advisory_locks");
    check("DEALLOCATE p", Part::prepared_statements, "prepared_statements");
    check("DEALLOCATE ALL", Part::prepared_statements, "prepared_statements");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: DISCARD ALL takes all that a client has, no more")
{
    CHECK(doubts_of("DISCARD ALL") == "");
    client.pins = Parts{Part::temp_objects} | Part::channels;
    CHECK(doubts_of("DISCARD ALL") == "temp_objects, channels");
}

TEST_CASE_FIXTURE(
    Doubting, "session/doubts: statements that can be replayed are owned without a pin"
)
{
    client.sql_prepared = std::make_shared<const SqlPrepared>(SqlPrepared{{"p", "PREPARE p AS q"}});
    CHECK(doubts_of("DEALLOCATE p") == "prepared_statements");
    CHECK(doubts_of("DROP TABLE t") == "");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: EXECUTE may do what the client has prepared")
{
    CHECK(doubts_of("EXECUTE p") == "");
    CHECK(doubts_of("PREPARE p AS SELECT set_config($1, $2, false)") != "");
    CHECK(names_of(client.prepared_changes) == "settings");
    CHECK(doubts_of("EXECUTE p('a', 'b')") == "settings");
    CHECK(doubts_of("EXPLAIN ANALYZE EXECUTE p('a', 'b')") == "settings");

    CHECK(doubts_of("PREPARE q AS SELECT makes_temp()") == "temp_objects, prepared_statements");
    CHECK(doubts_of("EXECUTE p('a', 'b')") == "settings, temp_objects");
    ClientState another;
    server.doubts = {};
    raise_doubts(server, another, read_sql("EXECUTE p"), knowledge);
    CHECK(names_of(server.doubts) == "");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: calls count for what their functions do")
{
    CHECK(doubts_of("SELECT sets_things(1)") == "settings");
    CHECK(doubts_of("SELECT public . \"sets_things\" (1)") == "settings");
    CHECK(doubts_of("SELECT SETS_THINGS(makes_temp())") == "settings, temp_objects");
    CHECK(doubts_of("SELECT sets_nothing(1)") == "");
    CHECK(doubts_of("SELECT 'sets_things(1)'") == "");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: who writes rows may run triggers")
{
    for (const std::string_view text :
         {"INSERT INTO t VALUES (1)",
          "UPDATE t SET i = 1",
          "DELETE FROM t",
          "COPY t FROM STDIN",
          "WITH n AS (INSERT INTO t VALUES (1) RETURNING i) SELECT i FROM n"}) {
        CAPTURE(text);
        CHECK(doubts_of(text) == "channels");
    }
    CHECK(doubts_of("SELECT 1 FROM t") == "");
    knowledge.catalog = std::make_shared<const Catalog>();
    CHECK(doubts_of("INSERT INTO t VALUES (1)") == "");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: the first call in a database may do anything")
{
    knowledge.catalog = nullptr;
    const std::string everything = std::string{all_askable} + ", catalog";
    CHECK(doubts_of("SELECT count(*) FROM t") == everything);
    CHECK(doubts_of("INSERT INTO t VALUES (1)") == everything);
    CHECK(doubts_of("SELECT 1") == "");
    CHECK(doubts_of("BEGIN") == "");
    CHECK(doubts_of("SET work_mem = '7MB'") == "settings, catalog"); // while it is asked anyway
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: custom parameters are asked for by their names")
{
    CHECK(doubts_of("SET My.Tenant = 'x'") == "settings");
    CHECK(doubts_of("SELECT set_config('my.other', 'x', false)") == "settings");
    CHECK(doubts_of("SET my.tenant = 'y'") == "settings");
    CHECK(doubts_of("SET work_mem = '7MB'") == "settings");
    CHECK(customs() == "my.tenant my.other ");
    CHECK(named() == "my.tenant my.other ");
}

TEST_CASE_FIXTURE(Doubting, "session/doubts: so are strings that a function may take for a name")
{
    CHECK(doubts_of("SELECT sets_things('My.Tenant', 'v', 'e@x.y z')") == "settings");
    CHECK(doubts_of("SELECT sets_nothing('not.asked')") == "");
    CHECK(customs() == "my.tenant ");
    CHECK(named() == ""); // it may have been no name at all
}
