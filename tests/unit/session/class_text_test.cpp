#include <pgweir/session/class_text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <support/session_script.hpp>

using namespace pgweir;
using namespace pgweir::test;

namespace {

std::string shown(std::string_view sql) { return session::without_literals(sql, 200); }

} // namespace

TEST_CASE("session/class_text: literals and comments are not shown")
{
    CHECK(shown("SELECT 1") == "SELECT ?");
    CHECK(
        shown("SELECT  *\n FROM t -- why\n WHERE a='x' AND b = E'y\\'z'")
        == "SELECT * FROM t WHERE a=? AND b = ?"
    );
    CHECK(shown("SELECT $$secret$$, $1") == "SELECT ?, $1");
    CHECK(shown("SELECT a.b, \"C\" FROM t;") == "SELECT a.b, \"C\" FROM t");
    CHECK(shown("").empty());
}

TEST_CASE("session/class_text: a list of literals is shown as one")
{
    CHECK(shown("SELECT 1 WHERE a IN (1, 2,3 , 'x')") == "SELECT ? WHERE a IN (?)");
    CHECK(shown("VALUES (1, a, 2)") == "VALUES (?, a, ?)");
}

TEST_CASE("session/class_text: a text that is cut ends between two characters")
{
    CHECK(session::without_literals("SELECT abc", 8) == "SELECT a...");
    CHECK(session::without_literals("SELECT \xc3\xa4\xc3\xa4", 8) == "SELECT ...");
    CHECK(session::without_literals("SELECT 'a long secret that is not closed", 8) == "SELECT ?");
}

TEST_CASE_FIXTURE(Prepared, "session/class_text: a statement that is used by its name has its text")
{
    const auto text = [&](const std::string& said) {
        return session::text_of_class(client_state(), as_bytes(said), 200);
    };
    CHECK(text(say::query("SELECT 7")) == "SELECT ?");
    CHECK(text(say::parse("b", "SELECT 8")) == "SELECT ?");
    CHECK(text(say::bind("a")) == "A");
    CHECK(text(say::bind("unknown")).empty());
    CHECK(text(say::sync()).empty());
    CHECK(text("Q").empty());
}
