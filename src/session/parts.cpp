#include <pgweir/session/parts.hpp>

#include <array>
#include <string_view>

namespace pgweir::session {

namespace {

struct NamedPart {
    Part part;
    std::string_view name;
};

constexpr std::array named_parts{
    NamedPart{Part::settings, "settings"},
    NamedPart{Part::held_cursors, "held_cursors"},
    NamedPart{Part::temp_objects, "temp_objects"},
    NamedPart{Part::advisory_locks, "advisory_locks"},
    NamedPart{Part::prepared_statements, "prepared_statements"},
    NamedPart{Part::channels, "channels"},
    NamedPart{Part::libraries, "libraries"},
    NamedPart{Part::random_seed, "random_seed"},
    NamedPart{Part::sequences, "sequences"},
    NamedPart{Part::functions, "functions"},
    NamedPart{Part::catalog, "catalog"},
};

} // namespace

std::string names_of(Parts parts)
{
    std::string names;
    for (const NamedPart& each : named_parts) {
        if (!parts.has(each.part)) continue;
        if (!names.empty()) names += ", ";
        names += each.name;
    }
    return names;
}

} // namespace pgweir::session
