// What the process itself uses, read in two system calls.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgweir::metrics {

struct ProcessUsage {
    std::chrono::microseconds cpu_time{}; // user and system, all threads
    std::uint64_t resident_size = 0;      // bytes; 0: not known
};
[[nodiscard]] ProcessUsage read_process_usage();

} // namespace pgweir::metrics
