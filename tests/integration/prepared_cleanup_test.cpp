#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

Start sized(const std::string& size, const std::string& setting = "pool.max_waiting=10")
{
    return {.flags = {"--pool-size", size, "--workers", "1", "--set", setting}};
}

Start trusting(const std::string& size)
{
    return {.flags = {"--pool-size", size, "--set", "auth.method=trust"}, .user = "app_trust"};
}

std::string run(const std::string& name) { return message::bind(name) + message::execute(); }

std::string unnamed(const std::string& sql)
{
    return message::parse("", sql) + run("") + message::sync();
}

// How often the server has this text prepared. Asked by simple query: that prepares nothing.
std::string kept(WireClient& client, const std::string& pattern)
{
    const std::string answer = client.ask(message::query(
        std::string{"SELECT count(*) FROM "} + prepared_on_server + " WHERE statement LIKE '"
        + pattern + "'"
    ));
    const std::size_t from = answer.find("D(") + 2;
    return answer.substr(from, answer.find(')', from) - from);
}

} // namespace

TEST_CASE("integration/prepared: DEALLOCATE takes a statement away, by both protocols")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    client.prepare("s", "SELECT 1");
    CHECK(client.query("DEALLOCATE s").text() == "DEALLOCATE");
    CHECK(client.execute("s").text() == "ERROR 26000");

    client.prepare("s", "SELECT 2");
    CHECK(client.query_params("DEALLOCATE PREPARE s", {}).text() == "DEALLOCATE");
    CHECK(client.execute("s").text() == "ERROR 26000");

    client.prepare("s", "SELECT 3");
    CHECK(client.execute("s").text() == "3");
}

TEST_CASE("integration/prepared: DEALLOCATE knows quoted names and upper case")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    client.prepare("low", "SELECT 'low'");
    client.prepare("Mixed \"name\"", "SELECT 'mixed'");
    CHECK(client.query("deallocate /* which? */ LOW;").text() == "DEALLOCATE");
    CHECK(client.execute("low").text() == "ERROR 26000");
    CHECK(client.query("DEALLOCATE \"Mixed \"\"name\"\"\"").text() == "DEALLOCATE");
    CHECK(client.execute("Mixed \"name\"").text() == "ERROR 26000");
}

TEST_CASE("integration/prepared: DEALLOCATE of an unknown name is 26000")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    const Result result = client.query("DEALLOCATE nobody");
    CHECK(result.sqlstate() == "26000");
    CHECK(result.message() == "prepared statement \"nobody\" does not exist");
}

TEST_CASE("integration/prepared: DEALLOCATE ALL and DISCARD ALL take all of this client only")
{
    const Pgweir pgweir{sized("1")};
    Connection client = pgweir.connect();
    Connection other = pgweir.connect();
    other.prepare("s", "SELECT 'theirs'");

    for (const std::string sql : {"DEALLOCATE ALL", "DISCARD ALL"}) {
        for (const bool is_extended : {false, true}) {
            CAPTURE(sql);
            CAPTURE(is_extended);
            client.prepare("s", "SELECT 'mine'");
            client.prepare("t", "SELECT 'theirs'"); // the text that the other one uses
            CHECK(client.execute("t").text() == "theirs");
            const Result done = is_extended ? client.query_params(sql, {}) : client.query(sql);
            CHECK(done.text() == sql);
            CHECK(client.execute("s").text() == "ERROR 26000");
            CHECK(client.execute("t").text() == "ERROR 26000");
            CHECK(other.execute("s").text() == "theirs");
        }
    }
}

TEST_CASE("integration/prepared: Close frees the name, and of an unknown name it succeeds")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    CHECK(client.ask(message::close('S', "nobody") + message::sync()) == "3 Z(I)");
    CHECK(client.ask(message::parse("s", "SELECT 1") + message::sync()) == "1 Z(I)");
    CHECK(client.ask(message::close('S', "s") + message::sync()) == "3 Z(I)");
    CHECK(client.ask(run("s") + message::sync()) == "E(26000) Z(I)");
    CHECK(
        client.ask(message::parse("s", "SELECT 2") + run("s") + message::sync())
        == "1 2 D(2) C(SELECT 1) Z(I)"
    );
}

TEST_CASE("integration/prepared: Close and Parse of one name in one pipeline")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    CHECK(
        client.ask(
            message::parse("s", "SELECT 1") + run("s") + message::close('S', "s")
            + message::parse("s", "SELECT 2") + run("s") + message::close('S', "s")
            + message::sync()
        )
        == "1 2 D(1) C(SELECT 1) 3 1 2 D(2) C(SELECT 1) 3 Z(I)"
    );
    CHECK(client.ask(run("s") + message::sync()) == "E(26000) Z(I)");
}

TEST_CASE("integration/prepared: what an error skips was never prepared, and never closed")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.ask(message::parse("old", "SELECT 'old'") + message::sync());

    // PostgreSQL computes constants when it plans, which is part of Bind.
    const std::string failure = message::parse("", "SELECT 1/0") + run("");
    CHECK(
        client.ask(
            failure + message::parse("new", "SELECT 'new'") + message::close('S', "old")
            + message::sync()
        )
        == "1 E(22012) Z(I)"
    );
    CHECK(client.ask(run("new") + message::sync()) == "E(26000) Z(I)");
    CHECK(client.ask(run("old") + message::sync()) == "2 D(old) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/prepared: what came before an error in its pipeline stays prepared")
{
    const Pgweir pgweir{trusting("2")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    CHECK(
        client.ask(
            message::parse("kept", "SELECT 'kept'") + message::parse("", "SELECT 1/0") + run("")
            + message::sync()
        )
        == "1 1 E(22012) Z(I)"
    );
    CHECK(client.ask(run("kept") + message::sync()) == "2 D(kept) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/prepared: an error in Parse inside a pipeline leaves the name free")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    for (int i = 0; i < 3; ++i) {
        CHECK(
            client.ask(message::parse("s", "SELEC") + run("s") + message::sync()) == "E(42601) Z(I)"
        );
    }
    CHECK(
        client.ask(message::parse("s", "SELECT 1") + run("s") + message::sync())
        == "1 2 D(1) C(SELECT 1) Z(I)"
    );
}

TEST_CASE("integration/prepared: a server that learns a statement again stays silent about it")
{
    // The ParseComplete of a Parse that the pooler adds must not reach the client, also when what
    // follows fails.
    const Pgweir pgweir{trusting("2")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.ask(message::parse("s", "SELECT 10 / $1::int") + message::sync());
    WireClient holder{pgweir.target()};
    holder.log_in("app_trust");
    holder.ask(message::query(begin_at_once));

    CHECK(
        client.ask(message::bind("s", {"0"}) + message::execute() + message::sync())
        == "E(22012) Z(I)"
    );
    CHECK(
        client.ask(message::bind("s", {"5"}) + message::execute() + message::sync())
        == "2 D(2) C(SELECT 1) Z(I)"
    );
    CHECK(
        client.ask(message::bind("s", {"x"}) + message::execute() + message::sync())
        == "E(22P02) Z(I)"
    );
}

TEST_CASE("integration/prepared: the unnamed statement outlives its transaction and its server")
{
    const Pgweir pgweir{trusting("2")};
    WireClient client{pgweir.target()};
    WireClient other{pgweir.target()};
    client.log_in("app_trust");
    other.log_in("app_trust");
    CHECK(client.ask(message::parse("", "SELECT 'mine'") + message::sync()) == "1 Z(I)");
    CHECK(other.ask(unnamed("SELECT 'other'")) == "1 2 D(other) C(SELECT 1) Z(I)");
    CHECK(client.ask(run("") + message::sync()) == "2 D(mine) C(SELECT 1) Z(I)");

    other.ask(message::query(begin_at_once)); // takes the server that was used last
    CHECK(client.ask(run("") + message::sync()) == "2 D(mine) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/prepared: a simple query forgets the unnamed statement")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    client.ask(message::parse("", "SELECT 1") + message::sync());
    client.ask(message::query("SELECT 2"));
    CHECK(client.ask(run("") + message::sync()) == "E(26000) Z(I)");
}

TEST_CASE(
    "integration/prepared: an unnamed text that comes again is kept on the server" * pooler_only()
)
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    CHECK(client.ask(unnamed("SELECT 'once'")) == "1 2 D(once) C(SELECT 1) Z(I)");
    CHECK(kept(client, "%_once_") == "0");
    for (int i = 0; i < 3; ++i) {
        CHECK(client.ask(unnamed("SELECT 'often'")) == "1 2 D(often) C(SELECT 1) Z(I)");
    }
    CHECK(kept(client, "%_often_") == "1");

    WireClient other{pgweir.target()};
    other.log_in("app_trust");
    CHECK(other.ask(unnamed("SELECT 'often'")) == "1 2 D(often) C(SELECT 1) Z(I)");
    CHECK(kept(other, "%_often_") == "1");
}

TEST_CASE("integration/prepared: prepare_unnamed = false keeps nothing" * pooler_only())
{
    Start start = trusting("1");
    start.flags.insert(start.flags.end(), {"--set", "pool.prepare_unnamed=false"});
    const Pgweir pgweir{start};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    for (int i = 0; i < 3; ++i) {
        CHECK(client.ask(unnamed("SELECT 'often'")) == "1 2 D(often) C(SELECT 1) Z(I)");
    }
    CHECK(kept(client, "%_often_") == "0");
}

TEST_CASE("integration/prepared: an unnamed statement that fails is not kept")
{
    const Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
    client.log_in("app_trust");
    for (int i = 0; i < 3; ++i) CHECK(client.ask(unnamed("SELEC 1")) == "E(42601) Z(I)");
    CHECK(client.ask(unnamed("SELECT 1")) == "1 2 D(1) C(SELECT 1) Z(I)");
}

namespace {

/// A table `growing`, and a client that has asked for all of it often enough to have the text kept.
struct GrowingTable {
    GrowingTable()
    {
        postgres().sql("DROP TABLE IF EXISTS growing; CREATE TABLE growing (a int)");
        postgres().sql("INSERT INTO growing VALUES (1); GRANT ALL ON growing TO PUBLIC");
        client.log_in("app_trust");
        for (int i = 0; i < 3; ++i) {
            CHECK(client.ask(unnamed("SELECT * FROM growing")) == "1 2 D(1) C(SELECT 1) Z(I)");
        }
    }

    Pgweir pgweir{trusting("1")};
    WireClient client{pgweir.target()};
};

} // namespace

TEST_CASE("integration/prepared: a table that changes under a kept text harms nobody")
{
    // PostgreSQL replans an unnamed statement freely; one that is kept under a name must not
    // fail with "cached plan must not change result type" where the client's own would not.
    GrowingTable table;
    WireClient& client = table.client;
    postgres().sql("ALTER TABLE growing OWNER TO app_trust");
    CHECK(
        client.ask(message::query("ALTER TABLE growing ADD b int DEFAULT 2"))
        == "C(ALTER TABLE) Z(I)"
    );
    CHECK(client.ask(unnamed("SELECT * FROM growing")) == "1 2 D(1|2) C(SELECT 1) Z(I)");
}

TEST_CASE(
    "integration/prepared: a table that is changed behind the pooler's back harms nobody either"
)
{
    GrowingTable table;
    WireClient& client = table.client;
    postgres().sql("ALTER TABLE growing ADD b int DEFAULT 2");
    CHECK(client.ask(unnamed("SELECT * FROM growing")) == "1 2 D(1|2) C(SELECT 1) Z(I)");
}
