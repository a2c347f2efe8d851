// Waiting for something that will happen: ask again and again, with a generous end.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

namespace pgweir::test {

using Clock = std::chrono::steady_clock;

/// Longer than anything may take on a busy machine under a sanitizer; no passing test waits for it.
inline constexpr std::chrono::seconds patience{20};

/// The end of a wait. Created at its beginning, passed down, so that nested waits share one.
class Deadline {
public:
    explicit Deadline(std::chrono::milliseconds from_now = patience) : end_{Clock::now() + from_now}
    {
    }

    [[nodiscard]] bool passed() const { return Clock::now() >= end_; }
    /// What poll(2) wants: milliseconds until then, never negative.
    [[nodiscard]] int poll_timeout() const;

private:
    Clock::time_point end_;
};

/// Throws, naming `what`, when the predicate is still false after `patience`.
void wait_until(const std::function<bool()>& predicate, std::string_view what);

/// True as soon as the predicate is; false when it never became true before the deadline.
[[nodiscard]] bool happens_before(const Deadline& deadline, const std::function<bool()>& predicate);

} // namespace pgweir::test
