// What is known of the two ends of a conversation: the client's, which lasts, and the server's,
// which is lent. The functions of forward change both.
#pragma once

#include <pgweir/base/flags.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/session/block_edge.hpp>
#include <pgweir/session/channels.hpp>
#include <pgweir/session/knowledge.hpp>
#include <pgweir/session/listening.hpp>
#include <pgweir/session/parts.hpp>
#include <pgweir/session/prepared_cache.hpp>
#include <pgweir/session/reply_queue.hpp>
#include <pgweir/session/rerun.hpp>
#include <pgweir/session/senders.hpp>
#include <pgweir/session/settings.hpp>
#include <pgweir/session/shape.hpp>
#include <pgweir/session/signal.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/session/statement.hpp>
#include <pgweir/session/unknown_settings.hpp>
#include <pgweir/wire/messages.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgweir::session {

using Sqlstate = std::array<char, 5>;

/// What is to be done with a server before it may serve another client.
enum class Chore : std::uint8_t {
    reset = 1U << 0,     // it may have what no other client may meet
    look_again = 1U << 1 // its host may have another role now: promoted, or read-only
};

/// A message whose header has gone out, but not yet all of its body.
struct Stream {
    std::size_t remaining = 0;
    bool is_dropped = false; // swallowed instead of passed on
};

/// Lets a map of strings be asked with a string_view.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept
    {
        return std::hash<std::string_view>{}(text);
    }
};
/// SQL's PREPARE: `(name, text of the PREPARE)`, sorted. Values that never change, as Settings.
using SqlPrepared = std::vector<std::pair<std::string, std::string>>;
using SqlPreparedRef = std::shared_ptr<const SqlPrepared>; // null: none

/// What a client has named by the protocol.
struct NamedStatement {
    StatementRef statement;
    std::uint64_t number = 0;  // of all that it has named: tells their order
    Shape told = shape_untold; // of its rows, to the client
};
class NamedStatements
    : private std::unordered_map<std::string, NamedStatement, TextHash, std::equal_to<>> {
public:
    NamedStatements() = default;
    NamedStatements(const NamedStatements&) = delete;
    NamedStatements& operator=(const NamedStatements&) = delete;
    ~NamedStatements() = default;

    using unordered_map::at;
    using unordered_map::begin;
    using unordered_map::contains;
    using unordered_map::count;
    using unordered_map::end;
    using unordered_map::find;
    using unordered_map::insert_or_assign;
    using unordered_map::iterator;
    using unordered_map::size;
    using unordered_map::operator[];

    /// Null: there is none.
    [[nodiscard]] const NamedStatement* look_up(std::string_view name)
    {
        if (last_ == nullptr || last_->first != name) {
            const auto found = find(name);
            if (found == end()) return nullptr;
            last_ = &*found;
        }
        return &last_->second;
    }
    void remove(iterator gone)
    {
        last_ = nullptr;
        erase(gone);
    }
    template <class IsGone>
    void remove_if(IsGone is_gone)
    {
        last_ = nullptr;
        std::erase_if(static_cast<unordered_map&>(*this), is_gone);
    }

private:
    const value_type* last_ = nullptr; // that was looked up: most are looked up again
};

/// Small on purpose: ten thousand idle clients each have one.
struct ClientState {
    ClientId id{};
    Stream stream;
    SettingsRef startup = no_settings(); // what its startup packet asked for
    SettingsRef wanted = no_settings();  // what it believes its session has

    std::unique_ptr<NamedStatements> statements; // made with the first named Parse
    std::uint64_t named_count = 0;               // as long as it lives
    StatementRef unnamed;                        // null: none, or not one of ours
    std::uint64_t unnamed_lives_on = 0; // server serial that has it as its own unnamed one; 0: none

    SqlPreparedRef sql_prepared;
    ChannelsRef channels;
    std::unique_ptr<Listening> listening; // null: no listener works for it

    Parts pins;                     // what its session has, and only its server: it keeps that one
    Parts prepared_changes;         // what its statements of SQL's PREPARE may change
    bool has_prepared_view = false; // one of them reads pg_prepared_statements
    std::unique_ptr<LazyBlock> block; // null: it is in no transaction, or in one on its server

    bool is_counted = false;         // it has looked at sessions, and a process was begun for it
    bool may_have_libraries = false; // by functions that it has called, if not by LOAD
    bool is_on_trial = false; // its SET goes to a new process: it keeps that one if it is taken
    bool is_skipping = false; // we refused its message: drop everything up to its next Sync
    std::uint8_t reruns = 0;  // of what it has said, since it was answered last

    /// For ReadyForQuery, while it has no server.
    [[nodiscard]] char status() const
    {
        if (!block) return 'I';
        return block->has_failed ? 'E' : 'T';
    }
};

/// A DEALLOCATE of a client's, translated.
struct Deallocation {
    std::string client_name;
    StatementId id;
};

/// The last portal that was bound to a statement whose client may be told the shape of its rows.
struct BoundPortal {
    ClientId client{}; // 0: there is none
    std::string portal;
    std::string statement; // as its client calls it
    std::uint64_t number = 0;
    StatementId id{}; // on the server
};

/// Names of its client's that a server has for the segment at hand.
struct LentNames {
    std::vector<std::string> names;
    bool are_all = false; // and none of ours: pg_prepared_statements is read
};

/// What a server has told about the state of its session, as it comes.
struct Answer {
    Parts asked;
    Parts found;                          // of the pinning ones
    std::vector<Settings::Entry> entries; // of the settings
    SqlPrepared prepared;
    std::vector<std::string> channels;
    std::shared_ptr<Catalog> catalog; // null: not asked
};

struct ServerState {
    std::uint64_t serial = 0; // never used again for another connection
    std::uint32_t process_id = 0;
    SenderEntry sender;
    Stream stream;
    ReplyQueue replies;
    char status = 'I'; // of the last ReadyForQuery: Idle, in a Transaction, or a failed one (E)

    bool is_fresh = true; // idle, and no client has said anything to it since
    Rerun rerun;
    bool is_unsynced = false;   // extended messages were sent, and no Sync behind them
    bool is_copying_in = false; // it waits for CopyData, and CopyDone has not been sent
    // In a segment that is not closed yet there is …
    bool drops_after_sync = false;       // … a DEALLOCATE or DISCARD
    bool is_dropping = false;            // … one of them that drops all, and is bound
    bool is_unsettled = false;           // … what may make unusable what is prepared: that, or DDL
    std::uint64_t named_before_drop = 0; // how many statements its client had named by then
    std::uint64_t segment = 1;           // counts Sync and Query, to tell when a Parse was sent

    PreparedCache prepared;
    BoundPortal bound;
    ClientId unnamed_owner{};               // whose unnamed statement it holds; 0: nobody's
    std::vector<Deallocation> deallocating; // on their way, in order

    SettingsRef settings = no_settings(); // what its session really has
    SettingsRef settings_before;          // while a reconciliation is on its way; null: none is
    SettingsRef settings_then;            // before DISCARD ALL or RESET; null: not there
    bool is_discarding = false;           // DISCARD ALL is done, its ReadyForQuery has not come
    bool is_resetting = false;            // likewise RESET
    bool sets_default = false;            // a SET … TO DEFAULT may be on its way
    std::shared_ptr<const Settings> defaults = no_settings(); // reported at login

    Parts doubts; // what may have changed, without our knowing how: to be asked before it is shared
    Parts changes;                         // of these: not a guess, while the catalog is not known
    bool has_changes_from_before = false;  // of a transaction that is over, with more behind it
    bool has_told_settings = false;        // of the one at hand, which may be rolled back
    bool may_end_itself = false;           // it calls pg_terminate_backend()
    const Clientele* signals_to = nullptr; // who may be meant by numbers that are no process's
    bool has_signalled = false;       // one of them was: the row that comes says that it failed
    UnknownSettings unknown_settings; // since `settings`
    std::string doubtful;             // the front of the statement that may pin its client
    std::unique_ptr<Answer> answer;   // while a question of ours is on its way
    ClientId sequences_owner{};       // who has called nextval() here last; 0: nobody
    ClientId temp_schema_owner{};     // who may have made a temporary schema last; 0: nobody
    std::vector<std::string> named;   // custom parameters that were set since the last question
    SqlPreparedRef sql_prepared;
    ChannelsRef channels;        // that it listens to, or will when …
    std::size_t relisten_in = 0; // … so many hidden queries are answered
    LentNames lent;
    bool has_described = false; // the statement that it is at has told the shape of its rows

    std::vector<std::pair<std::string, Signal>> signal_portals; // that will bring a permission

    std::optional<wire::ErrorText> cancel_reason; // we cancelled: why, in words for the client
    std::optional<wire::ErrorText> abort_reason;  // likewise for a transaction that we aborted
    std::optional<wire::ErrorText> hidden_error;  // a message of ours has failed
    std::optional<wire::ErrorText> last_words;    // a FATAL error that it has sent
    // To be looked at and cleared by the driver.
    std::unique_ptr<std::vector<Notification>> heard; // of a listener; null: it is none
    // Of the transaction to its own client: the listener's must come before ReadyForQuery.
    std::uint32_t own_notifications = 0;
    std::optional<Signal> signal; // of need_signal
    std::vector<Sqlstate> errors;
    std::vector<StatementId> parsed; // ParseComplete has come for them
    Flags<Chore> chores;
    bool has_changed_schema = false; // CREATE, ALTER or DROP: what was parsed may not be any more
    std::vector<DefaultsScope> new_defaults; // with that

    /// Nothing is owed in either direction, and no transaction is open: it may serve somebody else.
    [[nodiscard]] bool is_idle() const { return status == 'I' && is_quiet(); }

    /// All that was asked is answered, though a transaction may be open.
    [[nodiscard, gnu::always_inline]] bool is_quiet() const
    {
        return replies.empty() && !is_unsynced && !is_copying_in && stream.remaining == 0;
    }
};

} // namespace pgweir::session
