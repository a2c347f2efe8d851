// The command line as a value.
#pragma once

#include <pgweir/config/sources.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pgweir::app {

enum class Verb { run, check, status, version, help };

struct Arguments {
    Verb verb = Verb::run;
    std::string config_file;
    config::Overrides overrides; // flags are settings by another name
    std::string problem;         // not empty: what is wrong, and what would be right
};

/// `arguments` without the program's name.
[[nodiscard]] Arguments read_arguments(const std::vector<std::string>& arguments);

/// What --help prints.
[[nodiscard]] std::string_view help_text();

} // namespace pgweir::app
