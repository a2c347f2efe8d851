// pin = "error": statements that would tie their client to one server are refused in PostgreSQL's
// manner. It gets a text that it cannot understand, so that a transaction fails as it should, and
// its error is replaced by ours.
#pragma once

#include <pgweir/session/parts.hpp>
#include <pgweir/wire/messages.hpp>

#include <string_view>

namespace pgweir::session {

struct Knowledge;
struct SqlReading;

/// What the statements will certainly leave in the session that no other server can be given.
[[nodiscard]] Parts certain_pins(const SqlReading& reading, const Knowledge& knowledge);

/// Sent instead of the statement. It says so itself in PostgreSQL's log.
inline constexpr std::string_view refused_text = "refused by pgweir: see its setting pool.pin";

/// 0A000, naming the feature; in a transaction that has failed already, 25P02.
[[nodiscard]] wire::ErrorText pin_refusal(Parts refused, bool has_failed);

} // namespace pgweir::session
