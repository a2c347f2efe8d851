// The statements that are read to their end, one function each. Each is called with what follows
// the first word, and says whether it understood all of that.
#pragma once

#include <pgweir/session/sql_statement.hpp>

#include "sql_tokens.hpp"

namespace pgweir::session::sql {

// sql_set.cpp
bool read_set(Statement& statement, Tokens& rest);
bool read_reset(Statement& statement, Tokens& rest);
bool read_show(Statement& statement, Tokens& rest);

// sql_transaction.cpp
bool read_begin(Statement& statement, Tokens& rest);
bool read_start(Statement& statement, Tokens& rest);
bool read_end_of_block(Statement& statement, Tokens& rest); // END, ABORT
bool read_commit(Statement& statement, Tokens& rest);
bool read_rollback(Statement& statement, Tokens& rest);
bool read_savepoint(Statement& statement, Tokens& rest);
bool read_release(Statement& statement, Tokens& rest);

/// The modes of a transaction, all that is left: they become the value.
bool read_modes(Statement& statement, Tokens& rest);

// sql_named.cpp: prepared statements, channels, cursors, files
bool read_prepare(Statement& statement, Tokens& rest);
bool read_execute(Statement& statement, Tokens& rest);
bool read_deallocate(Statement& statement, Tokens& rest);
bool read_explain(Statement& statement, Tokens& rest);
bool read_listen(Statement& statement, Tokens& rest);
bool read_unlisten(Statement& statement, Tokens& rest);
bool read_notify(Statement& statement, Tokens& rest);
bool read_declare(Statement& statement, Tokens& rest);
bool read_close(Statement& statement, Tokens& rest);
bool read_fetch(Statement& statement, Tokens& rest);
bool read_discard(Statement& statement, Tokens& rest);
bool read_load(Statement& statement, Tokens& rest);
bool read_call(Statement& statement, Tokens& rest);
bool read_do(Statement& statement, Tokens& rest);

// sql_ddl.cpp
bool read_create(Statement& statement, Tokens& rest);
bool read_alter(Statement& statement, Tokens& rest);
bool read_drop(Statement& statement, Tokens& rest);

/// Whether CREATE is followed by a routine, whose body may be statements, or by a rule, whose
/// actions are. No other statement has semicolons in it.
[[nodiscard]] bool may_have_inner_statements(Tokens rest);

/// Where such a statement ends: not in parentheses, and not in BEGIN ATOMIC … END.
[[nodiscard]] const char* outer_end(std::string_view text);

} // namespace pgweir::session::sql
