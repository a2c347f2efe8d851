// Reads the small files a configuration names.
#pragma once

#include <pgweir/base/error.hpp>

#include <string>

namespace pgweir::config {

struct FileText {
    std::string text;
    bool is_open_to_others = false; // everybody on this machine may read it
};

/// Regular files of at most a mebibyte: a pipe could keep us waiting.
[[nodiscard]] Result<FileText> read_file(const std::string& path);

/// `path` as seen from `directory`. Both may be empty.
[[nodiscard]] std::string resolve_path(const std::string& path, const std::string& directory);

} // namespace pgweir::config
