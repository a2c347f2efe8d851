// How other threads talk to a worker: messages in a list, and one wake-up for all of them.
#pragma once

#include <pgweir/net/descriptor.hpp>

#include <cstdint>
#include <mutex>
#include <sys/eventfd.h>
#include <utility>
#include <vector>

namespace pgweir::net {

template <class Message>
class Mailbox {
public:
    Mailbox() : event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {}

    /// From any thread. Only the first message after a take() costs a system call.
    void post(Message message)
    {
        bool was_empty = false;
        {
            const std::scoped_lock lock{mutex_};
            was_empty = messages_.empty();
            messages_.push_back(std::move(message));
        }
        if (!was_empty) return;
        const std::uint64_t one = 1;
        // It can only fail when the counter is full, and then the worker is awake anyway.
        if (::write(event_.get(), &one, sizeof one) < 0) return;
    }

    /// By the worker, when fd() is readable.
    [[nodiscard]] std::vector<Message> take()
    {
        std::uint64_t count = 0;
        if (::read(event_.get(), &count, sizeof count) < 0) return {}; // woken for nothing
        const std::scoped_lock lock{mutex_};
        return std::exchange(messages_, {});
    }

    [[nodiscard]] int fd() const { return event_.get(); }

private:
    Descriptor event_;
    std::mutex mutex_;
    std::vector<Message> messages_;
};

} // namespace pgweir::net
