#include <pgweir/session/sql.hpp>

#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/session/sql_statement.hpp>

namespace pgweir::session {

SqlHead read_sql_head(std::string_view text)
{
    SqlReader reader{text};
    const Statement* const first = reader.next();
    if (first == nullptr) return {};

    const bool drops_all = first->command == Command::deallocate_all
                           || first->command == Command::discard_all
                           || first->command == Command::discard_plans;
    if (drops_all) return {SqlKind::drops_all, {}};
    if (first->command == Command::begin) return {SqlKind::begins_transaction, {}};
    if (first->command != Command::deallocate || first->is_uncertain) return {};

    auto name = identifier(first->name);
    const bool is_alone = reader.next() == nullptr;
    if (!name || !is_alone) return {};
    return {SqlKind::deallocate_one, std::move(*name)};
}

std::string deallocate_sql(std::string_view name)
{
    std::string sql = "DEALLOCATE \"";
    for (const char c : name) {
        if (c == '"') sql += c;
        sql += c;
    }
    return sql + '"';
}

} // namespace pgweir::session
