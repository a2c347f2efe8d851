// Everything that is published, at one moment.
#pragma once

#include <pgweir/metrics/process.hpp>
#include <pgweir/net/inspection.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace pgweir::metrics {

enum class Readiness {
    starting,
    ready,
    draining, // new clients go elsewhere
};

/// What the daemon knows of itself.
struct DaemonStatus {
    Readiness readiness = Readiness::starting;
    std::size_t logins = 0;                            // in progress
    std::map<std::string, std::uint64_t> login_errors; // by SQLSTATE, of clients without a pool
    std::uint32_t max_client_conn = 0;
    std::uint32_t max_user_connections = 0; // of users who have none of their own; 0: no cap
    std::string version;
    std::chrono::system_clock::time_point started_at{};
};

struct Snapshot {
    net::Inspection inspection; // with counts
    DaemonStatus daemon;
    ProcessUsage process;
};

} // namespace pgweir::metrics
