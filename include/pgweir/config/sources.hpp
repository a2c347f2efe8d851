// The environment and the command line to entries, so that they say the same as the file.
#pragma once

#include <pgweir/config/entry.hpp>
#include <pgweir/config/problem.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgweir::config {

using Environment = std::map<std::string, std::string>;
using Overrides = std::vector<std::pair<std::string, std::string>>;

/// Each KEY=VALUE of --set. A list that is given twice holds both.
[[nodiscard]] std::vector<Entry> read_overrides(
    const Overrides& overrides, std::vector<Problem>& problems
);

/// Every PGWEIR_ variable: dots are underscores, so PGWEIR_POOL_SIZE is pool.size. The NAME of
/// PGWEIR_USERS_NAME_PASSWORD is compared with the names in `known`, ignoring case and taking
/// every other character than letters and digits for an underscore; a NAME that is not among them
/// is a new one, in lower case. Skipped: PGWEIR_CONFIG, the variables that some password_env of
/// `known` names, and those that Kubernetes sets for a Service named pgweir or pgweir-….
[[nodiscard]] std::vector<Entry> read_environment(
    const Environment& environment, const std::vector<Entry>& known, std::vector<Problem>& problems
);

} // namespace pgweir::config
