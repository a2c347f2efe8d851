#include <pgweir/config/files.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace pgweir::config {

namespace {

ErrorCode system_error(int number) { return {number, boost::system::generic_category()}; }

} // namespace

Result<FileText> read_file(const std::string& path)
{
    constexpr off_t size_max = 1 << 20;

    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return system_error(errno);
    if (S_ISDIR(status.st_mode)) return system_error(EISDIR);
    if (!S_ISREG(status.st_mode)) return system_error(EINVAL);
    if (status.st_size > size_max) return system_error(EFBIG);

    const std::ifstream file{path, std::ios::binary};
    if (!file) return system_error(errno);
    std::ostringstream text;
    text << file.rdbuf();
    if (file.bad()) return system_error(EIO);
    return FileText{.text = text.str(), .is_open_to_others = (status.st_mode & S_IROTH) != 0};
}

std::string resolve_path(const std::string& path, const std::string& directory)
{
    if (path.empty() || directory.empty()) return path;
    return (std::filesystem::path{directory} / path).string();
}

} // namespace pgweir::config
