// What the tests of config share: problems as lines, and a directory for files.
#pragma once

#include <pgweir/config/load.hpp>
#include <pgweir/config/problem.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pgweir::config {

inline std::string report(const std::vector<Problem>& problems)
{
    std::string all;
    for (const Problem& problem : problems) all += problem.to_string() + "\n";
    return all;
}

inline std::string to_lines(const std::vector<std::string>& texts)
{
    std::string all;
    for (const std::string& text : texts) all += text + "\n";
    return all;
}

/// The problems of a file pgweir.toml with that text, and nothing else around it.
inline std::string problems_of(const std::string& toml)
{
    return report(
        load_text(toml, {.file = "pgweir.toml", .overrides = {}, .environment = {}}).problems
    );
}

/// The settings of a text that must be right.
inline Settings settings_of(
    const std::string& toml, Environment environment = {}, Overrides overrides = {}
)
{
    const auto result = load_text(
        toml,
        {.file = "pgweir.toml",
         .overrides = std::move(overrides),
         .environment = std::move(environment)}
    );
    if (!result.settings) throw std::runtime_error(report(result.problems));
    return *result.settings;
}

/// Gone with everything in it when the test ends.
class TemporaryDirectory {
public:
    TemporaryDirectory()
    {
        std::string name = (std::filesystem::temp_directory_path() / "pgweir-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~TemporaryDirectory()
    {
        std::error_code ignored; // nothing depends on it
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

    void write(const std::string& name, const std::string& text, mode_t mode = 0600) const
    {
        std::ofstream{path(name), std::ios::binary} << text;
        if (::chmod(path(name).c_str(), mode) != 0) throw std::runtime_error("chmod");
    }

private:
    std::string path_;
};

} // namespace pgweir::config
