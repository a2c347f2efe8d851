#include <pgweir/session/fingerprint.hpp>

#include <pgweir/session/lazy_block.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/session/state.hpp>
#include <pgweir/wire/messages.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;

namespace {

bool same(std::string_view one, std::string_view other)
{
    return fingerprint(one) == fingerprint(other);
}

std::uint64_t transaction(const ClientState& client, Bytes input)
{
    return glance_at_transaction(client, input).fingerprint;
}

Buffer query(std::string_view sql)
{
    Buffer out;
    wire::append_query(out, sql);
    return out;
}

} // namespace

TEST_CASE("session/fingerprint: values do not matter")
{
    CHECK(same("SELECT a FROM t WHERE id = 1;", "SELECT a FROM t WHERE id = 1234567890123;"));
    CHECK(same("SELECT 1.5e10, 0x1F", "SELECT 2, 7"));
    CHECK(same("SELECT 'a'", "SELECT 'it''s -- no $comment$ 5'"));
    CHECK(same(R"(SELECT E'a')", R"(SELECT E'it\'s 5')"));
    CHECK(same("SELECT $$a$$", "SELECT $tag$ '$$ 5 $tag$"));
    CHECK(same("SELECT 1", "SELECT 'a'"));
}

TEST_CASE("session/fingerprint: a list of values is one")
{
    CHECK(same("SELECT a FROM t WHERE id IN (1)", "SELECT a FROM t WHERE id IN (1, 22,'x' , 4)"));
    CHECK_FALSE(same("SELECT f(1)", "SELECT f(1, a)"));
    CHECK_FALSE(same("SELECT f(1,)", "SELECT f(1)"));
}

TEST_CASE("session/fingerprint: nor does a semicolon at the end")
{
    CHECK(same("SELECT a FROM t", "SELECT a FROM t;"));
    CHECK(same("SELECT 1", "SELECT 2;"));
    CHECK_FALSE(same("SELECT a; SELECT b", "SELECT a SELECT b"));
}

TEST_CASE("session/fingerprint: what is a plain SELECT is seen on the way")
{
    const auto is_plain = [](std::string_view sql) { return glance_at(sql).is_plain_select; };
    CHECK(is_plain("SELECT abalance FROM pgbench_accounts WHERE aid = 17;"));
    CHECK(is_plain("select a.b, c FROM t WHERE name = 'O''Neil' AND b = $1 ORDER BY 1, 2 LIMIT 7"));
    CHECK(is_plain("SELECT a /* request 17 */ FROM t -- all of it"));
    CHECK(is_plain("SELECT a::int, 1.5e-3 FROM t WHERE a_pg = b"));
    CHECK_FALSE(is_plain("SELECT"));
    CHECK_FALSE(is_plain("INSERT INTO t VALUES"));
    CHECK_FALSE(is_plain(std::string{"SELECT "} + std::string(2'048, 'a'))); // not seen to its end
}

// It may not take for plain what is_plain_select() does not: tried with pieces in all places.
TEST_CASE("session/fingerprint: a glance is no less strict than a look")
{
    const std::vector<std::string_view> pieces{
        "a",    "17",
        "'",    "''",
        "$",    "$1",
        "$a$",  "--",
        "/*",   "*/",
        "\n",   ",",
        "(",    ";",
        "pg",   "_",
        "g_",   "1pg_",
        "E'\\", "pgbench_accounts",
        "PG_",  "a long name of twenty two",
        " ",    ".",
        "\"",
    };
    std::size_t plain = 0;
    for (std::size_t seed = 0; seed < 50'000; ++seed) {
        std::string sql = "SELECT the_first_column, "; // of short ones a look is stricter
        std::size_t digits = seed * 2'654'435'761 % 1'000'003;
        for (; digits > 0; digits /= pieces.size()) sql += pieces[digits % pieces.size()];
        if (!glance_at(sql).is_plain_select) continue;
        CAPTURE(sql);
        CHECK(is_plain_select(sql));
        ++plain;
    }
    CHECK(plain > 1'000);
}

TEST_CASE("session/fingerprint: comments do not matter")
{
    CHECK(same("SELECT a", "SELECT a/* request 17 */"));
    CHECK(same("SELECT a", "/* /* nested */ 5 */SELECT a-- and so on"));
    CHECK(same("SELECT a, b", "SELECT a,/**/ b"));
    CHECK(same("SELECT a /* open", "SELECT a "));
}

TEST_CASE("session/fingerprint: all else does")
{
    const std::vector<std::string_view> all{
        "",
        "SELECT a FROM t",
        "SELECT b FROM t",
        "SELECT a FROM t1",
        "SELECT a FROM t2",
        "SELECT a FROM t WHERE id = 1",
        "SELECT a FROM t WHERE id = $1",
        "SELECT a FROM t WHERE id = $2",
        "SELECT a FROM t WHERE id = 1 AND b",
        "SELECT a FROM t WHERE id = 1 OR b",
        "SELECT a-1",
        "SELECT a/1",
        "SELECT a*1",
        "SELECT \"a 1\"",
        "a",
        "ab",
        "abcdefgh",
        "abcdefghi",
    };
    for (const std::string_view one : all) {
        for (const std::string_view other : all) {
            CAPTURE(one);
            CAPTURE(other);
            CHECK(same(one, other) == (one == other));
        }
    }
}

TEST_CASE("session/fingerprint: it reads no further than a text goes, wherever that ends")
{
    const std::string_view text =
        "SELECT 'a', E'\\'', $q$ b $q$, 12.5 -- c\n/* d */, \"e\", f1($1)";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string front{text.substr(0, size)}; // on its own: a sanitizer sees its end
        CHECK(fingerprint(front) == fingerprint(std::string{front}));
        CHECK(fingerprint(front) != 0);
    }
}

TEST_CASE("session/fingerprint: only the front of a long text is read")
{
    const std::string front(2'048, 'a');
    CHECK(same(front, front + 'b'));
    CHECK_FALSE(same(front, 'b' + front));
}

TEST_CASE("session/fingerprint: of a message, it is that of the statement in it")
{
    const ClientState client;
    CHECK(transaction(client, query("SELECT 1")) == fingerprint("SELECT 2"));

    Buffer parse;
    wire::append_parse(parse, "name", "SELECT 1", Buffer(2));
    CHECK(transaction(client, parse) == fingerprint("SELECT 2"));
}

TEST_CASE("session/fingerprint: a statement that is bound is what its name stands for")
{
    StatementTable table;
    ClientState client;
    client.statements = std::make_unique<NamedStatements>();
    (*client.statements)["name"] = {table.intern("SELECT $1", {})};
    Buffer bind;
    append(bind, as_bytes(std::string_view("B\0\0\0\x10\0name\0", 11)));
    bind.resize(bind.size() + 6); // no formats, no values
    CHECK(transaction(client, bind) == fingerprint("SELECT $1"));
}

TEST_CASE("session/fingerprint: behind a BEGIN the same statement is another thing")
{
    ClientState client;
    const auto alone = transaction(client, query("SELECT 1"));
    client.block = std::make_unique<LazyBlock>();
    CHECK(transaction(client, query("SELECT 1")) != alone);
    CHECK(transaction(client, query("SELECT 1")) != 0);
}

TEST_CASE("session/fingerprint: a message that is not all here yet has one, too")
{
    const ClientState client;
    const Buffer whole = query("SELECT a FROM t WHERE id = 1");
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const Buffer front(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        const Glance glance = glance_at_transaction(client, front);
        CHECK(glance.fingerprint != 0);
        CHECK(glance.is_plain_select == (size == whole.size()));
    }
    Buffer broken = whole;
    for (const std::uint32_t length : {0U, 3U, 4U, 0xffffffffU}) {
        store_be32(&broken[1], length);
        CHECK(glance_at_transaction(client, broken).fingerprint != 0);
        CHECK_FALSE(glance_at_transaction(client, broken).is_plain_select);
    }
}
