// What the protocol and SQL's PREPARE have made share one space of names, on whatever server.
#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace pgweir::test;

namespace {

// Each answer comes from the server that gave none of the last ones: the other is taken meanwhile.
struct Names {
    Names() { driver.log_in("app_trust"); }

    std::string ask(const std::string& bytes)
    {
        const std::string answer = driver.ask(bytes);
        const bool was_taken = other.transaction_status() == PQTRANS_INTRANS;
        other.query(was_taken ? "COMMIT" : begin_at_once);
        return answer;
    }
    std::string sql(const std::string& text) { return ask(message::query(text)); }
    std::string parse(const std::string& name, const std::string& text)
    {
        return ask(message::parse(name, text) + message::sync());
    }
    std::string use(const std::string& name)
    {
        return ask(message::bind(name) + message::execute() + message::sync());
    }
    std::string close(const std::string& name)
    {
        return ask(message::close('S', name) + message::sync());
    }
    std::string run(const std::string& text)
    {
        return ask(
            message::parse("", text) + message::bind("") + message::execute() + message::sync()
        );
    }

    Pgweir pgweir{
        {.flags = {"--pool-size", "2", "--workers", "1", "--set", "auth.method=trust"},
         .user = "app_trust"}
    };
    WireClient driver{pgweir.target()};
    Connection other = pgweir.connect();
};

} // namespace

TEST_CASE_FIXTURE(Names, "integration/names: the protocol uses and closes what PREPARE has made")
{
    CHECK(sql("PREPARE p AS SELECT 1") == "C(PREPARE) Z(I)");
    for (int i = 0; i < 2; ++i) CHECK(use("p") == "2 D(1) C(SELECT 1) Z(I)");
    CHECK(parse("p", "SELECT 2") == "E(42P05) Z(I)");
    CHECK(close("p") == "3 Z(I)");
    for (int i = 0; i < 2; ++i) CHECK(use("p") == "E(26000) Z(I)");
    for (int i = 0; i < 2; ++i) CHECK(sql("EXECUTE p") == "E(26000) Z(I)");
    CHECK(sql("DEALLOCATE p") == "E(26000) Z(I)");
    CHECK(parse("p", "SELECT 2") == "1 Z(I)");
    for (int i = 0; i < 2; ++i) CHECK(sql("EXECUTE p") == "T(1) D(2) C(SELECT 1) Z(I)");
    CHECK(sql("PREPARE p AS SELECT 3") == "E(42P05) Z(I)");
    CHECK(run("DEALLOCATE p") == "1 2 C(DEALLOCATE) Z(I)");
    CHECK(sql("PREPARE p AS SELECT 3") == "C(PREPARE) Z(I)");
    for (int i = 0; i < 2; ++i) CHECK(run("EXECUTE p") == "1 2 D(3) C(SELECT 1) Z(I)");
}

TEST_CASE_FIXTURE(Names, "integration/names: closed and made anew in one segment")
{
    sql("PREPARE p AS SELECT 1");
    CHECK(
        ask(message::close('S', "p") + message::parse("p", "SELECT 2") + message::describe('S', "p")
            + message::sync())
        == "3 1 t(0) T(1) Z(I)"
    );
    for (int i = 0; i < 3; ++i) CHECK(use("p") == "2 D(2) C(SELECT 1) Z(I)");
    CHECK(parse("p", "SELECT 3") == "E(42P05) Z(I)");
}

TEST_CASE_FIXTURE(Names, "integration/names: a Close that is skipped has closed nothing")
{
    sql("PREPARE p AS SELECT 1");
    CHECK(
        ask(message::bind("nobody") + message::close('S', "p") + message::sync()) == "E(26000) Z(I)"
    );
    for (int i = 0; i < 2; ++i) CHECK(sql("EXECUTE p") == "T(1) D(1) C(SELECT 1) Z(I)");
}

TEST_CASE_FIXTURE(Names, "integration/names: a name is taken as soon as PREPARE has made it")
{
    sql("BEGIN");
    sql("PREPARE p AS SELECT 1");
    CHECK(parse("p", "SELECT 2") == "E(42P05) Z(E)");
    sql("ROLLBACK");
    CHECK(use("p") == "2 D(1) C(SELECT 1) Z(I)"); // it has no part in the transaction
    CHECK(
        ask(message::parse("", "PREPARE q AS SELECT 1") + message::bind("") + message::execute()
            + message::parse("q", "SELECT 2") + message::sync())
        == "1 2 C(PREPARE) E(42P05) Z(I)"
    );
    sql("BEGIN");
    sql("PREPARE r AS SELECT 1");
    CHECK(close("r") == "3 Z(T)");
    CHECK(parse("r", "SELECT 2") == "1 Z(T)");
    CHECK(use("r") == "2 D(2) C(SELECT 1) Z(T)");
    sql("COMMIT");
    for (int i = 0; i < 2; ++i) CHECK(use("r") == "2 D(2) C(SELECT 1) Z(I)");
}

TEST_CASE_FIXTURE(Names, "integration/names: dropped by SQL and made anew in one segment")
{
    const std::string deallocate = message::parse("", "DEALLOCATE p") + message::bind("")
                                   + message::execute();
    sql("PREPARE p AS SELECT 1");
    CHECK(
        ask(deallocate + message::parse("p", "SELECT 2") + message::sync())
        == "1 2 C(DEALLOCATE) 1 Z(I)"
    );
    for (int i = 0; i < 3; ++i) CHECK(use("p") == "2 D(2) C(SELECT 1) Z(I)");
    if (is_direct()) return;
    other.query("COMMIT");
    const std::string left = "SELECT count(*) FROM " + std::string{prepared_on_server}
                             + " WHERE name = 'p'";
    CHECK(other.query(left).text() == "0");
    CHECK(other.query("EXECUTE p").text() == "ERROR 26000");
}

// Its rows are those of what has the name when it is parsed, for each client another.
TEST_CASE("integration/names: EXECUTE that is itself prepared is nobody else's")
{
    const Pgweir pgweir{{.flags = {"--pool-size", "1"}}};
    Connection one = pgweir.connect();
    Connection two = pgweir.connect();
    one.query("PREPARE p AS SELECT 1 AS a");
    two.query("PREPARE p AS SELECT 'x'::text AS b, 2 AS c");
    one.prepare("run", "EXECUTE p");
    two.prepare("run", "EXECUTE p");
    for (int i = 0; i < 3; ++i) {
        CHECK(one.describe("run").columns() == std::vector<std::string>{"a"});
        CHECK(two.describe("run").columns() == std::vector<std::string>{"b", "c"});
        CHECK(one.execute("run").text() == "1");
        CHECK(two.execute("run").text() == "x|2");
        CHECK(one.query_params("EXECUTE p", {}).text() == "1");
        CHECK(two.query_params("EXECUTE p", {}).text() == "x|2");
    }
    one.prepare("by_protocol", "SELECT 7 AS d");
    CHECK(one.query_params("EXECUTE by_protocol", {}).text() == "7");
    CHECK(one.prepare("by_protocol", "SELECT 8").text() == "ERROR 42P05");
}
