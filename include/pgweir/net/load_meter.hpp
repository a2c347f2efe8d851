// How much of one core a thread uses. CPU time, and not the time that it does not sleep: when other
// processes keep it waiting for a core, a second thread would only wait as well.
#pragma once

#include <pgweir/base/clock.hpp>

#include <cstdint>

namespace pgweir::net {

/// Of the thread that calls it.
class LoadMeter {
public:
    void start(TimePoint now);
    /// Percent since the call before, or since start().
    [[nodiscard]] std::uint32_t measure(TimePoint now);

private:
    TimePoint measured_at_{};
    Duration cpu_time_{};
};

} // namespace pgweir::net
