// One member of a struct of options, seen from outside: what may be written into it, and how it is
// read, shown and copied.
#pragma once

#include <pgweir/auth/options.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/config/entry.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/pool/options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgweir::config {

using Field = std::variant<
    std::uint32_t*,
    std::optional<std::uint32_t>*, // nothing is "auto"
    Duration*,
    bool*,
    std::string*,
    std::vector<std::string>*,
    std::vector<net::ListenAddress>*,
    pool::Mode*,
    pool::Pin*,
    pool::FairBy*,
    net::TlsMode*,
    auth::Method*,
    LogLevel*,
    LogFormat*>;

enum class Kind {
    number,
    size,     // bytes, "16MiB"
    octal,    // "0770"
    duration, // "5s"
    flag,
    text,
    path,         // relative to the file that says it
    address,      // "host:port", empty: none
    addresses,    // also directories
    names,        // a list
    word,         // one of an enum's
    tls_version,  // TLSv1.2, TLSv1.3
    secret,       // never shown
    upstream_url, // a connection string; its password is never shown
};

/// What is right for a setting. Durations count in milliseconds, sizes in bytes.
struct Rule {
    Kind kind = Kind::text;
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};

/// What was wrong with the value, or nothing; then `field` has it.
[[nodiscard]] std::string assign(Field field, const Rule& rule, const Entry& entry);

/// As it would be written into a variable. Secrets are masked.
[[nodiscard]] std::string show(Field field, const Rule& rule);

/// Both must be the same member of two objects.
void copy(Field from, Field to);

/// "1 to 10000", "100ms to 1h", "transaction, session or statement"; empty: anything goes.
[[nodiscard]] std::string describe_range(Field field, const Rule& rule);

} // namespace pgweir::config
