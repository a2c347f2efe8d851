// Tasks of one executor that wait for the same thing.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/asio.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace pgweir::net {

/// May be destroyed while they wait: then each waits for its deadline.
class Waiters {
public:
    /// Until wake(), or the deadline.
    Task<void> wait(Executor executor, TimePoint deadline)
    {
        auto timer = std::make_shared<Timer>(std::move(executor), deadline);
        timers_.push_back(timer);
        co_await timer->async_wait(use_task);
    }

    void wake()
    {
        for (const auto& timer : std::exchange(timers_, {})) timer->cancel();
    }

private:
    std::vector<std::shared_ptr<Timer>> timers_;
};

} // namespace pgweir::net
