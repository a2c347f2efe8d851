#include <pgweir/session/relocation.hpp>

#include <pgweir/session/forward.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::session;

namespace {

// With "a" and "b" for one text, "c" for another, and an unnamed statement that is "c"'s.
ClientState client_of(StatementTable& table)
{
    ClientState client;
    client.statements = std::make_unique<NamedStatements>();
    set_statement(client, "a", table.intern("SELECT 1", {}));
    set_statement(client, "b", table.intern("SELECT 1", {}));
    set_statement(client, "c", table.intern("SELECT 2", {}, 7));
    client.unnamed = table.intern("SELECT 2", {}, 7);
    return client;
}

} // namespace

TEST_CASE("session/state: a name that is gone is not found, though it was looked up last")
{
    NamedStatements statements;
    statements["a"].number = 1;
    statements["b"].number = 2;
    REQUIRE(statements.look_up("a") != nullptr);
    CHECK(statements.look_up("a")->number == 1);
    statements.remove_if([](const auto& each) { return each.second.number == 1; });
    CHECK(statements.look_up("a") == nullptr);
    REQUIRE(statements.look_up("b") != nullptr);
    statements.remove(statements.find("b"));
    CHECK(statements.look_up("b") == nullptr);
    statements["b"].number = 3;
    CHECK(statements.look_up("b")->number == 3);
}

TEST_CASE("session/relocation: on the way a client shares no statement with anybody")
{
    StatementTable table;
    ClientState client = client_of(table);
    const StatementRef left = table.intern("SELECT 1", {});
    take_statements_along(client);
    for (const auto& [name, named] : *client.statements) {
        const StatementRef& statement = named.statement;
        CAPTURE(name);
        CHECK(statement->use_count() == 1);
    }
    CHECK(client.unnamed->use_count() == 1);
    CHECK(left->use_count() == 2); // the table's and ours
    CHECK(client.statements->at("a").statement->id() == left->id());
}

TEST_CASE("session/relocation: what it has becomes what its new worker has")
{
    StatementTable before;
    StatementTable after;
    const StatementRef there = after.intern("SELECT 1", {});
    ClientState client = client_of(before);
    take_statements_along(client);
    settle_statements(client, after);
    CHECK(client.statements->at("a").statement == there);
    CHECK(client.statements->at("b").statement == there);
    CHECK(client.statements->at("c").statement == client.unnamed);
    CHECK(client.unnamed == after.intern("SELECT 2", {}, 7));
    CHECK(client.unnamed != after.intern("SELECT 2", {}));
    CHECK(after.size() == 3);
}

TEST_CASE("session/relocation: what was read of a text stands in the text that goes along")
{
    StatementTable table;
    ClientState client;
    {
        const std::string text = "SELECT set_config('a.b', 'c', false)";
        client.unnamed = table.intern(text, {});
    }
    const StatementRef left = client.unnamed;
    take_statements_along(client);
    for (const StatementRef& statement : {left, client.unnamed}) {
        REQUIRE(statement->reading().calls.size() == 1);
        const std::string_view call = statement->reading().calls.front();
        const std::string& text = statement->query();
        CHECK(call == "set_config");
        CHECK(call.data() >= text.data());
        CHECK(call.data() + call.size() <= text.data() + text.size());
    }
}

TEST_CASE("session/relocation: a client without statements has nothing to carry")
{
    StatementTable table;
    ClientState client;
    take_statements_along(client);
    settle_statements(client, table);
    CHECK(client.statements == nullptr);
    CHECK(client.unnamed == nullptr);
    CHECK(table.size() == 0);
}
