#include <pgweir/session/sql.hpp>

#include <pgweir/session/settings.hpp>
#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/session/sql_statement.hpp>

#include "sql_characters.hpp"
#include "sql_plain.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace pgweir::session {

namespace {

constexpr auto as_said = SettingsChange::as_said;
constexpr auto takes_back = SettingsChange::ends_transaction;
constexpr auto any_change = SettingsChange::unknown;

struct CommandRow {
    Command command;
    SqlKind kind = SqlKind::other;
    Parts changes{};
    Parts ends{};
    SettingsChange for_parsing = SettingsChange::none;
};

// Commands that are not here do nothing to a session.
constexpr std::array command_rows{
    CommandRow{.command = Command::begin, .kind = SqlKind::begins_transaction},
    CommandRow{.command = Command::set, .changes = Part::settings, .for_parsing = as_said},
    CommandRow{.command = Command::set_role, .changes = Part::settings, .for_parsing = as_said},
    CommandRow{
        .command = Command::set_session_authorization,
        .changes = Part::settings,
        .for_parsing = as_said
    },
    CommandRow{
        .command = Command::set_session_characteristics,
        .changes = Part::settings,
        .for_parsing = as_said
    },
    CommandRow{.command = Command::reset, .changes = Part::settings, .for_parsing = as_said},
    CommandRow{.command = Command::reset_all, .changes = Part::settings, .for_parsing = as_said},
    CommandRow{.command = Command::commit, .for_parsing = takes_back},
    CommandRow{.command = Command::rollback, .for_parsing = takes_back},
    CommandRow{.command = Command::rollback_to, .for_parsing = takes_back},
    CommandRow{.command = Command::prepare_transaction, .for_parsing = takes_back},
    CommandRow{.command = Command::declare, .changes = Part::held_cursors},
    CommandRow{.command = Command::close, .ends = Part::held_cursors},
    CommandRow{.command = Command::close_all, .ends = Part::held_cursors},
    CommandRow{.command = Command::prepare, .changes = Part::prepared_statements},
    CommandRow{.command = Command::deallocate, .ends = Part::prepared_statements},
    CommandRow{
        .command = Command::deallocate_all,
        .kind = SqlKind::drops_all,
        .ends = Part::prepared_statements,
    },
    CommandRow{.command = Command::listen, .changes = Part::channels},
    CommandRow{.command = Command::unlisten, .ends = Part::channels},
    CommandRow{.command = Command::unlisten_all, .ends = Part::channels},
    CommandRow{
        .command = Command::load,
        .changes = Parts{Part::libraries} | Part::settings,
        .for_parsing = any_change
    },
    CommandRow{.command = Command::do_block, .changes = askable_parts, .for_parsing = any_change},
    CommandRow{.command = Command::call, .changes = askable_parts, .for_parsing = any_change},
    CommandRow{.command = Command::alter_defaults, .changes = Part::catalog},
    CommandRow{.command = Command::ddl, .ends = Part::temp_objects},
    CommandRow{.command = Command::discard_temp, .ends = Part::temp_objects},
    CommandRow{.command = Command::discard_sequences, .ends = Part::sequences},
    CommandRow{.command = Command::discard_plans, .kind = SqlKind::drops_all},
    CommandRow{
        .command = Command::discard_all,
        .kind = SqlKind::drops_all,
        .ends = pinning_parts,
    },
};

CommandRow row_of(Command command)
{
    const auto row = std::ranges::find(command_rows, command, &CommandRow::command);
    return row != command_rows.end() ? *row : CommandRow{.command = command};
}

// Some are harmless in one of their forms, if that is certain.
bool is_harmless(const SqlStatement& statement)
{
    if (statement.is_uncertain) return false;
    return statement.is_local || (statement.command == Command::declare && !statement.is_held);
}

Parts changes_by_traits(const SqlStatement& statement)
{
    const Traits traits = statement.traits;
    Parts parts;
    if (traits.has(Trait::sets_config)) {
        const bool is_local = statement.set_config.is_alone && statement.set_config.is_local;
        if (!is_local) parts |= Part::settings;
    }
    if (traits.has(Trait::changes_functions)) parts |= Part::catalog;
    if (traits.has(Trait::takes_advisory_lock)) parts |= Part::advisory_locks;
    if (traits.has(Trait::loads_library)) parts |= Parts{Part::libraries} | Part::settings;
    if (traits.has(Trait::seeds_random)) parts |= Part::random_seed;
    const bool is_temp = traits.has(Trait::creates_temp) || traits.has(Trait::names_temp_schema);
    if (is_temp) parts |= Part::temp_objects;
    return parts;
}

// A parameter of an extension, or of the application's own: pg_settings does not show the latter.
void note_custom(std::vector<std::string>& customs, const std::optional<std::string>& name)
{
    constexpr std::size_t count_max = 20;
    if (!name || name->find('.') == std::string::npos) return;
    if (customs.size() < count_max) customs.push_back(*name);
}

// What is given to functions as a name.
void note_strings(std::vector<std::string>& strings, std::string_view text, int depth = 0)
{
    constexpr int depth_max = 2;
    const bool may_have = depth <= depth_max && text.find('.') != std::string_view::npos;
    if (!may_have || text.find('\'') == std::string_view::npos) return;
    SqlLexer lexer{text};
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (token.kind != TokenKind::string) continue;
        const auto value = string_value(token.text);
        if (!value || value->find('.') == std::string::npos) continue;
        const bool is_code = value->find('\'') != std::string::npos;
        if (is_code) note_strings(strings, *value, depth + 1); // the body of a DO
        if (!is_code) note_custom(strings, parameter_name(*value));
    }
}

bool may_name_settings(Command command)
{
    constexpr std::array commands{Command::select, Command::with, Command::call, Command::do_block};
    return std::ranges::find(commands, command) != commands.end();
}

bool advances_sequence(const SqlStatement& statement)
{
    constexpr std::array commands{Command::insert, Command::merge, Command::copy, Command::with};
    return statement.traits.has(Trait::advances_sequence)
           || statement.traits.has(Trait::sets_sequence)
           || std::ranges::find(commands, statement.command) != commands.end();
}

bool is_write(Command command)
{
    constexpr std::array commands{
        Command::insert,
        Command::update,
        Command::delete_rows,
        Command::merge,
        Command::copy,
        Command::with,
    };
    return std::ranges::find(commands, command) != commands.end();
}

// CREATE DATABASE copies a template: template1, if none is named.
void note_database(SqlReading& reading, const SqlStatement& statement)
{
    const bool is_create = statement.command == Command::create_database;
    const bool is_other = statement.command == Command::drop_database
                          || statement.command == Command::alter_database;
    if (!is_create && !is_other) return;
    const std::string_view name = is_create ? statement.value : statement.name;
    reading.database = name.empty() ? "template1" : identifier(name).value_or("");
}

void note_defaults(SqlReading& reading, const SqlStatement& statement)
{
    constexpr std::size_t count_max = 20;
    if (statement.command != Command::alter_defaults) return;
    DefaultsScope scope{
        identifier(statement.name).value_or(""), identifier(statement.value).value_or("")
    };
    if (reading.new_defaults.size() == count_max) reading.new_defaults = {DefaultsScope{}};
    reading.new_defaults.push_back(std::move(scope));
}

void note_prepared(std::vector<std::string>& names, std::string_view name)
{
    auto known = identifier(name);
    const bool is_new = known && std::ranges::find(names, *known) == names.end();
    if (is_new) names.push_back(std::move(*known));
}

// COPY (SELECT …) only gives rows away.
bool may_copy_in(const SqlStatement& statement)
{
    if (statement.command != Command::copy) return false;
    SqlLexer lexer{statement.text};
    lexer.next();
    return !lexer.next().is_symbol('(');
}

bool may_matter_to_parse(std::string_view parameter)
{
    const auto name = parameter_name(parameter);
    return !name || (name->find('.') == std::string::npos && matters_to_parse(*name));
}

// SELECT set_config(…). What it is given as a parameter is not looked at.
SettingsChange change_by_call(const SqlStatement& statement)
{
    if (!statement.traits.has(Trait::sets_config) || statement.sets_only_custom) {
        return SettingsChange::none;
    }
    if (!statement.set_config.is_alone) return SettingsChange::unknown;
    const auto name = string_value(statement.set_config.name);
    if (name && !may_matter_to_parse(*name)) return SettingsChange::none;
    return SettingsChange::as_said;
}

SettingsChange settings_change_of(const SqlStatement& statement, SettingsChange by_command)
{
    const bool is_assignment = statement.command == Command::set
                               || statement.command == Command::reset;
    if (by_command != SettingsChange::as_said) return by_command | change_by_call(statement);
    if (statement.is_uncertain) return SettingsChange::unknown;
    const bool matters = !is_assignment || may_matter_to_parse(statement.name);
    return matters ? by_command : SettingsChange::none;
}

void note_uses(SqlReading& reading, const SqlStatement& statement)
{
    const Traits traits = statement.traits;
    if (statement.command == Command::notify || traits.has(Trait::notifies))
        reading.notifies = true;
    if (traits.has(Trait::reads_prepared)) reading.reads_prepared = true;
    if (traits.has(Trait::uses_process_id)) reading.uses_process_id = true;
    if (traits.has(Trait::frees_advisory_lock)) reading.ends |= Part::advisory_locks;
}

void read_statement(SqlReading& reading, const SqlStatement& statement)
{
    const Parts by_traits = changes_by_traits(statement);
    if (statement.command == Command::prepare) {
        reading.prepared |= by_traits;
        note_prepared(reading.prepared_names, statement.name);
    }
    const CommandRow row = row_of(statement.command);
    if (!is_harmless(statement)) reading.changes |= row.changes;
    reading.changes |= by_traits;
    reading.settings_change = reading.settings_change
                              | settings_change_of(statement, row.for_parsing);
    reading.ends |= row.ends;
    note_uses(reading, statement);
    if (!statement.executed.empty()) {
        reading.executes = true;
        note_prepared(reading.prepared_names, statement.executed);
    }
    note_database(reading, statement);
    note_defaults(reading, statement);
    if (is_write(statement.command)) reading.writes = true;
    if (may_copy_in(statement)) reading.may_copy_in = true;
    if (statement.traits.has(Trait::reads_sequence)) {
        reading.reads_sequence = true;
        reading.advances_sequence = false;
    } else if (advances_sequence(statement)) {
        reading.advances_sequence = true;
    }
    if (statement.command == Command::set) {
        if (statement.is_default) reading.sets_default = true;
        note_custom(reading.customs, parameter_name(statement.name));
    }
    if (statement.traits.has(Trait::sets_config)) {
        if (const auto name = string_value(statement.set_config.name)) {
            note_custom(reading.customs, parameter_name(*name));
        }
    }
    const bool has_calls = !reading.calls.empty() || statement.command == Command::do_block;
    if (has_calls && may_name_settings(statement.command)) {
        note_strings(reading.strings, statement.text);
    }
}

} // namespace

SqlReading read_sql(std::string_view text, bool is_cut)
{
    SqlReading reading;
    reading.text = text;
    SqlReader reader{text, {.calls = &reading.calls, .is_cut = is_cut}};
    const SqlStatement* statement = reader.next();
    if (statement == nullptr) return reading;

    reading.kind = row_of(statement->command).kind;
    std::optional<std::string> deallocated;
    if (statement->command == Command::deallocate && !statement->is_uncertain) {
        deallocated = identifier(statement->name);
    }
    bool is_cut_off = false;
    int count = 0;
    for (; statement != nullptr; statement = reader.next()) {
        read_statement(reading, *statement);
        is_cut_off = statement->is_uncertain && is_cut;
        ++count;
    }
    if (is_cut_off) {
        reading.changes |= askable_parts;
        reading.settings_change = SettingsChange::unknown;
    }
    if (deallocated && count == 1) {
        reading.kind = SqlKind::deallocate_one;
        reading.name = std::move(*deallocated);
    }
    return reading;
}

bool is_plain_select(std::string_view text)
{
    return sql::begins_as_select(text) && !sql::has_notable(sql::without_end(text));
}

// Names have few underscores, and there is no faster way to look for one letter.
bool may_read_catalog(std::string_view text)
{
    for (std::size_t at = text.find('_'); at != std::string_view::npos;
         at = text.find('_', at + 1)) {
        if (at >= 2 && sql::same_word(text.substr(at - 2, 2), "pg")) return true;
    }
    return false;
}

std::string deallocate_sql(std::string_view name)
{
    std::string sql = "DEALLOCATE ";
    append_identifier(sql, name);
    return sql;
}

} // namespace pgweir::session
