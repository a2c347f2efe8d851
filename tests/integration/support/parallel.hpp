// Several clients at once: each in a thread, whose failure is the test's and not the program's.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pgweir::test {

class Parallel {
public:
    /// Runs work(0) to work(count - 1) at the same time.
    Parallel(int count, std::function<void(int)> work);

    /// False once every one has ended.
    [[nodiscard]] bool is_running() const { return running_ > 0; }
    /// Waits for all; throws what the first one threw that failed.
    void join();

private:
    void run(int index);

    std::function<void(int)> work_;
    std::atomic<int> running_;
    std::mutex mutex_; // over failure_
    std::exception_ptr failure_;
    std::vector<std::jthread> threads_; // the last member: joined before the others are gone
};

} // namespace pgweir::test
