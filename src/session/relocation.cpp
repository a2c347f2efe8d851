#include <pgweir/session/relocation.hpp>

#include <utility>

namespace pgweir::session {

namespace {

template <class Change>
void change_each(ClientState& client, Change change)
{
    if (client.unnamed) change(client.unnamed);
    if (!client.statements) return;
    for (auto& [name, named] : *client.statements) {
        if (named.statement) change(named.statement);
    }
}

} // namespace

void take_statements_along(ClientState& client)
{
    change_each(client, [](StatementRef& statement) {
        statement = StatementRef{new Statement{*statement}};
    });
}

void settle_statements(ClientState& client, StatementTable& table)
{
    change_each(client, [&](StatementRef& statement) {
        statement = table.adopt(std::move(statement));
    });
}

} // namespace pgweir::session
