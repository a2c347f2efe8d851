#include <pgweir/net/spawn.hpp>

#include <pgweir/base/log.hpp>

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace pgweir::net {

void Tasks::spawn(const char* name, Task<void> task)
{
    ++count_;
    asio::co_spawn(executor_, std::move(task), [this, name](const std::exception_ptr& exception) {
        --count_;
        if (!exception) return;
        try {
            std::rethrow_exception(exception);
        } catch (const std::exception& error) {
            log(LogLevel::error, "task_failed", {{"task", name}, {"reason", error.what()}});
        } catch (...) {
            log(LogLevel::error, "task_failed", {{"task", name}, {"reason", "unknown"}});
        }
    });
}

} // namespace pgweir::net
