// A directory that is gone, with all that is in it, when its owner is.
#pragma once

#include <filesystem>
#include <string_view>

namespace pgweir::test {

class TempDirectory {
public:
    /// Short on purpose: the path of a unix socket has at most 107 characters.
    TempDirectory();
    ~TempDirectory();
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const
    {
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

/// What test programs that were killed could not remove themselves.
void remove_abandoned_directories();

void write_file(const std::filesystem::path& path, std::string_view content);
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

} // namespace pgweir::test
