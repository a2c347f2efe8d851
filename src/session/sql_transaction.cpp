#include "sql_heads.hpp"

namespace pgweir::session::sql {

namespace {

void take_work(Tokens& rest)
{
    if (!rest.take_word("work")) rest.take_word("transaction");
}

bool read_global_name(SqlStatement& statement, Tokens& rest, Command command)
{
    statement.command = command;
    statement.value = rest.take_string();
    return !statement.value.empty() && rest.at_end();
}

bool read_isolation_level(SqlStatement& statement, Tokens& rest)
{
    if (!rest.take_word("level")) return false;
    if (rest.take_word("serializable")) {
        statement.traits |= Trait::needs_primary;
        return true;
    }
    if (rest.take_word("repeatable")) return rest.take_word("read");
    return rest.take_word("read") && (rest.take_word("committed") || rest.take_word("uncommitted"));
}

bool read_mode(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("isolation")) return read_isolation_level(statement, rest);
    if (rest.take_word("not")) return rest.take_word("deferrable");
    if (rest.take_word("deferrable")) return true;
    if (!rest.take_word("read")) return false;
    if (rest.take_word("only")) return true;
    statement.traits |= Trait::needs_primary;
    return rest.take_word("write");
}

} // namespace

bool read_modes(SqlStatement& statement, Tokens& rest)
{
    if (rest.at_end()) return true;
    statement.value = Tokens{rest}.take_rest();
    while (read_mode(statement, rest)) {
        const bool has_comma = rest.take_symbol(',');
        if (rest.at_end()) return !has_comma;
    }
    return false;
}

bool read_begin(SqlStatement& statement, Tokens& rest)
{
    take_work(rest);
    return read_modes(statement, rest);
}

bool read_start(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("transaction")) return read_modes(statement, rest);
    statement.command = Command::other; // START_REPLICATION's cousin, or a mistake
    return true;
}

// [WORK | TRANSACTION] [AND [NO] CHAIN]
bool read_end_of_block(SqlStatement& statement, Tokens& rest)
{
    take_work(rest);
    if (!rest.take_word("and")) return rest.at_end();
    statement.is_chained = !rest.take_word("no");
    return rest.take_word("chain") && rest.at_end();
}

bool read_commit(SqlStatement& statement, Tokens& rest)
{
    if (!rest.take_word("prepared")) return read_end_of_block(statement, rest);
    return read_global_name(statement, rest, Command::commit_prepared);
}

bool read_rollback(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("prepared")) {
        return read_global_name(statement, rest, Command::rollback_prepared);
    }
    Tokens ahead{rest};
    take_work(ahead);
    if (!ahead.take_word("to")) return read_end_of_block(statement, rest);
    statement.command = Command::rollback_to;
    return read_release(statement, ahead);
}

bool read_savepoint(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    return !statement.name.empty() && rest.at_end();
}

// [SAVEPOINT] name; and a savepoint may be called savepoint.
bool read_release(SqlStatement& statement, Tokens& rest)
{
    statement.name = rest.take_name();
    if (Tokens{statement.name}.at_word("savepoint") && !rest.at_end()) {
        statement.name = rest.take_name();
    }
    return !statement.name.empty() && rest.at_end();
}

} // namespace pgweir::session::sql
