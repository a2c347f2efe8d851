#include <pgweir/metrics/process.hpp>

#include <doctest/doctest.h>

using namespace pgweir;

TEST_CASE("metrics/process: a process that runs has memory, and its CPU time grows")
{
    const metrics::ProcessUsage before = metrics::read_process_usage();
    CHECK(before.resident_size > 100'000);
    metrics::ProcessUsage after = before;
    while (after.cpu_time <= before.cpu_time) after = metrics::read_process_usage();
    CHECK(after.cpu_time > before.cpu_time);
}
