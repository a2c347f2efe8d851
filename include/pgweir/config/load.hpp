// File, environment and command line to settings: all of it, or every reason why not.
#pragma once

#include <pgweir/config/problem.hpp>
#include <pgweir/config/settings.hpp>
#include <pgweir/config/sources.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pgweir::config {

struct LoadRequest {
    std::string file;        // empty: PGWEIR_CONFIG in the environment, or none
    Overrides overrides;     // of --set and the flags; they beat the environment
    Environment environment; // PGWEIR_… beats the file; DATABASE_URL; HOME; what password_env names
};

struct LoadResult {
    std::optional<Settings> settings; // if there are no problems
    std::vector<Problem> problems;
    std::vector<Problem> warnings;
};

/// Reads the file, and the files that it names. May be called again for a reload.
[[nodiscard]] LoadResult load(const LoadRequest& request);

/// The same with the text at hand; `request.file` is only its name.
[[nodiscard]] LoadResult load_text(const std::string& text, const LoadRequest& request);

} // namespace pgweir::config
