// A mutex for a few instructions' work, which is nearly never contended: half the price of
// pthread's, which looks for kinds of mutexes that we do not have.
#pragma once

#include <atomic>

namespace pgweir {

/// Has what std::scoped_lock needs. "Mutex, take 2" of U. Drepper, "Futexes Are Tricky": who finds
/// it locked says so in it, and only then is anybody woken. Neither fair nor recursive.
class LightMutex {
public:
    LightMutex() = default;
    LightMutex(const LightMutex&) = delete;
    LightMutex& operator=(const LightMutex&) = delete;

    void lock() noexcept
    {
        int seen = is_free;
        if (!state_.compare_exchange_strong(seen, is_taken, std::memory_order_acquire)) wait();
    }

    void unlock() noexcept
    {
        if (state_.exchange(is_free, std::memory_order_release) == is_wanted) state_.notify_one();
    }

private:
    static constexpr int is_free = 0;
    static constexpr int is_taken = 1;
    static constexpr int is_wanted = 2; // taken, and somebody waits

    [[gnu::noinline]] void wait() noexcept
    {
        while (state_.exchange(is_wanted, std::memory_order_acquire) != is_free) {
            state_.wait(is_wanted, std::memory_order_relaxed);
        }
    }

    std::atomic<int> state_{is_free};
};

} // namespace pgweir
