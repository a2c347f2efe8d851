// The names of PostgreSQL's own that tell something about a statement.
#pragma once

#include <pgweir/session/sql_traits.hpp>

#include <cstdint>
#include <string_view>

namespace pgweir::session::sql {

/// Of a function without pg_ at its front. Upper and lower case are one.
[[nodiscard]] Traits traits_of_call(std::string_view name);

/// Last letters of those: others need not be asked for.
[[nodiscard]] std::uint32_t endings_of_calls();

/// Of a word that starts with pg_. Nobody calls other things so: it counts wherever it stands.
[[nodiscard]] Traits traits_of_mention(std::string_view name);

} // namespace pgweir::session::sql
