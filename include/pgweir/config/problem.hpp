// What is wrong with a configuration: where it was written, and what would be right.
#pragma once

#include <cstdint>
#include <string>

namespace pgweir::config {

struct Problem {
    std::string source;           // a file, "environment" or "command line"
    std::uint_least32_t line = 0; // in the file; 0: none
    std::string key;              // as it was written: pool.size, PGWEIR_POOL_SIZE; may be empty
    std::string text;             // never contains a secret

    /// "pgweir.toml:12: pool.size: must be …", without a line end.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const Problem&, const Problem&) = default;
};

} // namespace pgweir::config
