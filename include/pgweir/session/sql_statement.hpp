// What the statements of an SQL text may do to the state of a session. Not a parser: it reads the
// few statements that matter here to their end, and looks through the others for names that matter.
#pragma once

#include <pgweir/session/sql_traits.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace pgweir::session {

/// What a statement is. Comments say which members of SqlStatement are filled in.
enum class Command : std::uint8_t {
    other,
    // queries
    select, // also VALUES, TABLE, and a query in parentheses
    insert,
    update,
    delete_rows,
    merge,
    copy,
    with, // any of the above but COPY
    // settings: `name` of the parameter, `value`
    set,
    set_role,                    // `value`
    set_session_authorization,   // `value`
    set_session_characteristics, // `value`: the modes
    set_transaction,             // `value`: the modes, or the snapshot
    set_constraints,
    reset,
    reset_all,
    show, // no name: ALL
    // transactions
    begin, // also START TRANSACTION; `value`: the modes
    commit,
    rollback,
    savepoint,         // `name`
    release_savepoint, // `name`
    rollback_to,       // `name`
    prepare_transaction,
    commit_prepared,
    rollback_prepared,
    // prepared statements
    prepare,    // `name`
    execute,    // `executed`
    deallocate, // `name`
    deallocate_all,
    explain, // `executed`
    // notifications: `name` of the channel
    listen,
    unlisten,
    unlisten_all,
    notify, // `value`: the payload, as a string token
    // cursors: `name`
    declare,
    close,
    close_all,
    fetch, // also MOVE
    // the rest
    discard_all,
    discard_plans,
    discard_sequences,
    discard_temp,
    load,            // `value`: the file, as a string token
    create_database, // `name`; `value`: of its template
    alter_database,  // `name`: when it is renamed or moved
    drop_database,   // `name`
    alter_defaults,  // ALTER DATABASE or ROLE … SET, RESET: `name` of the database, `value`: of the
                     // role; empty: any
    ddl,             // every other CREATE, ALTER and DROP; `executed` of CREATE TABLE … AS EXECUTE
    do_block,
    call, // `name` of the procedure, without its schema
};

/// One statement. Views are of the text that was read (or of constants): identifiers, strings and
/// values as they are written there, see sql_lexer.hpp for what they mean.
struct SqlStatement {
    std::string_view text; // from its first to its last token; comments may follow that
    Command command = Command::other;
    Traits traits;

    /// More may happen than is told here: the text was cut, or not understood to its end. When it
    /// is whole, a command that names members above and is not uncertain does just what they say,
    /// if the server takes it at all.
    bool is_uncertain = false;
    bool is_local = false;   // SET LOCAL
    bool is_default = false; // SET … TO DEFAULT, and what means the same
    bool is_chained = false; // AND CHAIN: the next transaction has begun
    bool is_held = false;    // DECLARE … WITH HOLD

    std::string_view name;
    std::string_view value;
    std::string_view executed; // the prepared statement that it runs

    /// Of Trait::sets_config, when its arguments are literals.
    struct SetConfig {
        std::string_view name;  // string token; empty: not literals, or more than one call
        std::string_view value; // string token
        bool is_local = false;
        bool is_alone = false; // the statement does nothing else: SELECT set_config(…)
    };
    SetConfig set_config;
    bool sets_only_custom = false; // each of its calls names a parameter "class.name"
};

struct SqlOptions {
    std::vector<std::string_view>* calls = nullptr; // gets the name of whatever may be called
    bool is_cut = false;             // the text is only the front of what will be run
    bool escapes_in_strings = false; // standard_conforming_strings is off
};

/// Goes through the statements of a text, in linear time. Allocates at most to check a value of
/// SET, and for `calls`.
class SqlReader {
public:
    /// The text, and what the options point to, must outlive the reader.
    explicit SqlReader(std::string_view text, SqlOptions options = {});

    /// Null: that was all. Empty statements are passed over. The statement is overwritten by the
    /// next call. The last one of a cut text is uncertain; it may be empty.
    const SqlStatement* next();

private:
    void read(const char* start);
    const char* scan(const char* start, const char* rest, bool is_create);

    const char* at_;
    const char* end_;
    SqlOptions options_;
    SqlStatement statement_;
};

} // namespace pgweir::session
