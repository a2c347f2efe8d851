// What can only be judged when all settings are known: combinations that cannot work.
#pragma once

#include <pgweir/config/entry.hpp>
#include <pgweir/config/problem.hpp>
#include <pgweir/config/settings.hpp>

#include <map>
#include <string>
#include <vector>

namespace pgweir::config {

/// Collects what is said about settings; knows where each one was written.
struct Report {
    std::map<std::string, Place>
        places; // by key; the last that was said, which is the one that counts
    std::vector<Problem> problems;
    std::vector<Problem> warnings;

    /// Where `key` was written. If nowhere: its default is at fault, so only the key is known.
    [[nodiscard]] Place place_of(const std::string& key) const;

    void add_problem(const std::string& key, std::string text);
    void add_warning(const std::string& key, std::string text);
};

void check_pools(const Settings& settings, Report& report);
void check_tls(const Settings& settings, Report& report);
void check_users(const Settings& settings, Report& report);

} // namespace pgweir::config
