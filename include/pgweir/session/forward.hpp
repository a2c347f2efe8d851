// Passes messages between a client and the server that is lent to it, looking only where it must:
// names of prepared statements are translated, answers of our own are put in their place.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/session/gather.hpp>
#include <pgweir/session/knowledge.hpp>
#include <pgweir/session/signal.hpp>
#include <pgweir/session/state.hpp>
#include <pgweir/wire/frame.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::session {

struct SqlReading;

struct ForwardOptions {
    std::size_t hold_max = 16U << 20U; // of a message that must be seen whole: Parse
    std::uint32_t max_prepared_statements = 200;
    bool prepare_unnamed = true;
    bool refuses_blocks = false; // statement mode
    bool refuses_pins = false;   // pin = "error"
    bool tells_own_id = false;   // pg_backend_pid() is what the client was told at login
    bool begins_lazily = false;  // BEGIN waits for the first message that needs a server
};

/// Counts of one call, for the driver to add up.
struct ForwardCounts {
    std::uint32_t queries = 0;
    std::uint32_t empty_transactions = 0; // begun and ended without a server
    std::uint32_t client_parses = 0;
    std::uint32_t server_parses = 0;
    std::uint32_t binds = 0;
    std::uint32_t ready = 0; // ReadyForQuery that answered a message of the client's
};

/// Why forwarding stopped before, or at, the end of the input.
enum class Stop : std::uint8_t {
    need_input,   // everything is used, but for the front of a message: keep it, read on
    need_server,  // the next message needs a server, and none is lent
    need_replies, // the next message depends on an answer that has not come yet
    say_again,    // Rerun::said from Rerun::from on must be shown to the ClientForwarder once more
    need_news,    // what the listener knows must come before ReadyForQuery
    need_signal,  // ServerState::signal must be given before the row that says so is passed on
    terminate,    // the client says good-bye
    violation,    // it broke the protocol, or a limit: `error` says how
};

struct Step {
    Stop stop = Stop::need_input;
    std::size_t consumed = 0; // of the input; the rest must be shown again
    std::size_t wanted = 0;   // with need_input: how many bytes the next message has in all
    ForwardCounts counts;
    std::unique_ptr<wire::ErrorText> error; // of a violation
};

/// What a forwarder shares with others of its worker.
struct Context {
    const ForwardOptions& options;
    StatementTable& table;
    Knowledge& knowledge;
    const Clientele* clientele = nullptr; // null: there are no others
};

/// Where the bytes go. Runs in it point into the input.
struct Outputs {
    Gather& to_server;
    Gather& to_client;
};

/// Client to server. `server` is null while none is lent.
class ClientForwarder {
public:
    ClientForwarder(Context context, ClientState& client, Outputs outputs)
        : options_{context.options},
          table_{context.table},
          knowledge_{context.knowledge},
          clientele_{context.clientele},
          client_{client},
          outputs_{outputs}
    {
    }

    /// `is_plain_select`: the message at the front is a whole Query, and known to be one.
    [[nodiscard]] Step forward(Bytes input, ServerState* server, bool is_plain_select = false);

private:
    enum class Done : std::uint8_t { yes, more, wait }; // more: whole message; wait: need_replies

    void forward_messages(Step& step, Bytes input);
    void note_first(Bytes said);
    void note_parse(std::string_view client_name);
    void note_use(std::string_view client_name, bool is_shape_new);
    bool begin_block(Step& step, Bytes input);
    bool begin_message(Step& step, Bytes rest);
    Done message(wire::FrameHeader header, Bytes available, Step& step);
    Done message_without_server(wire::FrameHeader header, Bytes available, Step& step);
    Done query(wire::FrameHeader header, Bytes available, Step& step);
    Done plain_select(wire::FrameHeader header, Bytes available);
    Done read_query(wire::FrameHeader header, Bytes available, std::string_view text);
    std::optional<Done> answer_block_edge(wire::FrameHeader header, Bytes available, Step& step);
    Done bind(wire::FrameHeader header, Bytes available, Step& step);
    Done describe(wire::FrameHeader header, Bytes available, Step& step);
    Done close(wire::FrameHeader header, Bytes available, Step& step);
    Done close_unnamed(wire::FrameHeader header, Bytes available);
    Done refuse_block(wire::FrameHeader header, Bytes available);
    Done refuse_query(wire::FrameHeader header, Bytes available, Parts refused);
    void expect_query(
        bool drops_statements, Parts refused = {}, const std::optional<Signal>& signal = {}
    );
    void sync();
    void copy_ended();
    void flush(wire::FrameHeader header, Bytes available);

    // In forward_sql_names.cpp.
    Done query_deallocate(
        wire::FrameHeader header, const Statement& statement, std::string_view name
    );
    Done parse_deallocate(wire::FrameHeader header, const std::string& name);
    void append_empty_statement(const Statement& statement);
    void append_hidden_sync();
    void lend_names(const SqlReading& reading, bool is_query);
    void lend_name(std::string_view name, const Statement& statement, bool is_tolerated);
    [[nodiscard]] bool is_lent(std::string_view name) const;
    void take_names_back();
    void try_name(std::string_view name);
    Done close_sql_name(wire::FrameHeader header, Bytes available, std::string_view name);
    [[nodiscard]] bool is_sql_name(std::string_view name) const;
    [[nodiscard]] std::string_view sql_text(std::string_view name) const;

    // In forward_prepared.cpp.
    Done parse(wire::FrameHeader header, Bytes available, Step& step);
    bool parse_without_server(wire::FrameHeader header, Bytes available, Step& step);
    Done parse_named(
        const wire::ParseBody& body, const StatementRef& statement, bool is_taken, Step& step
    );
    [[nodiscard]] bool may_keep_unnamed(const SqlReading& reading) const;
    Done parse_in_part(wire::FrameHeader header, Bytes available, Step& step);
    Done parse_again(const wire::ParseBody& body, Step& step);
    Done refuse_parse(const wire::ParseBody& body, Parts refused);
    Done parse_statement(const wire::ParseBody& body, const StatementRef& statement, Step& step);
    void parse_unnamed(const StatementRef& statement, Bytes frame, Step& step);
    bool raise_doubts_of(std::string_view client_name);
    bool raise_doubts_of(const Statement& statement);
    void expect_use(Reply reply, std::string_view client_name);
    void note_unsettling(const SqlReading& reading);
    void own_unnamed(const StatementRef& statement);

    /// What a name of the client's is called on this server; made to exist there.
    struct Target {
        bool is_renamed = false;
        std::string_view name{}; // lives as long as the Statement
        bool must_wait = false;
        const Statement* statement = nullptr;  // one of ours, of this name, which is …
        PreparedCache::Entry* entry = nullptr; // … this one there …
        const NamedStatement* named = nullptr; // … and this one to the client; null: the unnamed
    };
    [[nodiscard]] Target resolve(std::string_view client_name, Step& step);
    [[nodiscard]] Target resolve_unnamed(Step& step);
    [[nodiscard]] bool has_unnamed_here() const;
    [[nodiscard]] Target prepare(
        const StatementRef& statement, std::string_view client_name, Step& step
    );
    void evict(std::size_t keep, const StatementId* used = nullptr);
    void close_suspect(const StatementId& id);
    void close_on_server(const StatementId& id);

    [[nodiscard]] bool is_stale(const PreparedCache::Entry& entry) const;
    [[nodiscard]] StatementRef find(std::string_view client_name) const;
    Effect rename(std::string_view client_name, const StatementRef& statement);
    [[nodiscard]] bool is_skipped() const { return server_->replies.is_skipping(); }
    [[nodiscard]] bool must_wait_for(const PreparedCache::Entry& entry, std::string_view name)
        const;
    [[nodiscard]] bool must_wait_for_drop() const;
    [[nodiscard]] const NamedStatement* find_named(std::string_view client_name) const;
    PreparedCache::Entry& parse_on_server(const Statement& statement, Step& step);

    // In forward_parsing.cpp.
    [[nodiscard]] std::uint64_t parse_hash_now() const;
    [[nodiscard]] StatementRef intern(const wire::ParseBody& body);

    // In forward_shape.cpp.
    struct Peek {
        std::optional<Done> not_yet{};
        bool describes = false;
    };
    [[nodiscard]] std::optional<Done> look_at_shape(
        wire::FrameHeader header,
        Bytes available,
        const wire::BindHead& head,
        const Target& target,
        Step& step
    );
    [[nodiscard]] static Peek describes_next(
        wire::FrameHeader header, Bytes available, const wire::BindHead& head, Step& step
    );
    void note_bound(const wire::BindHead& head, const Target& target);
    void check_shape(const Target& target, Step& step);
    Done refuse_bind(wire::FrameHeader header, Bytes available);
    void expect_shape(const wire::TargetBody& body, const Target& target);
    Done describe_bound(wire::FrameHeader header, Bytes available);

    // In forward_own_names.cpp.
    struct NamedInOrder {
        std::uint64_t number;
        std::string_view name;
        const Statement* statement;
    };
    [[nodiscard]] bool shows_names(const SqlReading& reading) const;
    [[nodiscard]] bool needs_own_names(const SqlReading& reading) const;
    [[nodiscard]] bool lend_all_names();
    [[nodiscard]] std::vector<NamedInOrder> statements_to_lend(bool is_begun) const;
    void lend_one_by_one(const std::vector<NamedInOrder>& all);
    [[nodiscard]] bool is_sound(const Statement& statement) const;
    void close_all_of_ours();
    Done parse_by_own_name(
        const wire::ParseBody& body, const StatementRef& statement, Bytes frame, Step& step
    );
    [[nodiscard]] Target prepare_by_own_name(
        const StatementRef& statement, std::string_view client_name, Step& step
    );

    // In forward_signal.cpp.
    struct SignalPlan {
        std::string sql;
        std::optional<Signal> signal; // nothing: the server does it, to itself
    };
    struct BoundSignal {
        Target target;
        std::optional<Signal> signal;
    };
    [[nodiscard]] bool may_tell_own_id() const;
    [[nodiscard]] std::optional<SignalPlan> plan_signal(std::string_view sql, Bytes values) const;
    bool query_signal(wire::FrameHeader header, std::string_view text);
    [[nodiscard]] bool may_signal(std::string_view client_name) const;
    [[nodiscard]] std::optional<BoundSignal> bind_signal(
        const wire::BindHead& head, Bytes body, Step& step
    );
    void note_portal(std::string_view portal, const std::optional<Signal>& signal);
    Done execute(wire::FrameHeader header, Bytes available, Step& step);

    std::optional<Done> need_whole(wire::FrameHeader header, Bytes available, Step& step);
    void pass(wire::FrameHeader header, Bytes available);
    void pass_rest(wire::FrameHeader header, Bytes available, std::size_t from);
    void pass_expecting(wire::FrameHeader header, Bytes available, Reply reply);
    static void violation(
        Step& step, std::string sqlstate, std::string message, std::string hint = {}
    );

    const ForwardOptions& options_;
    StatementTable& table_;
    Knowledge& knowledge_;
    const Clientele* clientele_;
    ClientState& client_;
    Outputs outputs_;
    ServerState* server_ = nullptr;
    std::size_t at_ = 0;           // in the input, where the message at hand begins
    std::size_t used_ = 0;         // of `available`, by the message at hand
    bool is_first_ = false;        // the server was idle before this input
    bool is_plain_select_ = false; // the first message of it
};

/// Server to client. With `client` null the answers are swallowed: nobody waits for them any more.
class ServerForwarder {
public:
    ServerForwarder(ServerState& server, ClientState* client, Gather& to_client)
        : server_{server}, client_{client}, to_client_{to_client}
    {
    }

    /// Never stops with need_server, need_replies or terminate; violation: close the server;
    /// say_again: nothing has happened, neither for the client nor in the database. After need_news
    /// it must be shown the rest again, with own_notifications cleared; likewise after need_signal.
    [[nodiscard]] Step forward(Bytes input);

private:
    [[nodiscard]] std::size_t looked_at_size(wire::FrameHeader header) const;
    [[nodiscard]] std::size_t rows_size(Bytes rest) const;
    bool whole_answer(Bytes input, Step& step);
    void forward_messages(Bytes input, Step& step);
    bool message(wire::FrameHeader header, Bytes available, Step& step);
    bool row(wire::FrameHeader header, Bytes available, Step& step);
    [[nodiscard]] bool is_permission(wire::FrameHeader header, Bytes available) const;
    bool is_missed_signal(wire::FrameHeader header, Bytes available);
    void tell_signalled(wire::FrameHeader header, Bytes available);
    bool answered(Reply reply, wire::FrameHeader header, Bytes available, Step& step);
    bool answered_or_passed(Reply reply, wire::FrameHeader header, Bytes available, Step& step);
    bool ready(wire::FrameHeader header, Bytes available, Step& step);
    void take_effect(wire::FrameHeader header, Bytes available);
    bool needs_news(char status);
    void became_ready(char status, bool was_hidden_query);
    void error(wire::FrameHeader header, Bytes available);
    [[nodiscard]] bool is_work_of_ours() const;
    [[nodiscard]] bool can_say_again(const wire::ErrorFields& fields) const;
    [[nodiscard]] bool wants_new_process(const wire::ErrorFields& fields);
    void keep_process();
    /// By the first letter of a command's tag, before more of it is compared.
    [[nodiscard]] static constexpr bool may_change_session(char first)
    {
        return first == 'A' || first == 'C' || first == 'D' || first == 'L' || first == 'P'
               || first == 'R';
    }
    void ours_failed(const wire::ErrorFields& fields);
    void fail(const wire::ErrorFields& fields);
    void pass_error(wire::FrameHeader header, Bytes available, const wire::ErrorFields& fields);
    void shape_told(const Effect& effect, wire::FrameHeader header, Bytes available);
    void settings_answered();
    void command_complete(Bytes body);
    void schema_changed();
    void deallocated();
    void sql_name_closed(std::string_view name);
    void discarded_all();
    void statements_dropped();
    void notification(wire::FrameHeader header, Bytes available);
    void tell(wire::FrameHeader header, const wire::NotificationBody& told, std::uint32_t sender);
    [[nodiscard]] bool is_own(const wire::NotificationBody& told) const;
    [[nodiscard]] bool is_for_client(const wire::NotificationBody& told);
    void parameter(wire::FrameHeader header, Bytes available);
    [[nodiscard]] bool is_from_outside(const wire::ParameterBody& told) const;
    void tell_startup_value(
        wire::FrameHeader header,
        Bytes available,
        const wire::ParameterBody& told,
        const std::string& asked
    );
    void forget_misnamed(const wire::ErrorFields& fields);
    void undo(Effect& effect);
    void pass(wire::FrameHeader header, Bytes available, bool is_hidden);
    static bool violation(Step& step, std::string message);
    [[nodiscard]] std::string with_client_name(std::string_view message) const;
    [[nodiscard]] bool is_answer_to_us() const
    {
        return !server_.replies.empty() && server_.replies.front().is_hidden;
    }
    [[nodiscard]] bool is_hidden() const { return client_ == nullptr || is_answer_to_us(); }
    [[nodiscard]] bool is_answer_row() const { return server_.answer && is_answer_to_us(); }
    /// The answers to our own SETs tell nothing new; those to whatever else we send do.
    [[nodiscard]] bool is_reconciling() const
    {
        return server_.settings_before && is_answer_to_us();
    }

    ServerState& server_;
    ClientState* client_;
    Gather& to_client_;
    std::size_t used_ = 0; // of `available`, by the message at hand
};

/// Gives one of the client's names another meaning; null: none. `told`: of its rows.
void set_statement(
    ClientState& client,
    std::string_view name,
    const StatementRef& statement,
    Shape told = shape_untold
);

/// Answers messages of a client that gets no server: an error for each Query, one for everything
/// up to a Sync. Stops (need_server) as soon as one whole request is refused. A transaction that
/// the client has begun has failed with it.
[[nodiscard]] Step refuse(
    ClientState& client, Bytes input, const wire::ErrorText& error, Gather& to_client
);

/// The server has what the client wants, as the very same values: nearly always.
[[nodiscard]] inline bool fits(const ServerState& server, const ClientState& client)
{
    return server.settings == client.wanted && server.channels == client.channels
           && server.sql_prepared == client.sql_prepared;
}

/// Puts what makes the server fit the client, SETs, LISTENs and PREPAREs, in front of what follows.
/// True: something was written, and its answer will be hidden. Equal settings become one value that
/// both share, so that they are found equal at a glance the next time.
bool reconcile_server(ServerState& server, ClientState& client, Gather& to_server);

/// A query of our own. `is_tolerated`: it may fail.
void append_hidden_query(
    ServerState& server, std::string_view sql, bool is_tolerated, Gather& to_server
);

[[nodiscard]] std::uint64_t hash_with(std::uint64_t hash, const SqlPrepared& prepared);
[[nodiscard]] std::uint64_t hash_with(std::uint64_t hash, const Channels& channels);

/// Sessions whose hashes are equal need no reconciliation.
[[nodiscard]] inline std::uint64_t state_hash(
    const Settings& settings, const SqlPreparedRef& prepared, const ChannelsRef& channels = nullptr
)
{
    const std::uint64_t hash = prepared ? hash_with(settings.hash(), *prepared) : settings.hash();
    return channels ? hash_with(hash, *channels) : hash;
}

} // namespace pgweir::session
