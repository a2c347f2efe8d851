#include <pgweir/session/notification.hpp>

#include <pgweir/session/channels.hpp>
#include <pgweir/wire/messages.hpp>

#include <utility>

namespace pgweir::session {

namespace {

std::size_t size_of(const Notification& notification)
{
    return sizeof notification + notification.channel.size() + notification.payload.size();
}

void append_warning(Buffer& out, std::string message, std::string detail)
{
    wire::append_notice(
        out,
        {"WARNING",
         "01000",
         std::move(message),
         std::move(detail),
         "Look at what they would have told."}
    );
}

} // namespace

std::size_t Inbox::push(std::shared_ptr<const Notification> notification)
{
    size_ += size_of(*notification);
    waiting_.push_back(std::move(notification));
    const std::size_t before = dropped_;
    while (waiting_.size() > count_max || size_ > size_max) drop_oldest();
    return dropped_ - before;
}

void Inbox::drop_oldest()
{
    size_ -= size_of(*waiting_.front());
    waiting_.pop_front();
    ++dropped_;
}

void Inbox::keep_only(const std::vector<std::string>& channels)
{
    std::erase_if(waiting_, [&](const auto& notification) {
        if (contains(channels, notification->channel)) return false;
        size_ -= size_of(*notification);
        return true;
    });
}

// Earlier ones of that server were other clients'. All clients share them: a copy is changed.
void Inbox::claim(std::size_t count, std::uint32_t server, std::uint32_t process_id)
{
    for (auto each = waiting_.rbegin(); each != waiting_.rend() && count > 0; ++each) {
        if ((*each)->process_id != server) continue;
        Notification own{**each};
        own.process_id = process_id;
        own.sender = 0;
        *each = std::make_shared<const Notification>(std::move(own));
        --count;
    }
}

// What is its own was claimed: who seems to be the client itself is somebody else with its server
// of before.
std::size_t Inbox::drain(Buffer& out, std::uint32_t own_id)
{
    if (std::exchange(has_missed_, false)) {
        append_warning(
            out,
            "notifications may have been missed",
            "The connection that listens for all clients was lost, and is open again."
        );
    }
    if (const std::size_t dropped = std::exchange(dropped_, 0); dropped > 0) {
        append_warning(
            out,
            std::to_string(dropped) + " notifications were dropped",
            "They came faster than this client took them."
        );
    }
    const std::size_t count = waiting_.size();
    for (const auto& each : waiting_) {
        const bool is_known = each->sender != 0 && each->sender != own_id;
        const std::uint32_t sender = is_known ? each->sender : each->process_id;
        wire::append_notification(out, {sender, each->channel, each->payload});
    }
    waiting_.clear();
    waiting_.shrink_to_fit();
    size_ = 0;
    return count;
}

} // namespace pgweir::session
