// The parts of a session's state that outlive a transaction: what makes one server connection
// differ from another.
#pragma once

#include <pgweir/base/flags.hpp>

#include <cstdint>
#include <string>

namespace pgweir::session {

enum class Part : std::uint16_t {
    settings = 1U << 0, // parameters, role and session authorization
    held_cursors = 1U << 1,
    temp_objects = 1U << 2,
    advisory_locks = 1U << 3,
    prepared_statements = 1U << 4, // those of SQL's PREPARE
    channels = 1U << 5,            // of LISTEN
    libraries = 1U << 6,           // of LOAD
    random_seed = 1U << 7,
    sequences = 1U << 9,  // what currval() and lastval() tell
    functions = 1U << 10, // what functions leave that the operator has named

    catalog = 1U << 8, // none of the session's: what the database says of itself
};
using Parts = Flags<Part>;

/// What PostgreSQL can be asked about.
inline constexpr Parts askable_parts = Parts{Part::settings} | Part::held_cursors
                                       | Part::temp_objects | Part::advisory_locks
                                       | Part::prepared_statements | Part::channels;

/// What cannot be given to another server: who has it keeps the one he has.
inline constexpr Parts pinning_parts = Parts{Part::held_cursors} | Part::temp_objects
                                       | Part::advisory_locks | Part::prepared_statements
                                       | Part::channels | Part::libraries | Part::random_seed
                                       | Part::sequences | Part::functions;

/// Nobody can be asked whether it is there or gone.
inline constexpr Parts unaskable_pins = Parts{Part::libraries} | Part::random_seed
                                        | Part::functions;

/// For people: "temp_objects, channels".
[[nodiscard]] std::string names_of(Parts parts);

} // namespace pgweir::session
