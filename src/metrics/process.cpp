#include <pgweir/metrics/process.hpp>

#include <array>
#include <charconv>
#include <fcntl.h>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace pgweir::metrics {

namespace {

std::chrono::microseconds duration_of(const timeval& time)
{
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
}

// The second number of statm: pages that are in memory.
std::uint64_t read_resident_size()
{
    std::array<char, 256> text{};
    const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t size = ::read(fd, text.data(), text.size());
    ::close(fd);
    if (size <= 0) return 0;
    const std::string_view line{text.data(), static_cast<std::size_t>(size)};
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return 0;
    std::uint64_t pages = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

ProcessUsage read_process_usage()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return {
        .cpu_time = duration_of(usage.ru_utime) + duration_of(usage.ru_stime),
        .resident_size = read_resident_size(),
    };
}

} // namespace pgweir::metrics
