// Pools with numbers in them, for tests of what publishes them.
#pragma once

#include <pgweir/net/inspection.hpp>
#include <pgweir/net/pool.hpp>

#include <memory>
#include <string>

namespace pgweir::test {

inline constexpr std::uint32_t worker_count = 2;

[[nodiscard]] inline std::shared_ptr<net::Pool> make_pool(std::string database, std::string user)
{
    net::Upstream upstream;
    upstream.hosts = {{"db.internal", 5433}};
    upstream.dbname = database + "_on_disk";
    return std::make_shared<net::Pool>(
        net::Pool::Name{std::move(database), std::move(user)},
        upstream,
        pool::Options{},
        worker_count
    );
}

/// An hour after the steady clock's start, and one day after the epoch.
[[nodiscard]] inline net::Inspection make_inspection()
{
    net::Inspection inspection;
    inspection.now = TimePoint{} + std::chrono::hours{1};
    inspection.wall_now = std::chrono::system_clock::time_point{} + std::chrono::hours{24};
    inspection.worker_count = worker_count;
    return inspection;
}

} // namespace pgweir::test
