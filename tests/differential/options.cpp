#include "differential/options.hpp"

#include <charconv>
#include <stdexcept>

namespace pgweir::differential {

namespace {

std::uint64_t number(const std::string& flag, const std::string& text, std::uint64_t low)
{
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end || value < low) {
        throw std::runtime_error{
            flag + " takes a number of at least " + std::to_string(low) + ", not " + text
        };
    }
    return value;
}

// Flags without a value. False: it is none of them.
bool read_switch(Options& options, const std::string& flag)
{
    if (flag == "--self-check") return options.self_check = true;
    if (flag == "--source-positions") return options.source_positions = true;
    if (flag == "--keep-going") return options.keep_going = true;
    if (flag == "--print") return options.prints_streams = true;
    if (flag == "--help") return options.asks_help = true;
    return false;
}

void read_value(Options& options, const std::string& flag, const std::string& value)
{
    if (flag == "--seed") {
        options.seed = number(flag, value, 0);
    } else if (flag == "--streams") {
        options.streams = number(flag, value, 1);
    } else if (flag == "--repeat") {
        options.repeat = number(flag, value, 1);
    } else if (flag == "--clients") {
        options.clients = number(flag, value, 1);
    } else if (flag == "--servers") {
        options.servers = number(flag, value, 1);
    } else if (flag == "--steps") {
        options.steps_max = number(flag, value, 2);
    } else if (flag == "--features") {
        options.features = FeatureSet::parse(value);
    } else {
        throw std::runtime_error{"not a flag: " + flag};
    }
}

} // namespace

Options read_options(const std::vector<std::string>& arguments)
{
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& flag = arguments[i];
        if (read_switch(options, flag)) continue;
        if (i + 1 == arguments.size())
            throw std::runtime_error{flag + " takes a value, or is none"};
        read_value(options, flag, arguments[++i]);
    }
    return options;
}

std::string help_text()
{
    std::string names;
    for (const std::string_view name : feature_names) names.append(" ").append(name);
    return "Runs generated statements on PostgreSQL and through pgweir, and compares every reply.\n"
           "  --seed N         of the first stream (1)\n"
           "  --streams N      how many, each with the next seed (1000)\n"
           "  --repeat N       runs of each stream, one after the other (1)\n"
           "  --clients N      interleaved in a stream, at most (8)\n"
           "  --servers N      server connections of pgweir (3)\n"
           "  --steps N        of a stream, at most (30)\n"
           "  --features LIST  of:"
           + names
           + "; or all; or all,-listen\n"
             "  --self-check     PostgreSQL against itself: must never differ\n"
             "  --source-positions  compare also which line of PostgreSQL's source raised an "
             "error\n"
             "  --keep-going     do not stop at the first stream that differs, and count\n"
             "  --print          every stream with its replies\n";
}

std::string command_line(const Options& options)
{
    return "--seed " + std::to_string(options.seed) + " --streams 1 --repeat "
           + std::to_string(options.repeat) + " --clients " + std::to_string(options.clients)
           + " --servers " + std::to_string(options.servers) + " --steps "
           + std::to_string(options.steps_max) + " --features " + options.features.text()
           + (options.self_check ? " --self-check" : "")
           + (options.source_positions ? " --source-positions" : "");
}

} // namespace pgweir::differential
