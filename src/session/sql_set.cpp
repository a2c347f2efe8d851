#include "sql_characters.hpp"
#include "sql_heads.hpp"

namespace pgweir::session::sql {

namespace {

// A parameter by its own name: word [. word …]. Empty: none.
std::string_view take_parameter(Tokens& rest)
{
    const std::string_view first = rest.take_name();
    std::string_view last = first;
    while (!last.empty() && rest.take_symbol('.')) last = rest.take_name();
    if (last.empty()) return {};
    return between(first.data(), last.data() + last.size());
}

bool is_certain_element(Tokens& rest)
{
    const bool is_signed = rest.take_symbol('-') || rest.take_symbol('+');
    if (rest.peek().kind == TokenKind::number) {
        return setting_values(rest.take().text).has_value();
    }
    if (is_signed) return false;
    const std::string_view string = rest.take_string();
    if (string.empty()) return !rest.take_name().empty();
    return string.front() == '\'' || string.front() == '$' || string_value(string);
}

// A list of elements that setting_values() can read.
bool is_certain(Tokens& rest)
{
    while (is_certain_element(rest)) {
        if (rest.at_end()) return true;
        if (!rest.take_symbol(',')) return false;
    }
    return false;
}

// A value, or DEFAULT: nothing else may be left.
bool read_value(SqlStatement& statement, Tokens& rest)
{
    statement.is_default = rest.take_word("default");
    if (statement.is_default) return rest.at_end();
    statement.value = Tokens{rest}.take_rest();
    return is_certain(rest);
}

bool is_named(std::string_view parameter, std::string_view name)
{
    if (parameter.front() == '"') parameter = parameter.substr(1, parameter.size() - 2);
    return same_word(parameter, name);
}

// Some parameters have a command of their own, however they are set.
void read_name(SqlStatement& statement, std::string_view name)
{
    statement.name = name;
    if (is_named(name, "role")) statement.command = Command::set_role;
    if (is_named(name, "session_authorization")) {
        statement.command = Command::set_session_authorization;
    }
}

// The server will look there for temporary tables first, and make its tables there.
bool names_temp_schema(std::string_view text)
{
    constexpr std::string_view name = "pg_temp";
    for (std::size_t i = 0; i + name.size() <= text.size(); ++i) {
        if (same_word(text.substr(i, name.size()), name)) return true;
    }
    return false;
}

// SET name TO | = …. False: it is not in this form, and `rest` stays where it is.
bool read_generic(SqlStatement& statement, Tokens& rest, bool& is_understood)
{
    Tokens ahead{rest};
    const std::string_view name = take_parameter(ahead);
    if (name.empty()) return false;
    if (ahead.take_word("from") && ahead.at_word("current")) {
        read_name(statement, name); // the value it has anyway: but now it is the session's
        is_understood = false;
        return true;
    }
    if (!ahead.take_word("to") && !ahead.take_symbol('=')) return false;
    read_name(statement, name);
    is_understood = read_value(statement, ahead);
    if (names_temp_schema(statement.value)) statement.traits |= Trait::names_temp_schema;
    return true;
}

bool read_time_zone(SqlStatement& statement, Tokens& rest)
{
    statement.name = "timezone";
    if (rest.take_word("local")) {
        statement.is_default = true;
        return rest.at_end();
    }
    return read_value(statement, rest); // an INTERVAL is no plain value
}

bool read_names(SqlStatement& statement, Tokens& rest)
{
    statement.name = "client_encoding";
    statement.is_default = rest.at_end();
    return statement.is_default || read_value(statement, rest);
}

bool read_schema(SqlStatement& statement, Tokens& rest)
{
    statement.name = "search_path";
    if (rest.peek().kind != TokenKind::string) return false;
    return read_value(statement, rest);
}

bool read_transaction(SqlStatement& statement, Tokens& rest)
{
    statement.command = Command::set_transaction;
    if (!rest.take_word("snapshot")) return !rest.at_end() && read_modes(statement, rest);
    statement.value = rest.take_string();
    return !statement.value.empty() && rest.at_end();
}

bool read_characteristics(SqlStatement& statement, Tokens& rest)
{
    statement.command = Command::set_session_characteristics;
    return rest.take_word("as") && rest.take_word("transaction") && !rest.at_end()
           && read_modes(statement, rest);
}

bool read_authorization(SqlStatement& statement, Tokens& rest)
{
    read_name(statement, "session_authorization");
    return read_value(statement, rest);
}

bool read_constraints(SqlStatement& statement, Tokens& rest)
{
    statement.command = Command::set_constraints;
    rest.take_rest();
    return true;
}

// The forms without TO, which have words where others have a name.
bool read_special(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("time")) return rest.take_word("zone") && read_time_zone(statement, rest);
    if (rest.take_word("names")) return read_names(statement, rest);
    if (rest.take_word("schema")) return read_schema(statement, rest);
    if (rest.take_word("transaction")) return read_transaction(statement, rest);
    if (rest.take_word("constraints")) return read_constraints(statement, rest);
    if (rest.take_word("role")) {
        read_name(statement, "role");
        return read_value(statement, rest);
    }
    if (rest.take_word("xml")) {
        statement.name = "xmloption";
        if (!rest.take_word("option")) return false;
        return read_value(statement, rest);
    }
    if (!rest.take_word("session")) return false;
    if (rest.take_word("authorization")) return read_authorization(statement, rest);
    return rest.take_word("characteristics") && read_characteristics(statement, rest);
}

bool read_assignment(SqlStatement& statement, Tokens& rest)
{
    bool is_understood = false;
    if (read_generic(statement, rest, is_understood)) return is_understood;
    return read_special(statement, rest);
}

// What RESET and SHOW name, words for a parameter included. Empty: none.
std::string_view take_any_parameter(Tokens& rest)
{
    Tokens ahead{rest};
    std::string_view name;
    if (ahead.take_word("time") && ahead.take_word("zone")) {
        name = "timezone";
    } else if (ahead.take_word("session") && ahead.take_word("authorization")) {
        name = "session_authorization";
    } else if (ahead.take_word("transaction") && ahead.take_word("isolation")) {
        if (ahead.take_word("level")) name = "transaction_isolation";
    }
    if (name.empty()) return take_parameter(rest);
    rest = ahead;
    return name;
}

} // namespace

bool read_set(SqlStatement& statement, Tokens& rest)
{
    Tokens ahead{rest};
    const bool is_local = ahead.take_word("local");
    if (!is_local && !ahead.take_word("session")) return read_assignment(statement, rest);

    const bool is_name = ahead.peek().is_symbol('=') || ahead.peek().is_symbol('.')
                         || ahead.at_word("to") || ahead.at_word("from");
    const bool has_words = !is_local
                           && (ahead.at_word("authorization") || ahead.at_word("characteristics"));
    if (is_name || has_words) return read_assignment(statement, rest);
    statement.is_local = is_local;
    return read_assignment(statement, ahead);
}

bool read_reset(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("all")) {
        statement.command = Command::reset_all;
        return rest.at_end();
    }
    statement.name = take_any_parameter(rest);
    return !statement.name.empty() && rest.at_end();
}

bool read_show(SqlStatement& statement, Tokens& rest)
{
    if (rest.take_word("all")) return rest.at_end();
    statement.name = take_any_parameter(rest);
    return !statement.name.empty() && rest.at_end();
}

} // namespace pgweir::session::sql
