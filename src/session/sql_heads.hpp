// The statements that are read to their end, one function each. Each is called with what follows
// the first word, and says whether it understood all of that.
#pragma once

#include <pgweir/session/sql_statement.hpp>

#include "sql_tokens.hpp"

namespace pgweir::session::sql {

// sql_set.cpp
bool read_set(SqlStatement& statement, Tokens& rest);
bool read_reset(SqlStatement& statement, Tokens& rest);
bool read_show(SqlStatement& statement, Tokens& rest);

// sql_transaction.cpp
bool read_begin(SqlStatement& statement, Tokens& rest);
bool read_start(SqlStatement& statement, Tokens& rest);
bool read_end_of_block(SqlStatement& statement, Tokens& rest); // END, ABORT
bool read_commit(SqlStatement& statement, Tokens& rest);
bool read_rollback(SqlStatement& statement, Tokens& rest);
bool read_savepoint(SqlStatement& statement, Tokens& rest);
bool read_release(SqlStatement& statement, Tokens& rest);

/// The modes of a transaction, all that is left: they become the value.
bool read_modes(SqlStatement& statement, Tokens& rest);

// sql_named.cpp: prepared statements, channels, cursors, files
bool read_prepare(SqlStatement& statement, Tokens& rest);
bool read_execute(SqlStatement& statement, Tokens& rest);
bool read_deallocate(SqlStatement& statement, Tokens& rest);
bool read_explain(SqlStatement& statement, Tokens& rest);
bool read_listen(SqlStatement& statement, Tokens& rest);
bool read_unlisten(SqlStatement& statement, Tokens& rest);
bool read_notify(SqlStatement& statement, Tokens& rest);
bool read_declare(SqlStatement& statement, Tokens& rest);
bool read_close(SqlStatement& statement, Tokens& rest);
bool read_fetch(SqlStatement& statement, Tokens& rest);
bool read_discard(SqlStatement& statement, Tokens& rest);
bool read_load(SqlStatement& statement, Tokens& rest);
bool read_call(SqlStatement& statement, Tokens& rest);
bool read_do(SqlStatement& statement, Tokens& rest);

// sql_ddl.cpp
bool read_create(SqlStatement& statement, Tokens& rest);
bool read_alter(SqlStatement& statement, Tokens& rest);
bool read_drop(SqlStatement& statement, Tokens& rest);

/// Whether CREATE is followed by a routine, whose body may be statements, or by a rule, whose
/// actions are. No other statement has semicolons in it.
[[nodiscard]] bool may_have_inner_statements(Tokens rest);

/// Where such a statement ends: not in parentheses, and not in BEGIN ATOMIC … END.
[[nodiscard]] const char* outer_end(std::string_view text);

} // namespace pgweir::session::sql
