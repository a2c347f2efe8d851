#include <pgweir/session/abandon.hpp>

#include <pgweir/session/forward.hpp>
#include <pgweir/session/gather.hpp>
#include <pgweir/session/rerun.hpp>
#include <pgweir/wire/frame.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace pgweir::session {

namespace {

bool is_in_block(const ServerState& lost) { return lost.status != 'I' || lost.rerun.block; }

// What could be lost with it, though its transaction was over: nobody has asked yet.
bool owes_nothing_of_before(const ServerState& lost)
{
    return !lost.has_changes_from_before && !lost.has_told_settings;
}

/// Answers in PostgreSQL's manner: one error for each segment.
class Answers {
public:
    Answers(ClientState& client, const wire::ErrorText& error, Gather& to_client)
        : client_{client}, error_{error}, own_{to_client.own()}
    {
    }

    void answer(const Expected& expected)
    {
        if (expected.is_hidden || expected.reply == Reply::copy_end) return;
        if (!has_failed_) fail();
        const bool is_end = expected.reply == Reply::query || expected.reply == Reply::sync
                            || expected.reply == Reply::function_call;
        if (!is_end) return;
        wire::append_ready(own_, client_.status());
        has_failed_ = false;
    }

    /// Its Sync has not come yet.
    void skip_rest(bool is_told)
    {
        if (!has_failed_ && !is_told) fail();
        client_.is_skipping = true;
    }

    [[nodiscard]] bool is_in_segment() const { return has_failed_; }
    [[nodiscard]] bool has_told() const { return has_told_; }

private:
    void fail()
    {
        wire::append_error(own_, error_);
        has_failed_ = true;
        has_told_ = true;
    }

    ClientState& client_;
    const wire::ErrorText& error_;
    Buffer& own_;
    bool has_failed_ = false;
    bool has_told_ = false;
};

} // namespace

bool may_abandon(const ServerState& lost, const ClientState& client)
{
    const bool is_in_answer = lost.stream.remaining > 0 && !lost.stream.is_dropped;
    const bool is_in_message = client.stream.remaining > 0 && !client.stream.is_dropped;
    return client.pins.empty() && !is_in_answer && !is_in_message && !lost.is_copying_in
           && owes_nothing_of_before(lost) && !lost.may_end_itself;
}

bool abandon(
    ServerState& lost, ClientState& client, const wire::ErrorText& error, Gather& to_client
)
{
    if (is_in_block(lost)) {
        client.block = std::make_unique<LazyBlock>(LazyBlock{.begin = "BEGIN", .has_failed = true});
    }
    const bool was_told = lost.replies.is_skipping(); // of an error before: it sends on to its Sync
    Answers answers{client, error, to_client};
    lost.replies.for_each([&](const Expected& expected) { answers.answer(expected); });
    if (answers.is_in_segment() || lost.is_unsynced) answers.skip_rest(was_told);
    to_client.commit();
    give_up_replies(lost, client);
    return answers.has_told() || client.is_skipping;
}

bool only_rolls_back(const ClientState& client, Bytes input)
{
    if (!client.block || !client.block->has_failed || !may_be_block_edge(input)) return false;
    const auto header = wire::peek_header(input, wire::body_size_max);
    if (!header || !*header || input.size() < (*header)->frame_size()) return false;
    std::string_view text = as_text(wire::body_of(**header, input));
    if (!text.ends_with('\0')) return false;
    text.remove_suffix(1);
    return read_block_edge(text) == BlockEdge::rollback;
}

} // namespace pgweir::session
