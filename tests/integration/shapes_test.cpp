// Drivers that ask once what the rows of a statement look like, and then only for rows: asyncpg,
// pgx, pgjdbc. They are given rows of that shape, or the error by which they prepare anew.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace pgweir::test;

namespace {

// Without a password in the way of what is tested.
Pgweir trusting(const std::string& pool_size)
{
    return Pgweir{
        {.flags = {"--pool-size", pool_size, "--workers", "1", "--set", "auth.method=trust"},
         .user = "app_trust"}
    };
}

struct Table {
    Table()
    {
        postgres().sql("DROP TABLE IF EXISTS shapes");
        postgres().sql("CREATE TABLE shapes (a int)");
        postgres().sql("INSERT INTO shapes VALUES (1)");
        postgres().sql("ALTER TABLE shapes OWNER TO app_trust");
    }
    ~Table() { postgres().sql("DROP TABLE shapes"); }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    static void add_column() { postgres().sql("ALTER TABLE shapes ADD b int DEFAULT 2"); }
    static std::string count() { return postgres().sql("SELECT count(*) FROM shapes"); }
};

std::string use_of(const std::string& name)
{
    return message::bind(name) + message::execute() + message::sync();
}

struct Driver : WireClient {
    explicit Driver(const Pgweir& pgweir) : WireClient{pgweir.target()} { log_in("app_trust"); }

    void prepare(const std::string& name, const std::string& sql)
    {
        const std::string answer = ask(
            message::parse(name, sql) + message::describe('S', name) + message::sync()
        );
        REQUIRE(answer.find("E(") == std::string::npos);
    }
    std::string use(const std::string& name) { return ask(use_of(name)); }
    std::string sql(const std::string& text) { return ask(message::query(text)); }
};

// The server that was given back last is the first that is lent again: now the others are left.
void take_last_server(Connection& other) { other.query(begin_at_once); }

} // namespace

TEST_CASE("integration/shapes: an altered table is told by the error of PostgreSQL's own")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    Connection other = pgweir.connect();
    driver.prepare("s", "SELECT * FROM shapes");
    SUBCASE("on the server that it was prepared on") {}
    SUBCASE("on another") { take_last_server(other); }
    CHECK(driver.use("s") == "2 D(1) C(SELECT 1) Z(I)");
    Table::add_column();
    CHECK(driver.use("s") == "E(0A000) Z(I)");
    CHECK(driver.use("s") == "E(0A000) Z(I)");
    driver.prepare("t", "SELECT * FROM shapes");
    CHECK(driver.use("t") == "2 D(1|2) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/shapes: on a server that has never seen the statement, too")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    Connection other = pgweir.connect();
    driver.prepare("s", "SELECT * FROM shapes");
    Table::add_column();
    take_last_server(other);
    CHECK(driver.use("s") == "E(0A000) Z(I)");
    CHECK(other.query("COMMIT").text() == "COMMIT");
}

TEST_CASE("integration/shapes: the error has the name that drivers look for, and says no more")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    driver.prepare("s", "SELECT * FROM shapes");
    driver.sql("ALTER TABLE shapes ALTER a TYPE text");
    driver.send(use_of("s"));
    const Message error = driver.receive();
    CHECK(error.text() == "E(0A000)");
    CHECK(error.field('S') == "ERROR");
    CHECK(error.field('M') == "cached plan must not change result type");
    CHECK(error.field('R') == "RevalidateCachedQuery");
    CHECK(driver.receive_until('Z') == "Z(I)");
}

TEST_CASE("integration/shapes: a column that is named anew is another shape")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    driver.prepare("s", "SELECT * FROM shapes");
    driver.sql("ALTER TABLE shapes RENAME a TO b");
    CHECK(driver.use("s") == "E(0A000) Z(I)");
    driver.sql("ALTER TABLE shapes RENAME b TO a");
    CHECK(driver.use("s") == "2 D(1) C(SELECT 1) Z(I)");
    driver.sql("ALTER TABLE shapes ADD b int, DROP b"); // no error: it is not there yet
}

TEST_CASE("integration/shapes: what has failed so has written nothing")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    Connection other = pgweir.connect();
    driver.prepare("s", "INSERT INTO shapes VALUES (3) RETURNING *");
    CHECK(driver.use("s") == "2 D(3) C(INSERT 0 1) Z(I)");
    Table::add_column();
    take_last_server(other);
    CHECK(driver.use("s") == "E(0A000) Z(I)");
    CHECK(Table::count() == "2");
    other.query("COMMIT");
    CHECK(driver.use("s") == "E(0A000) Z(I)");
    CHECK(Table::count() == "2");
}

TEST_CASE("integration/shapes: what has the shape that was told is run once, wherever")
{
    const Table table;
    const Pgweir pgweir = trusting("3");
    Driver driver{pgweir};
    Connection first = pgweir.connect();
    Connection second = pgweir.connect();
    driver.prepare("s", "INSERT INTO shapes VALUES (3) RETURNING *");
    const std::string inserted = "2 D(3) C(INSERT 0 1) Z(I)";
    CHECK(driver.use("s") == inserted);
    take_last_server(first);
    CHECK(driver.use("s") == inserted);
    take_last_server(second);
    CHECK(driver.use("s") == inserted);
    driver.sql("CREATE TEMP TABLE else_where (a int)"); // DDL: it is parsed anew
    CHECK(driver.use("s") == inserted);
    CHECK(Table::count() == "5");
}

TEST_CASE("integration/shapes: in a transaction it fails, and all of it is rolled back")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    driver.prepare("s", "SELECT * FROM shapes");
    driver.sql("BEGIN");
    SUBCASE("altered by a query") { driver.sql("ALTER TABLE shapes ADD b int"); }
    SUBCASE("altered by a statement")
    {
        driver.ask(
            message::parse("", "ALTER TABLE shapes ADD b int") + message::bind("")
            + message::execute() + message::sync()
        );
    }
    CHECK(driver.use("s") == "E(0A000) Z(E)");
    CHECK(driver.use("s") == "E(25P02) Z(E)");
    CHECK(driver.sql("ROLLBACK") == "C(ROLLBACK) Z(I)");
    CHECK(driver.use("s") == "2 D(1) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/shapes: a savepoint brings the transaction back")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    driver.prepare("s", "SELECT * FROM shapes");
    driver.sql("BEGIN");
    driver.sql("SAVEPOINT before");
    driver.sql("ALTER TABLE shapes ADD b int");
    CHECK(driver.use("s") == "E(0A000) Z(E)");
    driver.sql("ROLLBACK TO before");
    CHECK(driver.use("s") == "2 D(1) C(SELECT 1) Z(T)");
    driver.sql("COMMIT");
}

TEST_CASE("integration/shapes: in a pipeline only the segment that needs it fails")
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    Connection other = pgweir.connect();
    driver.prepare("s", "SELECT * FROM shapes");
    driver.prepare("fixed", "SELECT a FROM shapes");
    Table::add_column();
    take_last_server(other);
    const std::string insert = message::parse("", "INSERT INTO shapes VALUES (7)")
                               + message::bind("") + message::execute();
    driver.send(
        use_of("fixed") + insert + use_of("s") + use_of("fixed") + insert + use_of("fixed")
    );
    CHECK(driver.receive_until('Z') == "2 D(1) C(SELECT 1) Z(I)");
    CHECK(driver.receive_until('Z') == "1 2 C(INSERT 0 1) E(0A000) Z(I)");
    CHECK(driver.receive_until('Z') == "2 D(1) C(SELECT 1) Z(I)");
    CHECK(driver.receive_until('Z') == "1 2 C(INSERT 0 1) 2 D(1) D(7) C(SELECT 2) Z(I)");
    CHECK(Table::count() == "2");
}

TEST_CASE("integration/shapes: who asks again is told, and given, the new one" * pooler_only())
{
    const Table table;
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    Connection other = pgweir.connect();
    driver.prepare("s", "SELECT * FROM shapes");
    Table::add_column();
    std::optional<std::string> answer;
    SUBCASE("on the server that it was prepared on") {}
    SUBCASE("on another") { take_last_server(other); }
    answer = driver.ask(
        message::bind("s") + message::describe('P', "") + message::execute() + message::sync()
    );
    CHECK(answer->find("D(1|2) C(SELECT 1) Z(I)") != std::string::npos);
    CHECK(driver.use("s") == "2 D(1|2) C(SELECT 1) Z(I)");
}

TEST_CASE("integration/shapes: what FETCH brings is what its cursor has")
{
    const Pgweir pgweir = trusting("2");
    Driver driver{pgweir};
    Connection other = pgweir.connect();
    driver.sql("BEGIN");
    driver.sql("DECLARE c CURSOR FOR SELECT 1");
    driver.prepare("f", "FETCH ALL FROM c");
    CHECK(driver.use("f") == "2 D(1) C(FETCH 1) Z(T)");
    driver.sql("COMMIT");
    take_last_server(other);
    driver.sql("BEGIN");
    driver.sql("DECLARE c CURSOR FOR SELECT 1, 2");
    CHECK(driver.use("f") == "2 D(1|2) C(FETCH 1) Z(T)");
    driver.sql("COMMIT");
}
