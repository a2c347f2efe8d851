// A snapshot as a page for people: one file, no script, nothing loaded from elsewhere.
#pragma once

#include <pgweir/metrics/snapshot.hpp>

#include <string>

namespace pgweir::metrics {

[[nodiscard]] std::string status_page(const Snapshot& snapshot);

} // namespace pgweir::metrics
