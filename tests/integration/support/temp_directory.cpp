#include "integration/support/temp_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>

namespace pgweir::test {

namespace fs = std::filesystem;

namespace {

fs::path prefix_of_ours() { return fs::temp_directory_path() / "pgweir-it-"; }

} // namespace

void remove_abandoned_directories()
{
    const std::string prefix = prefix_of_ours().string();
    std::error_code ignored; // somebody else's, or being removed right now
    for (const auto& entry : fs::directory_iterator{fs::temp_directory_path()}) {
        const std::string path = entry.path().string();
        if (!path.starts_with(prefix)) continue;
        const pid_t owner = std::atoi(path.c_str() + prefix.size());
        const bool is_abandoned = owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH;
        if (is_abandoned) fs::remove_all(entry.path(), ignored);
    }
}

TempDirectory::TempDirectory()
{
    std::string name = prefix_of_ours().string() + std::to_string(::getpid()) + "-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error{errno, std::generic_category(), "mkdtemp " + name};
    }
    path_ = name;
    // The cluster in it belongs to another user when we are root: let that user pass through.
    fs::permissions(path_, fs::perms::others_exec | fs::perms::others_read, fs::perm_options::add);
}

TempDirectory::~TempDirectory()
{
    std::error_code ignored; // a destructor has nobody to tell
    fs::remove_all(path_, ignored);
}

void write_file(const fs::path& path, std::string_view content)
{
    std::ofstream file{path, std::ios::binary | std::ios::trunc};
    file << content << std::flush;
    if (!file) throw std::runtime_error{"cannot write " + path.string()};
}

std::string read_file(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace pgweir::test
