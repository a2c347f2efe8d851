// The command line of differential_tests.
#pragma once

#include "differential/features.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pgweir::differential {

struct Options {
    std::uint64_t seed = 1; // of the first stream; the next has the next number
    std::uint64_t streams = 1'000;
    std::uint64_t repeat = 1; // each stream that often: what pgweir has learned may matter
    std::size_t clients = 8;
    std::size_t servers = 3;
    std::size_t steps_max = 30; // of one stream, all clients together
    FeatureSet features = FeatureSet::all();
    bool source_positions = false; // of errors are compared
    bool self_check = false;       // PostgreSQL against PostgreSQL: proves the generator
    bool keep_going = false; // count the streams that differ, instead of stopping at the first
    bool prints_streams = false;
    bool asks_help = false;
};

/// Throws with a sentence for the user.
[[nodiscard]] Options read_options(const std::vector<std::string>& arguments);
[[nodiscard]] std::string help_text();

/// What to add to the program's name to run the stream of `options.seed` alone.
[[nodiscard]] std::string command_line(const Options& options);

} // namespace pgweir::differential
