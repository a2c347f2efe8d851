#include <pgweir/session/sql.hpp>

#include <pgweir/base/assert.hpp>
#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/session/sql_statement.hpp>

#include <cstddef>
#include <string>
#include <string_view>

using namespace pgweir::session;

namespace {

bool has_only_blanks_and_semicolons(std::string_view text)
{
    SqlLexer lexer{text};
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (!token.is_symbol(';')) return false;
    }
    return true;
}

// Tokens come in their order, out of the text; what they mean can be asked of any.
void check_tokens(std::string_view text)
{
    SqlLexer lexer{text};
    const char* at = text.data();
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        PGWEIR_ASSERT(!token.text.empty() && token.text.data() >= at);
        at = token.text.data() + token.text.size();
        PGWEIR_ASSERT(at <= text.data() + text.size());
        static_cast<void>(identifier(token.text));
        static_cast<void>(string_value(token.text));
    }
    static_cast<void>(parameter_name(text));
    static_cast<void>(setting_values(text));
}

// A value that is said to be certain can be read, and so can a name.
void check_members(const SqlStatement& statement)
{
    const bool is_set = statement.command == Command::set || statement.command == Command::set_role;
    if (statement.is_uncertain || !is_set) return;
    PGWEIR_ASSERT(parameter_name(statement.name));
    PGWEIR_ASSERT(statement.is_default || setting_values(statement.value));
}

// Between statements there is nothing, and each reads the same when it comes alone.
void check_statements(std::string_view text, SqlOptions options)
{
    SqlReader reader{text, options};
    const char* at = text.data();
    while (const SqlStatement* const statement = reader.next()) {
        if (statement->text.empty()) continue; // the end of a text that was cut
        const char* const start = statement->text.data();
        PGWEIR_ASSERT(start >= at);
        PGWEIR_ASSERT(has_only_blanks_and_semicolons({at, static_cast<std::size_t>(start - at)}));
        at = start + statement->text.size();
        check_members(*statement);

        SqlReader alone{statement->text, {nullptr, false, options.escapes_in_strings}};
        const SqlStatement* const again = alone.next();
        PGWEIR_ASSERT(again != nullptr && again->text == statement->text);
        PGWEIR_ASSERT(again->command == statement->command && again->name == statement->name);
        PGWEIR_ASSERT(again->value == statement->value && again->traits == statement->traits);
        PGWEIR_ASSERT(alone.next() == nullptr);
    }
    const std::string_view rest{at, static_cast<std::size_t>(text.data() + text.size() - at)};
    PGWEIR_ASSERT(has_only_blanks_and_semicolons(rest));
}

} // namespace

// Whatever name is read is read again from the statement that we make of it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const SqlReading head = read_sql(text);
    if (head.kind == SqlKind::deallocate_one) {
        const SqlReading again = read_sql(deallocate_sql(head.name));
        PGWEIR_ASSERT(again.kind == SqlKind::deallocate_one && again.name == head.name);
    }

    std::vector<std::string_view> calls;
    check_tokens(text);
    check_statements(text, {&calls, false, false});
    check_statements(text, {&calls, true, true});
    return 0;
}
