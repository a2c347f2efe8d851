// The settings as text, for SHOW CONFIG and for finding what a reload has changed.
#pragma once

#include <pgweir/config/settings.hpp>

#include <string>
#include <vector>

namespace pgweir::config {

struct ConfigRow {
    std::string key;
    std::string value;         // secrets are masked
    std::string default_value; // empty also where there is none
    bool changeable = false;   // by a reload

    friend bool operator==(const ConfigRow&, const ConfigRow&) = default;
};

/// Every setting, then what databases and users say for themselves.
[[nodiscard]] std::vector<ConfigRow> config_rows(const Settings& settings);

} // namespace pgweir::config
