#include <pgweir/session/reply_queue.hpp>

#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::session {

void ReplyQueue::push(Expected expected)
{
    if (expected.reply == Reply::sync) is_skipping_ = false;
    if (is_skipping_) return;
    expected_.push_back(expected);
    if (expected.drops_statements) ++drops_count_;
    if (ends_segment(expected)) ++ends_count_;
}

void ReplyQueue::push(Expected expected, Effect effect)
{
    PGWEIR_ASSERT(!is_skipping_); // what is not answered has no effect to wait for
    expected.has_effect = true;
    push(expected);
    effects_.push_back(std::move(effect));
}

bool ReplyQueue::is_undecided(std::string_view client_name) const
{
    return awaits_earlier_segment() && std::ranges::any_of(effects_, [&](const Effect& effect) {
               return effect.changes_client && effect.client_name == client_name;
           });
}

bool ReplyQueue::awaits_description() const
{
    return std::ranges::any_of(expected_, [](const Expected& expected) {
        return expected.reply == Reply::describe && !expected.is_hidden;
    });
}

bool ReplyQueue::finds_shape() const
{
    return std::ranges::any_of(effects_, [](const Effect& effect) {
        return effect.tells_shape || effect.is_shape_check;
    });
}

bool ReplyQueue::awaits_close_of(std::string_view sql_name) const
{
    return std::ranges::any_of(effects_, [&](const Effect& effect) {
        return effect.closes_sql_name && effect.client_name == sql_name;
    });
}

bool ReplyQueue::awaits_shape_check() const
{
    return std::ranges::any_of(effects_, &Effect::is_shape_check);
}

bool ReplyQueue::awaits_shape_of(std::string_view client_name) const
{
    return std::ranges::any_of(effects_, [&](const Effect& effect) {
        return effect.tells_shape && effect.client_name == client_name;
    });
}

bool ReplyQueue::pop(Effect* effect)
{
    const bool has_effect = expected_.front().has_effect;
    uncount(expected_.front());
    expected_.pop_front();
    if (has_effect) {
        if (effect != nullptr) *effect = std::move(effects_.front());
        effects_.pop_front();
    }
    // Where a copy ended matters only to a COPY before it: nothing answers the mark itself.
    while (front_is(Reply::copy_end)) expected_.pop_front();
    return has_effect;
}

bool ReplyQueue::drop_syncs_of_copy_in()
{
    has_dropped_sync_ = false;
    if (!front_is(Reply::execute) && !front_is(Reply::query)) return false;
    const std::size_t i = 1;
    while (i < expected_.size()) {
        const Reply reply = expected_[i].reply;
        if (reply != Reply::sync && reply != Reply::copy_end) return false;
        uncount(expected_[i]);
        has_dropped_sync_ |= reply == Reply::sync;
        expected_.erase(expected_.begin() + static_cast<std::ptrdiff_t>(i));
        if (reply == Reply::copy_end) return true;
    }
    return false;
}

// Segments that were sent behind the failed one are not undone. Where one of them gives the same
// name a meaning, that is the one that counts; what it replaced is what we would have restored.
bool ReplyQueue::is_overruled(const Effect& effect, std::size_t from)
{
    for (std::size_t i = from; i < effects_.size(); ++i) {
        Effect& later = effects_[i];
        if (!later.changes_client || later.client_name != effect.client_name) continue;
        later.before = effect.before;
        later.told_before = effect.told_before;
        return true;
    }
    return false;
}

bool ReplyQueue::needs_sync() const
{
    if (expected_.empty()) return false;
    const Reply last = expected_.back().reply;
    return last != Reply::query && last != Reply::function_call && last != Reply::sync;
}

bool ReplyQueue::may_copy_in() const
{
    return std::ranges::any_of(expected_, [](const Expected& expected) {
        return expected.reply == Reply::execute || expected.reply == Reply::query;
    });
}

void ReplyQueue::clear()
{
    expected_.clear();
    effects_.clear();
    drops_count_ = 0;
    ends_count_ = 0;
    is_skipping_ = false;
}

} // namespace pgweir::session
