// The traits that a statement can have besides its command.
#pragma once

#include <pgweir/base/flags.hpp>

#include <cstdint>

namespace pgweir::session {

/// What the names in a statement tell, wherever they stand outside of strings and comments. Calls
/// are names before a parenthesis, in any schema: they can be made, they need not be. Names that
/// start with pg_ count without one.
enum class Trait : std::uint32_t {
    sets_config = 1U << 0,         // set_config(), or UPDATE pg_settings
    takes_advisory_lock = 1U << 1, // one of the session: not the _xact_ ones
    frees_advisory_lock = 1U << 2,
    reads_sequence = 1U << 3, // currval(), lastval()
    advances_sequence = 1U << 4,
    sets_sequence = 1U << 5,
    seeds_random = 1U << 6,
    notifies = 1U << 7,          // pg_notify()
    creates_temp = 1U << 8,      // CREATE TEMP …, INTO TEMP …
    names_temp_schema = 1U << 9, // pg_temp: SELECT … INTO may make something there
    reads_settings = 1U << 10,   // pg_settings, current_setting()
    reads_prepared = 1U << 11,   // pg_prepared_statements
    reads_cursors = 1U << 12,
    reads_channels = 1U << 13,
    changes_functions = 1U << 14, // CREATE, ALTER or DROP of functions, triggers, extensions
    needs_primary = 1U << 15,     // modes of a transaction that a standby refuses
    uses_process_id = 1U << 16,   // pg_terminate_backend(), pg_cancel_backend(), pg_backend_pid()
    loads_library = 1U << 17,     // CREATE FUNCTION … LANGUAGE c
};

using Traits = Flags<Trait>;

/// A set of last letters of names, whatever their case, has this bit for one of them.
constexpr std::uint32_t ending_bit(char last)
{
    return std::uint32_t{1} << (static_cast<unsigned char>(last) & 0x1FU);
}

} // namespace pgweir::session
