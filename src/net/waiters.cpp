#include <pgweir/net/waiters.hpp>

#include <utility>

namespace pgweir::net {

Task<void> Waiters::wait(Executor executor, TimePoint deadline)
{
    auto timer = std::make_shared<Timer>(std::move(executor), deadline);
    timers_.push_back(timer);
    co_await timer->async_wait(use_task);
}

void Waiters::wake()
{
    for (const auto& timer : std::exchange(timers_, {})) timer->cancel();
}

} // namespace pgweir::net
