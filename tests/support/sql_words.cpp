#include "sql_words.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace pgweir::test {

using namespace session;

namespace {

// In the order of Command.
constexpr std::array command_words{
    "other",
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "copy",
    "with",
    "set",
    "set_role",
    "set_session_authorization",
    "set_session_characteristics",
    "set_transaction",
    "set_constraints",
    "reset",
    "reset_all",
    "show",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "release",
    "rollback_to",
    "prepare_transaction",
    "commit_prepared",
    "rollback_prepared",
    "prepare",
    "execute",
    "deallocate",
    "deallocate_all",
    "explain",
    "listen",
    "unlisten",
    "unlisten_all",
    "notify",
    "declare",
    "close",
    "close_all",
    "fetch",
    "discard_all",
    "discard_plans",
    "discard_sequences",
    "discard_temp",
    "load",
    "create_database",
    "alter_database",
    "drop_database",
    "alter_defaults",
    "ddl",
    "do",
    "call",
};
static_assert(command_words.size() == static_cast<std::size_t>(Command::call) + 1);

constexpr std::array trait_words{
    std::pair{Trait::sets_config, "sets_config"},
    std::pair{Trait::takes_advisory_lock, "takes_advisory_lock"},
    std::pair{Trait::frees_advisory_lock, "frees_advisory_lock"},
    std::pair{Trait::reads_sequence, "reads_sequence"},
    std::pair{Trait::advances_sequence, "advances_sequence"},
    std::pair{Trait::sets_sequence, "sets_sequence"},
    std::pair{Trait::seeds_random, "seeds_random"},
    std::pair{Trait::notifies, "notifies"},
    std::pair{Trait::creates_temp, "creates_temp"},
    std::pair{Trait::names_temp_schema, "names_temp_schema"},
    std::pair{Trait::reads_settings, "reads_settings"},
    std::pair{Trait::reads_prepared, "reads_prepared"},
    std::pair{Trait::reads_cursors, "reads_cursors"},
    std::pair{Trait::reads_channels, "reads_channels"},
    std::pair{Trait::changes_functions, "changes_functions"},
    std::pair{Trait::loads_library, "loads_library"},
    std::pair{Trait::needs_primary, "needs_primary"},
    std::pair{Trait::uses_process_id, "uses_process_id"},
};

void append_member(std::string& line, std::string_view name, std::string_view value)
{
    if (value.empty()) return;
    line += ' ';
    line += name;
    line += '=';
    line += value;
}

void append_flag(std::string& line, std::string_view word, bool is_set)
{
    if (!is_set) return;
    line += ' ';
    line += word;
}

void append_set_config(std::string& line, const SqlStatement::SetConfig& call)
{
    if (call.name.empty()) return;
    line += " config(";
    line += call.name;
    line += ',';
    line += call.value;
    append_flag(line, "local", call.is_local);
    append_flag(line, "alone", call.is_alone);
    line += ')';
}

} // namespace

std::string describe(Traits traits)
{
    std::string words;
    for (const auto& [trait, trait_word] : trait_words) {
        if (!traits.has(trait)) continue;
        if (!words.empty()) words += ',';
        words += trait_word;
    }
    return words;
}

std::string describe(const SqlStatement& statement)
{
    std::string line = command_words[static_cast<std::size_t>(statement.command)];
    append_flag(line, "local", statement.is_local);
    append_member(line, "name", statement.name);
    append_member(line, "value", statement.value);
    append_flag(line, "default", statement.is_default);
    append_flag(line, "chain", statement.is_chained);
    append_flag(line, "hold", statement.is_held);
    append_member(line, "executed", statement.executed);
    append_set_config(line, statement.set_config);
    if (!statement.traits.empty()) line += " {" + describe(statement.traits) + "}";
    append_flag(line, "uncertain", statement.is_uncertain);
    return line;
}

std::string describe(std::string_view text, SqlOptions options)
{
    SqlReader reader{text, options};
    std::string lines;
    while (const SqlStatement* const statement = reader.next()) {
        if (!lines.empty()) lines += "; ";
        lines += describe(*statement);
    }
    return lines;
}

} // namespace pgweir::test
