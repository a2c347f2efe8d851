// A snapshot as Prometheus' text: our own names, and those of PgBouncer's exporter, so that
// dashboards made for it show something.
#pragma once

#include <pgweir/metrics/snapshot.hpp>

#include <string>
#include <string_view>

namespace pgweir::metrics {

inline constexpr std::string_view prometheus_content_type =
    "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string to_prometheus(const Snapshot& snapshot);

} // namespace pgweir::metrics
