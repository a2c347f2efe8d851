// Makes a stream that fails as short as it gets, by leaving steps out while it still fails.
#pragma once

#include "differential/step.hpp"

#include <functional>
#include <vector>

namespace pgweir::differential {

/// `fails` plays a stream and says whether there was a difference. It is asked at most
/// `attempts_max` times.
[[nodiscard]] std::vector<Step> shrink(
    std::vector<Step> steps,
    const std::function<bool(const std::vector<Step>&)>& fails,
    std::size_t attempts_max
);

} // namespace pgweir::differential
