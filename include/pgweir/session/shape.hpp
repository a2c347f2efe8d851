// What a client is told of the rows of a statement, so that it is given no others (D-022).
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgweir::session {

/// A hash of the names and types of columns, or one of these.
using Shape = std::uint64_t;
inline constexpr Shape shape_untold = 0;
inline constexpr Shape shape_no_rows = 1;
inline constexpr Shape shape_too_long = 2;

/// Rows of another shape must not follow.
[[nodiscard]] constexpr bool binds_rows(Shape told) { return told > shape_too_long; }

/// Of a RowDescription: what PostgreSQL compares before it says that a plan's result has changed.
[[nodiscard]] Shape shape_of_rows(Bytes body);

/// More is not looked at: twice what a table with the most columns and the longest names needs.
inline constexpr std::size_t shape_size_max = 262'144;

/// What a FETCH or an EXECUTE brings depends on what they name, and PostgreSQL lets it change.
[[nodiscard]] bool has_lasting_shape(std::string_view query);

} // namespace pgweir::session
