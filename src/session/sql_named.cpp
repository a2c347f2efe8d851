#include "sql_heads.hpp"

namespace pgweir::session::sql {

namespace {

bool read_only_name(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    return !statement.name.empty() && rest.at_end();
}

// Behind the opening parenthesis; to behind the closing one.
void skip_parentheses(Tokens& rest)
{
    for (int depth = 1; depth > 0 && !rest.at_end();) {
        const Token token = rest.take();
        if (token.is_symbol('(')) ++depth;
        if (token.is_symbol(')')) --depth;
    }
}

bool read_prepare_transaction(SqlStatement& statement, Tokens& rest)
{
    statement.command = Command::prepare_transaction;
    statement.value = rest.take_string();
    return !statement.value.empty() && rest.at_end();
}

} // namespace

// A statement may be called transaction: then types or AS follow, and no string.
bool read_prepare(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    const bool is_transaction = rest.peek().kind == TokenKind::string;
    if (is_transaction && Tokens{statement.name}.at_word("transaction")) {
        statement.name = {};
        return read_prepare_transaction(statement, rest);
    }
    if (rest.take_symbol('(')) skip_parentheses(rest);
    return !statement.name.empty() && rest.take_word("as") && !rest.at_end();
}

bool read_execute(SqlStatement& statement, Tokens& rest)
{
    statement.executed = rest.take_name();
    if (rest.take_symbol('(')) skip_parentheses(rest);
    return !statement.executed.empty() && rest.at_end();
}

// A statement may be called prepare.
bool read_deallocate(SqlStatement& statement, Tokens& rest)
{
    Tokens ahead{rest};
    if (ahead.take_word("prepare") && !ahead.at_end()) rest = ahead;
    if (!rest.take_word("all")) return read_only_name(statement, rest);
    statement.command = Command::deallocate_all;
    return rest.at_end();
}

bool read_explain(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_symbol('(')) {
        skip_parentheses(rest);
    } else {
        rest.take_word("analyze") || rest.take_word("analyse");
        rest.take_word("verbose");
    }
    if (rest.take_word("execute")) return read_execute(statement, rest);
    if (!rest.take_word("create")) return true;
    SqlStatement created;
    created.traits = statement.traits;
    const bool is_understood = read_create(created, rest);
    statement.executed = created.executed;
    statement.traits = created.traits;
    return is_understood;
}

bool read_listen(SqlStatement& statement, Tokens& rest) { return read_only_name(statement, rest); }

bool read_unlisten(SqlStatement& statement, Tokens& rest)
{
    if (!rest.take_symbol('*')) return read_only_name(statement, rest);
    statement.command = Command::unlisten_all;
    return rest.at_end();
}

bool read_notify(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    if (rest.take_symbol(',')) {
        statement.value = rest.take_string();
        if (statement.value.empty()) return false;
    }
    return !statement.name.empty() && rest.at_end();
}

bool read_declare(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    if (statement.name.empty()) return false;
    while (rest.take_word("binary") || rest.take_word("insensitive") || rest.take_word("asensitive")
           || rest.take_word("no") || rest.take_word("scroll")) {
    }
    if (!rest.take_word("cursor")) return false;
    if (rest.take_word("with")) {
        statement.is_held = rest.take_word("hold");
        if (!statement.is_held) return false;
    } else if (rest.take_word("without") && !rest.take_word("hold")) {
        return false;
    }
    return rest.take_word("for") && !rest.at_end();
}

bool read_close(SqlStatement& statement, Tokens& rest)
{
    if (!rest.take_word("all")) return read_only_name(statement, rest);
    statement.command = Command::close_all;
    return rest.at_end();
}

// Whatever the direction, the cursor comes last.
bool read_fetch(SqlStatement& statement, Tokens& rest)
{
    while (!rest.at_end()) {
        statement.name = rest.take_name();
        if (statement.name.empty()) rest.take();
    }
    return !statement.name.empty();
}

bool read_discard(SqlStatement& statement, Tokens& rest)
{
    const Token what = rest.take();
    statement.command = Command::discard_all; // also for what we do not know
    if (what.is_word("plans")) statement.command = Command::discard_plans;
    if (what.is_word("sequences")) statement.command = Command::discard_sequences;
    const bool is_temp = what.is_word("temp") || what.is_word("temporary");
    if (is_temp) statement.command = Command::discard_temp;
    const bool is_known = statement.command != Command::discard_all || what.is_word("all");
    return is_known && rest.at_end();
}

bool read_load(SqlStatement& statement, Tokens& rest)
{
    statement.value = rest.take_string();
    return !statement.value.empty() && rest.at_end();
}

bool read_call(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    while (!statement.name.empty() && rest.take_symbol('.')) statement.name = rest.take_name();
    return false; // a procedure may do anything
}

bool read_do(SqlStatement&, Tokens&) { return false; } // so may a block

} // namespace pgweir::session::sql
