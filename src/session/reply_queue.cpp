#include <pgweir/session/reply_queue.hpp>

#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::session {

void ReplyQueue::push(Expected expected)
{
    if (expected.reply == Reply::sync) is_skipping_ = false;
    if (!is_skipping_) expected_.push_back(expected);
}

void ReplyQueue::push(Expected expected, Effect effect)
{
    PGWEIR_ASSERT(!is_skipping_); // what is not answered has no effect to wait for
    expected.has_effect = true;
    expected_.push_back(expected);
    effects_.push_back(std::move(effect));
}

bool ReplyQueue::pop(Effect* effect)
{
    const bool has_effect = expected_.front().has_effect;
    expected_.pop_front();
    if (has_effect) {
        if (effect != nullptr) *effect = std::move(effects_.front());
        effects_.pop_front();
    }
    return has_effect;
}

bool ReplyQueue::drop_syncs_of_copy_in()
{
    if (!front_is(Reply::execute)) return false;
    std::size_t i = 1;
    while (i < expected_.size()) {
        const Reply reply = expected_[i].reply;
        if (reply != Reply::sync && reply != Reply::copy_end) return false;
        expected_.erase(expected_.begin() + static_cast<std::ptrdiff_t>(i));
        if (reply == Reply::copy_end) return true;
    }
    return false;
}

bool ReplyQueue::needs_sync() const
{
    if (expected_.empty()) return false;
    const Reply last = expected_.back().reply;
    return last != Reply::query && last != Reply::function_call && last != Reply::sync;
}

bool ReplyQueue::has_execute() const
{
    return std::ranges::any_of(expected_, [](const Expected& expected) {
        return expected.reply == Reply::execute;
    });
}

void ReplyQueue::clear()
{
    expected_.clear();
    effects_.clear();
    is_skipping_ = false;
}

} // namespace pgweir::session
