#include <pgweir/session/signal.hpp>

#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/wire/reader.hpp>

#include "sql_characters.hpp"
#include "sql_tokens.hpp"

#include <charconv>
#include <string>

namespace pgweir::session {

namespace {

using sql::Tokens;

const char* end_of(std::string_view text) { return text.data() + text.size(); }

std::optional<std::uint32_t> to_process_id(std::string_view digits)
{
    std::uint32_t number = 0;
    const char* const end = end_of(digits);
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

// A number or a string with one in it, or $1; perhaps as an integer.
bool take_argument(Tokens& tokens, SignalCall& call)
{
    const Token value = tokens.take();
    const char* end = end_of(value.text);
    if (value.kind == TokenKind::number) {
        call.process_id = to_process_id(value.text);
    } else if (value.kind == TokenKind::string) {
        call.process_id = to_process_id(string_value(value.text).value_or(""));
    }
    const bool is_parameter = value.kind == TokenKind::parameter && value.text == "$1";
    if (!is_parameter && !call.process_id) return false;
    if (tokens.take_symbol(':')) {
        if (!tokens.take_symbol(':')) return false;
        const Token type = tokens.take();
        if (!type.is_word("int") && !type.is_word("int4") && !type.is_word("integer")) return false;
        end = end_of(type.text);
    }
    call.argument = sql::between(value.text.data(), end);
    return true;
}

// How long it waits: there is nothing to wait for.
bool take_timeout(Tokens& tokens)
{
    return !tokens.take_symbol(',') || tokens.take().kind == TokenKind::number;
}

std::string replaced(std::string_view sql, std::string_view part, std::string_view by)
{
    std::string text{sql};
    return text.replace(static_cast<std::size_t>(part.data() - sql.data()), part.size(), by);
}

std::string integer(const SignalCall& call)
{
    return '(' + std::string{call.argument} + ")::pg_catalog.int4";
}

} // namespace

std::optional<SignalCall> read_signal_call(std::string_view sql)
{
    Tokens tokens{sql};
    if (!tokens.take_word("select")) return std::nullopt;
    const char* const start = tokens.peek().text.data();
    if (tokens.take_word("pg_catalog") && !tokens.take_symbol('.')) return std::nullopt;
    SignalCall call;
    call.terminates = tokens.at_word("pg_terminate_backend");
    if (!call.terminates && !tokens.at_word("pg_cancel_backend")) return std::nullopt;
    call.word = tokens.take().text;
    call.function = sql::between(start, end_of(call.word));
    if (!tokens.take_symbol('(') || !take_argument(tokens, call)) return std::nullopt;
    if (call.terminates && !take_timeout(tokens)) return std::nullopt;
    call.text = sql::between(start, end_of(tokens.peek().text));
    if (!tokens.take_symbol(')')) return std::nullopt;

    tokens.take_word("as");
    static_cast<void>(tokens.take_name());
    tokens.take_symbol(';');
    return tokens.at_end() ? std::optional{call} : std::nullopt;
}

std::optional<OwnIdCall> read_own_id_call(std::string_view sql)
{
    Tokens tokens{sql};
    if (!tokens.take_word("select")) return std::nullopt;
    const char* const start = tokens.peek().text.data();
    if (tokens.take_word("pg_catalog") && !tokens.take_symbol('.')) return std::nullopt;
    if (!tokens.take_word("pg_backend_pid") || !tokens.take_symbol('(')) return std::nullopt;
    OwnIdCall call;
    call.text = sql::between(start, end_of(tokens.peek().text));
    if (!tokens.take_symbol(')')) return std::nullopt;
    tokens.take_word("as");
    call.has_alias = !tokens.take_name().empty();
    tokens.take_symbol(';');
    return tokens.at_end() ? std::optional{call} : std::nullopt;
}

std::optional<std::uint32_t> bound_process_id(Bytes formats_and_values)
{
    wire::Reader reader{formats_and_values};
    bool is_binary = false;
    for (std::uint16_t formats = reader.be16(); formats > 0 && reader.ok(); --formats) {
        is_binary = reader.be16() == 1;
    }
    if (reader.be16() != 1) return std::nullopt;
    const std::uint32_t size = reader.be32();
    const Bytes value = reader.bytes(size); // NULL has the size of 2^32 - 1
    if (!reader.ok()) return std::nullopt;
    if (!is_binary) return to_process_id(as_text(value));
    return value.size() == 4 ? std::optional{load_be32(value.data())} : std::nullopt;
}

// As pg_signal_backend() in PostgreSQL's signalfuncs.c: its own words for a refusal come from
// itself, which is shown any process of that role then; when there is none, nobody is there. Names
// have a schema, or who asks could give them another meaning.
std::string permission_sql(std::string_view sql, const SignalCall& call, std::string_view role)
{
    const std::string function{call.function};
    const std::string equals = " OPERATOR(pg_catalog.=) ";
    std::string query =
        "(SELECT CASE WHEN (me.rolsuper OR NOT them.rolsuper)"
        " AND (pg_catalog.pg_has_role(them.oid, 'USAGE')"
        " OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')) AND "
        + integer(call) + " IS NOT NULL THEN true ELSE " + function
        + "(COALESCE((SELECT pid FROM pg_catalog.pg_stat_activity WHERE usesysid" + equals
        + "them.oid LIMIT 1), " + integer(call) + ")) END AS " + std::string{call.word}
        + " FROM pg_catalog.pg_roles AS them, pg_catalog.pg_roles AS me WHERE them.rolname"
        + equals;
    append_literal(query, role);
    query += " AND me.rolname" + equals + "current_user)";
    return replaced(sql, call.text, query);
}

std::string own_id_sql(std::string_view sql, const OwnIdCall& call, std::uint32_t process_id)
{
    std::string number = std::to_string(process_id) + "::pg_catalog.int4";
    if (!call.has_alias) number += " AS pg_backend_pid";
    return replaced(sql, call.text, number);
}

std::string own_signal_sql(std::string_view sql, const SignalCall& call)
{
    return replaced(
        sql,
        call.argument,
        "CASE WHEN " + integer(call) + " IS NOT NULL THEN pg_catalog.pg_backend_pid() END"
    );
}

} // namespace pgweir::session
