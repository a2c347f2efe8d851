#include "sql_characters.hpp"
#include "sql_names.hpp"

#include <array>

namespace pgweir::session::sql {

namespace {

struct Row {
    std::string_view name;
    Trait trait;
};

template <std::size_t Size>
Traits find(const std::array<Row, Size>& rows, std::string_view name)
{
    for (const Row& row : rows) {
        if (same_word(name, row.name)) return row.trait;
    }
    return {};
}

constexpr std::array calls{
    Row{"set_config", Trait::sets_config},
    Row{"current_setting", Trait::reads_settings},
    Row{"nextval", Trait::advances_sequence},
    Row{"currval", Trait::reads_sequence},
    Row{"lastval", Trait::reads_sequence},
    Row{"setval", Trait::sets_sequence},
    Row{"setseed", Trait::seeds_random},
};

constexpr std::array mentions{
    Row{"pg_temp", Trait::names_temp_schema},
    Row{"pg_my_temp_schema", Trait::names_temp_schema},
    Row{"pg_settings", Trait::reads_settings},
    Row{"pg_show_all_settings", Trait::reads_settings},
    Row{"pg_prepared_statements", Trait::reads_prepared},
    Row{"pg_prepared_statement", Trait::reads_prepared},
    Row{"pg_cursors", Trait::reads_cursors},
    Row{"pg_cursor", Trait::reads_cursors},
    Row{"pg_listening_channels", Trait::reads_channels},
    Row{"pg_notify", Trait::notifies},
    Row{"pg_advisory_lock", Trait::takes_advisory_lock},
    Row{"pg_advisory_lock_shared", Trait::takes_advisory_lock},
    Row{"pg_try_advisory_lock", Trait::takes_advisory_lock},
    Row{"pg_try_advisory_lock_shared", Trait::takes_advisory_lock},
    Row{"pg_advisory_unlock", Trait::frees_advisory_lock},
    Row{"pg_advisory_unlock_shared", Trait::frees_advisory_lock},
    Row{"pg_advisory_unlock_all", Trait::frees_advisory_lock},
    Row{"pg_terminate_backend", Trait::uses_process_id},
    Row{"pg_cancel_backend", Trait::uses_process_id},
    Row{"pg_backend_pid", Trait::uses_process_id},
};

constexpr std::uint32_t all_endings()
{
    std::uint32_t endings = 0;
    for (const Row& row : calls) endings |= ending_bit(row.name.back());
    return endings;
}

} // namespace

std::uint32_t endings_of_calls()
{
    constexpr std::uint32_t endings = all_endings();
    return endings;
}

Traits traits_of_call(std::string_view name) { return find(calls, name); }

Traits traits_of_mention(std::string_view name)
{
    constexpr std::string_view numbered = "pg_temp_";
    if (name.size() > numbered.size() && same_word(name.substr(0, numbered.size()), numbered)) {
        return Trait::names_temp_schema;
    }
    return find(mentions, name);
}

} // namespace pgweir::session::sql
