// Starts tasks that nobody awaits one by one: they are counted, and an exception that escapes one
// is logged as the bug that it is, and ends nothing else.
#pragma once

#include <pgweir/net/asio.hpp>

#include <cstddef>

namespace pgweir::net {

/// One for each io_context. All tasks must be over before it goes.
class Tasks {
public:
    explicit Tasks(Executor executor) : executor_{std::move(executor)} {}

    /// `name` is a literal.
    void spawn(const char* name, Task<void> task);
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] const Executor& executor() const { return executor_; }

private:
    Executor executor_;
    std::size_t count_ = 0;
};

} // namespace pgweir::net
