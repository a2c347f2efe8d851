#include "sql_characters.hpp"
#include "sql_heads.hpp"

namespace pgweir::session::sql {

namespace {

bool take_routine(Tokens& rest)
{
    return rest.take_word("function") || rest.take_word("procedure") || rest.take_word("routine")
           || rest.take_word("aggregate");
}

void read_kind(SqlStatement& statement, Tokens& rest)
{
    rest.take_word("constraint");
    if (take_routine(rest) || rest.take_word("extension") || rest.take_word("trigger")) {
        statement.traits |= Trait::changes_functions;
    }
}

bool is_c(Tokens rest)
{
    const std::string_view name = rest.take().text;
    return name == "c" || name == "C" || name == "'c'" || name == "'C'" || name == "\"c\"";
}

bool read_database(SqlStatement& statement, Tokens& rest, Command command)
{
    statement.command = command;
    if (rest.take_word("if")) rest.take_word("exists");
    statement.name = rest.take_name();
    return !statement.name.empty();
}

bool read_create_database(SqlStatement& statement, Tokens& rest)
{
    if (!read_database(statement, rest, Command::create_database)) return false;
    while (!rest.at_end()) {
        if (!rest.take().is_word("template")) continue;
        rest.take_symbol('=');
        statement.value = rest.take_name();
    }
    return true;
}

// Most of what can be altered does not mind who is connected.
bool read_alter_database(SqlStatement& statement, Tokens& rest)
{
    const std::string_view name = rest.take_name();
    const bool sets = rest.take_word("set");
    const bool moves = sets ? rest.take_word("tablespace") : rest.take_word("rename");
    if (!moves && !sets && !rest.take_word("reset")) return true;
    statement.command = moves ? Command::alter_database : Command::alter_defaults;
    statement.name = name;
    return !name.empty();
}

bool read_alter_role(SqlStatement& statement, Tokens& rest)
{
    const bool is_any = rest.take_word("all") || rest.take_word("current_user")
                        || rest.take_word("current_role") || rest.take_word("session_user");
    const std::string_view role = is_any ? std::string_view{} : rest.take_name();
    std::string_view database;
    if (rest.take_word("in") && rest.take_word("database")) database = rest.take_name();
    if (!rest.take_word("set") && !rest.take_word("reset")) return true;
    statement.command = Command::alter_defaults;
    statement.name = database;
    statement.value = role;
    return true;
}

} // namespace

bool read_create(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("database")) return read_create_database(statement, rest);
    if (rest.take_word("or")) rest.take_word("replace");
    read_kind(statement, rest);
    // What is called pg_temp.… is temporary, and so is a view of such.
    if (statement.traits.has(Trait::names_temp_schema)) statement.traits |= Trait::creates_temp;
    while (!rest.at_end()) {
        const Token token = rest.take();
        if (token.is_word("as") && rest.take_word("execute")) {
            statement.executed = rest.take_name();
            return !statement.executed.empty();
        }
        // PostgreSQL loads it at once, to see whether the function is there.
        if (token.is_word("language") && is_c(rest)) statement.traits |= Trait::loads_library;
    }
    return true;
}

bool read_alter(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("database")) return read_alter_database(statement, rest);
    if (rest.take_word("role") || rest.take_word("user")) {
        return rest.at_word("mapping") || read_alter_role(statement, rest);
    }
    read_kind(statement, rest);
    return true;
}

bool read_drop(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("database")) return read_database(statement, rest, Command::drop_database);
    read_kind(statement, rest);
    return true;
}

bool may_have_inner_statements(Tokens rest)
{
    if (rest.take_word("or")) rest.take_word("replace");
    return rest.at_word("function") || rest.at_word("procedure") || rest.at_word("rule");
}

const char* outer_end(std::string_view text)
{
    Tokens tokens{text};
    int parentheses = 0;
    int bodies = 0; // BEGIN ATOMIC and, within it, CASE
    while (!tokens.at_end()) {
        const Token token = tokens.take();
        if (token.is_symbol('(')) ++parentheses;
        if (token.is_symbol(')') && parentheses > 0) --parentheses;
        if (token.is_symbol(';') && parentheses == 0 && bodies == 0) return token.text.data();
        const bool opens = bodies > 0 ? token.is_word("begin") || token.is_word("case")
                                      : token.is_word("begin") && tokens.at_word("atomic");
        if (opens) ++bodies;
        if (bodies > 0 && token.is_word("end")) --bodies;
    }
    return text.data() + text.size();
}

} // namespace pgweir::session::sql
