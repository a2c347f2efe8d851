#include <pgweir/session/pinning.hpp>

#include <pgweir/session/knowledge.hpp>
#include <pgweir/session/sql.hpp>

#include <array>
#include <string>

namespace pgweir::session {

namespace {

struct Feature {
    Part part;
    std::string_view name;
    std::string_view instead;
};

constexpr std::array features{
    Feature{
        .part = Part::temp_objects,
        .name = "temporary tables that outlive their transaction",
        .instead = "use ON COMMIT DROP",
    },
    Feature{
        .part = Part::held_cursors,
        .name = "cursors WITH HOLD",
        .instead = "use a cursor inside a transaction",
    },
    Feature{
        .part = Part::advisory_locks,
        .name = "advisory locks of a session",
        .instead = "use pg_advisory_xact_lock()",
    },
    Feature{
        .part = Part::libraries,
        .name = "LOAD",
        .instead = "use session_preload_libraries",
    },
    Feature{
        .part = Part::random_seed,
        .name = "setseed()",
        .instead = "let the application make its random numbers",
    },
    Feature{
        .part = Part::functions,
        .name = "functions of pool.pin_functions",
        .instead = "call them over a direct connection",
    },
};

} // namespace

Parts certain_pins(const SqlReading& reading, const Knowledge& knowledge)
{
    Parts pins;
    for (const std::string_view name : reading.calls) pins |= knowledge.pinning.find(name);
    const bool may_do_anything = (reading.changes & askable_parts) == askable_parts;
    if (may_do_anything) return pins;
    for (const Feature& feature : features) pins |= reading.changes & feature.part;
    return pins;
}

wire::ErrorText pin_refusal(Parts refused, bool has_failed)
{
    if (has_failed) {
        return {
            "ERROR",
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
            {},
            {}
        };
    }
    for (const Feature& feature : features) {
        if (!refused.has(feature.part)) continue;
        return {
            "ERROR",
            "0A000",
            std::string{feature.name} + " are not allowed: they need a server of one's own",
            "The pool is set to pin = \"error\".",
            "Set pool.pin to \"auto\", or " + std::string{feature.instead} + '.',
        };
    }
    return {"ERROR", "0A000", "the statement needs a server of its own", {}, {}};
}

} // namespace pgweir::session
