// Runs a coroutine to its end, and with it whatever else lives in its io_context.
#pragma once

#include <pgweir/net/asio.hpp>

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace pgweir::test {

template <class T>
[[nodiscard]] T run_task(net::asio::io_context& io, net::Task<T> task)
{
    std::optional<T> result;
    std::exception_ptr failure;
    net::asio::co_spawn(
        io.get_executor(),
        std::move(task),
        [&](std::exception_ptr exception, T value) {
            failure = std::move(exception);
            result = std::move(value);
        }
    );
    io.restart();
    while (!result) {
        if (io.run_one() == 0) throw std::runtime_error{"the task waits for what cannot happen"};
    }
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
}

} // namespace pgweir::test
