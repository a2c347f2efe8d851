// What an SQL text will do, or may do, to the session that runs it, as far as that must be known
// before the server has answered, or cannot be told from its answers.
#pragma once

#include <pgweir/session/parts.hpp>
#include <pgweir/session/unknown_settings.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::session {

/// Statements whose effect must be known before the server has answered.
enum class SqlKind : std::uint8_t {
    other,
    deallocate_one,     // DEALLOCATE [PREPARE] name, alone in its text
    drops_all,          // DEALLOCATE ALL, DISCARD …
    begins_transaction, // BEGIN, START TRANSACTION
};

/// Whose sessions have other defaults from now on. Empty: of any database, of any role.
struct DefaultsScope {
    std::string database;
    std::string role;

    friend bool operator==(const DefaultsScope&, const DefaultsScope&) = default;
};

struct SqlReading {
    std::string_view text;
    SqlKind kind = SqlKind::other; // of the first statement
    std::string name;              // of deallocate_one, folded as PostgreSQL folds identifiers

    Parts changes;                                         // what it may change or add
    SettingsChange settings_change = SettingsChange::none; // SET LOCAL, too
    Parts ends;                                            // what it may take away, from who has it
    bool executes = false;                                 // what was prepared before
    std::vector<std::string> prepared_names;               // that it EXECUTEs or PREPAREs
    Parts prepared; // what the statements that it PREPAREs may change when they are executed
    bool sets_default = false;      // SET … TO DEFAULT: as RESET, but its tag does not say so
    bool writes = false;            // rows: triggers may run
    bool may_copy_in = false;       // rows that its client sends: nothing may come before them
    bool reads_prepared = false;    // pg_prepared_statements
    bool notifies = false;          // NOTIFY, pg_notify()
    bool uses_process_id = false;   // pg_terminate_backend(), pg_backend_pid() and the like
    bool reads_sequence = false;    // currval(), lastval()
    bool advances_sequence = false; // behind that: nextval(), or an INSERT, which may call it
    std::string database; // that it drops, renames or copies: nobody may be connected there
    std::vector<DefaultsScope> new_defaults; // of ALTER DATABASE and ALTER ROLE
    std::vector<std::string_view> calls;     // functions that it may call: names, in the text
    std::vector<std::string> customs;        // parameters "class.name" that it sets, in lower case
    std::vector<std::string> strings;        // … or that its functions may set: what looks like one
};

/// White space in C's locale, as PostgreSQL takes it.
[[nodiscard]] constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Linear in the text, which must outlive the names of calls. `is_cut`: it is only the front of
/// what will be run.
[[nodiscard]] SqlReading read_sql(std::string_view text, bool is_cut = false);

/// A SELECT, alone in its text, that calls nothing: it can change nothing but by INTO, which its
/// answer tells, and reads nothing of its session. For a glance at the most frequent texts; false:
/// read it.
[[nodiscard]] bool is_plain_select(std::string_view text);

/// A name in it may start with pg_, as those of PostgreSQL's own do.
[[nodiscard]] bool may_read_catalog(std::string_view text);

/// The text of a DEALLOCATE for another name.
[[nodiscard]] std::string deallocate_sql(std::string_view name);

} // namespace pgweir::session
