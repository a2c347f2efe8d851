// The traits that a statement can have besides its command, and the functions that give it some:
// those that an operator has named, or that were seen to change settings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::session {

/// What the names in a statement tell, wherever they stand outside of strings and comments. Calls
/// are names before a parenthesis, in any schema: they can be made, they need not be. Names that
/// start with pg_ count without one.
enum class Trait : std::uint32_t {
    sets_config = 1U << 0,         // set_config(), or UPDATE pg_settings
    takes_advisory_lock = 1U << 1, // one of the session: not the _xact_ ones
    frees_advisory_lock = 1U << 2,
    reads_sequence = 1U << 3, // currval(), lastval()
    advances_sequence = 1U << 4,
    sets_sequence = 1U << 5,
    seeds_random = 1U << 6,
    notifies = 1U << 7,          // pg_notify()
    creates_temp = 1U << 8,      // CREATE TEMP …, INTO TEMP …
    names_temp_schema = 1U << 9, // pg_temp: SELECT … INTO may make something there
    reads_settings = 1U << 10,   // pg_settings, current_setting()
    reads_prepared = 1U << 11,   // pg_prepared_statements
    reads_cursors = 1U << 12,
    reads_channels = 1U << 13,
    changes_functions = 1U << 14, // CREATE, ALTER or DROP of functions, procedures, extensions
    needs_primary = 1U << 15,     // modes of a transaction that a standby refuses
    pins = 1U << 16,              // a watched function: the client must keep its server
    may_set = 1U << 17,           // a watched function: it changes settings
};

class Traits {
public:
    constexpr Traits() = default;
    constexpr Traits(Trait trait) : bits_{static_cast<std::uint32_t>(trait)} {}

    [[nodiscard]] constexpr bool has(Trait trait) const
    {
        return (bits_ & static_cast<std::uint32_t>(trait)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }

    constexpr Traits& operator|=(Traits other)
    {
        bits_ |= other.bits_;
        return *this;
    }

    friend constexpr Traits operator|(Traits a, Traits b) { return a |= b; }
    friend constexpr bool operator==(Traits a, Traits b) = default;

private:
    std::uint32_t bits_ = 0;
};

/// A set of last letters of names, whatever their case, has this bit for one of them.
constexpr std::uint32_t ending_bit(char last)
{
    return std::uint32_t{1} << (static_cast<unsigned char>(last) & 0x1FU);
}

/// Names of functions without their schemas. Made for a probe at each call in each query, nearly
/// all in vain.
class WatchedFunctions {
public:
    /// Upper and lower case are one here: better one name too many. Traits of equal names add up.
    void add(std::string_view name, Traits traits);

    /// `word` as it stands in a statement. None: it is not watched.
    [[nodiscard]] Traits find(std::string_view word) const;

    /// Words with other last letters are not watched.
    [[nodiscard]] std::uint32_t endings() const { return endings_; }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    std::vector<std::pair<std::string, Traits>> entries_; // sorted by name
    std::uint32_t endings_ = 0;
};

} // namespace pgweir::session
