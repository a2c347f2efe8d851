#include "temp_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

namespace pgweir::test {

namespace fs = std::filesystem;

TempDirectory::TempDirectory()
{
    std::string name = (fs::temp_directory_path() / "pgweir-it-XXXXXX").string();
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
