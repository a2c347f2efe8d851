#include "integration/support/wait.hpp"

#include <algorithm>
#include <poll.h>
#include <stdexcept>
#include <string>

namespace pgweir::test {

namespace {

constexpr int pause_between_looks = 5; // milliseconds

void pause() { ::poll(nullptr, 0, pause_between_looks); }

} // namespace

int Deadline::poll_timeout() const
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::max<decltype(left)>(left, 0));
}

void wait_until(const std::function<bool()>& predicate, std::string_view what)
{
    if (happens_before(Deadline{}, predicate)) return;
    throw std::runtime_error{"waited in vain until " + std::string{what}};
}

bool happens_before(const Deadline& deadline, const std::function<bool()>& predicate)
{
    for (;;) {
        // Asked before predicate(), so that the last look is taken after the deadline.
        const bool last = deadline.passed();
        if (predicate()) return true;
        if (last) return false;
        pause();
    }
}

} // namespace pgweir::test
