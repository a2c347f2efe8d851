// The replies that a server still owes, in order: tells when it is idle, which replies are ours
// and not the client's, and where a reply that we give ourselves belongs.
#pragma once

#include <pgweir/session/parts.hpp>
#include <pgweir/session/shape.hpp>
#include <pgweir/session/signal.hpp>
#include <pgweir/session/statement.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir::session {

/// Named after the client's message that is answered.
enum class Reply : std::uint8_t {
    query,         // anything, then ReadyForQuery
    function_call, // likewise
    sync,          // ReadyForQuery
    parse,         // ParseComplete
    bind,          // BindComplete
    describe,      // RowDescription or NoData
    execute,       // CommandComplete, EmptyQueryResponse or PortalSuspended
    close,         // CloseComplete
    copy_end,      // nothing: marks where CopyDone or CopyFail was sent
};

struct Expected {
    Reply reply;
    bool is_hidden = false;        // the message was ours: the client must not see the answer
    bool is_tolerated = false;     // ours, and it may fail: it will be asked what that has left
    bool begins_block = false;     // ours: of a BEGIN that the client believes has succeeded
    bool is_local = false;         // the server was not asked: we answer when its turn comes
    bool has_effect = false;       // an Effect stands in the second queue
    bool drops_statements = false; // DEALLOCATE or DISCARD was sent, and ends with this answer
    Parts refused{};               // why it was replaced by what PostgreSQL does not understand

    bool operator==(const Expected&) const = default;
};

/// What a Parse or Close has changed before the server has agreed; undone if it does not. Of a
/// message that only uses a statement: what the client calls it.
struct Effect {
    std::string client_name;
    StatementRef before{};       // what the client's name meant; null: nothing
    bool changes_client = false; // the client's name has got a new meaning
    StatementId id{};            // of the statement that the server is told to prepare or close
    bool adds_to_server = false;
    bool removes_from_server = false;
    std::optional<Signal> signal{};   // to be given when the answer is a row that says so
    Shape told_before = shape_untold; // with `before`
    std::uint64_t number = 0;         // of the statement that is described, as its client named it
    bool tells_shape = false;         // the answer describes the statement: to its client …
    bool is_shape_check = false;      // … or to us alone
    bool closes_sql_name = false;     // `client_name` is one of SQL's PREPARE
    bool refuses_shape = false;       // what was sent fails, because it has another one by now
};

/// In the extended protocol an error makes the server skip everything up to the next Sync: the
/// answers to what it skips never come (PostgreSQL, "Extended Query": error recovery).
class ReplyQueue {
public:
    [[nodiscard]] bool empty() const { return expected_.empty(); }
    [[nodiscard]] std::size_t size() const { return expected_.size(); }
    [[nodiscard]] const Expected& front() const { return expected_.front(); }
    [[nodiscard]] bool front_is(Reply reply) const
    {
        return !expected_.empty() && expected_.front().reply == reply;
    }

    /// The server will not answer what is at the front: it is for us to do, or a mark.
    [[nodiscard]] bool front_is_local() const
    {
        return !empty() && (front().is_local || front().reply == Reply::copy_end);
    }

    /// What was sent last is answered only once a Sync is sent behind it.
    [[nodiscard]] bool needs_sync() const;

    /// The effect that the front will have. Empty: none.
    [[nodiscard]] const Effect* front_effect() const
    {
        return !empty() && front().has_effect ? &effects_.front() : nullptr;
    }

    [[nodiscard]] bool front_signals() const
    {
        const Effect* const effect = front_effect();
        return effect != nullptr && effect->signal;
    }
    [[nodiscard]] std::optional<Signal> take_signal()
    {
        return std::exchange(effects_.front().signal, std::nullopt);
    }

    /// A DEALLOCATE or DISCARD is on its way: what is prepared is known when it is answered.
    [[nodiscard]] bool awaits_drop() const { return drops_count_ > 0; }

    /// An earlier segment is not answered yet: it may open a transaction, or make one fail.
    [[nodiscard]] bool awaits_earlier_segment() const { return ends_count_ > 0; }

    /// What this name of the client's means will be known when an earlier segment is answered.
    [[nodiscard]] bool is_undecided(std::string_view client_name) const;

    /// All that is awaited is one segment of the client's, closed by its Sync.
    [[nodiscard]] bool is_one_segment() const
    {
        return ends_count_ == 1 && !empty() && expected_.back().reply == Reply::sync;
    }

    /// All that is awaited is the answer to a query of the client's, with nothing special about it.
    [[nodiscard]] bool is_one_query() const
    {
        return !empty() && std::next(expected_.begin()) == expected_.end()
               && front() == Expected{.reply = Reply::query};
    }

    /// The client has asked for the shape of rows.
    [[nodiscard]] bool awaits_description() const;
    /// We will be told the shape of the rows of a statement.
    [[nodiscard]] bool awaits_shape() const { return !effects_.empty() && finds_shape(); }
    [[nodiscard]] bool awaits_shape_check() const;
    [[nodiscard]] bool awaits_shape_of(std::string_view client_name) const;

    /// A Close of this name of SQL's PREPARE is on its way.
    [[nodiscard]] bool awaits_close_of(std::string_view sql_name) const;

    [[nodiscard]] bool front_refuses_shape() const
    {
        const Effect* const effect = front_effect();
        return effect != nullptr && effect->refuses_shape;
    }

    /// The server is skipping: whatever is sent before a Sync is not answered.
    [[nodiscard]] bool is_skipping() const { return is_skipping_; }

    void push(Expected expected);
    void push(Expected expected, Effect effect);

    /// Removes the front. Its effect, if it has one, stands and is returned through `effect`.
    bool pop(Effect* effect = nullptr);

    /// The server answered with an error in the extended protocol. Calls `undo(Effect&)` for
    /// everything dropped, newest first.
    template <class Undo>
    void fail_to_sync(Undo undo);

    /// COPY FROM STDIN has started for the front: PostgreSQL ignores Sync while it
    /// copies in, so those sent before CopyDone are never answered.
    /// True: CopyDone was sent as well, so the copy is over already.
    bool drop_syncs_of_copy_in();
    /// One of what is awaited may turn out to be a COPY.
    [[nodiscard]] bool may_copy_in() const;

    /// A COPY that failed may have done so before PostgreSQL came to the Sync behind its Execute:
    /// then that one ends the skipping after all.
    [[nodiscard]] bool may_have_synced() const { return is_skipping_ && has_dropped_sync_; }
    void stop_skipping() { is_skipping_ = false; }

    void clear();

    /// In order. Calls `visit(const Expected&)`.
    template <class Visit>
    void for_each(Visit visit) const
    {
        for (const Expected& expected : expected_) visit(expected);
    }

    /// No answer will ever come. Calls `undo(const Effect&)` for all that was expected, newest
    /// first.
    template <class Undo>
    void drop_all(Undo undo)
    {
        for (auto effect = effects_.rbegin(); effect != effects_.rend(); ++effect) undo(*effect);
        clear();
    }

private:
    [[nodiscard]] bool finds_shape() const;
    bool is_overruled(const Effect& effect, std::size_t from);
    static bool ends_segment(const Expected& expected)
    {
        const bool is_end = expected.reply == Reply::query || expected.reply == Reply::sync
                            || expected.reply == Reply::function_call;
        return is_end && !expected.is_hidden; // a SET of ours opens no transaction
    }
    void uncount(const Expected& gone)
    {
        if (gone.drops_statements) --drops_count_;
        if (ends_segment(gone)) --ends_count_;
    }

    std::deque<Expected> expected_;
    std::deque<Effect> effects_;
    std::size_t drops_count_ = 0;
    std::size_t ends_count_ = 0;
    bool is_skipping_ = false;
    bool has_dropped_sync_ = false; // by drop_syncs_of_copy_in, for the last COPY
};

template <class Undo>
void ReplyQueue::fail_to_sync(Undo undo)
{
    // PostgreSQL gives the unnamed statement up before it parses the new one, which has failed.
    const bool was_unnamed = front_is(Reply::parse) && front().has_effect
                             && effects_.front().client_name.empty();
    if (was_unnamed) effects_.front().before = nullptr;
    std::size_t dropped = 0;
    std::size_t effects = 0;
    while (dropped < expected_.size() && expected_[dropped].reply != Reply::sync) {
        if (expected_[dropped].has_effect) ++effects;
        uncount(expected_[dropped]);
        ++dropped;
    }
    for (std::size_t i = effects; i > 0; --i) {
        Effect& effect = effects_[i - 1];
        if (effect.changes_client && is_overruled(effect, effects)) effect.changes_client = false;
        undo(effect);
    }
    effects_.erase(effects_.begin(), effects_.begin() + static_cast<std::ptrdiff_t>(effects));
    expected_.erase(expected_.begin(), expected_.begin() + static_cast<std::ptrdiff_t>(dropped));
    is_skipping_ = expected_.empty();
}

} // namespace pgweir::session
