// Tasks of one executor that wait for the same thing.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/asio.hpp>

#include <memory>
#include <vector>

namespace pgweir::net {

/// May be destroyed while they wait: then each waits for its deadline.
class Waiters {
public:
    /// Until wake(), or the deadline.
    Task<void> wait(Executor executor, TimePoint deadline);
    void wake();

private:
    std::vector<std::shared_ptr<Timer>> timers_;
};

} // namespace pgweir::net
