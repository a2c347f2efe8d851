#include <pgweir/net/load_meter.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace pgweir::net {

namespace {

Duration thread_cpu_time()
{
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

} // namespace

void LoadMeter::start(TimePoint now)
{
    measured_at_ = now;
    cpu_time_ = thread_cpu_time();
}

std::uint32_t LoadMeter::measure(TimePoint now)
{
    const Duration used = thread_cpu_time();
    const Duration passed = std::max(now - std::exchange(measured_at_, now), Duration{1});
    const auto percent = (used - std::exchange(cpu_time_, used)) * 100 / passed;
    return static_cast<std::uint32_t>(std::clamp<Duration::rep>(percent, 0, 100));
}

} // namespace pgweir::net
