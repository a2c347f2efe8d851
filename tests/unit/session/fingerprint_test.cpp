#include <pgweir/session/fingerprint.hpp>

#include <pgweir/session/lazy_block.hpp>
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
    CHECK(transaction_fingerprint(client, query("SELECT 1")) == fingerprint("SELECT 2"));

    Buffer parse;
    wire::append_parse(parse, "name", "SELECT 1", Buffer(2));
    CHECK(transaction_fingerprint(client, parse) == fingerprint("SELECT 2"));
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
    CHECK(transaction_fingerprint(client, bind) == fingerprint("SELECT $1"));
}

TEST_CASE("session/fingerprint: behind a BEGIN the same statement is another thing")
{
    ClientState client;
    const auto alone = transaction_fingerprint(client, query("SELECT 1"));
    client.block = std::make_unique<LazyBlock>();
    CHECK(transaction_fingerprint(client, query("SELECT 1")) != alone);
    CHECK(transaction_fingerprint(client, query("SELECT 1")) != 0);
}

TEST_CASE("session/fingerprint: a message that is not all here yet has one, too")
{
    const ClientState client;
    const Buffer whole = query("SELECT a FROM t WHERE id = 1");
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const Buffer front(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(transaction_fingerprint(client, front) != 0);
    }
}
