#include <pgweir/session/parts.hpp>

#include <doctest/doctest.h>

using namespace pgweir::session;

TEST_CASE("session/parts: every part has a name for people")
{
    CHECK(
        names_of(askable_parts | pinning_parts | Part::catalog)
        == "settings, held_cursors, temp_objects, advisory_locks, prepared_statements, channels, "
           "libraries, random_seed, sequences, functions, catalog"
    );
    CHECK(names_of({}) == "");
    CHECK(names_of(Part::channels) == "channels");
    CHECK(names_of(Parts{Part::channels} | Part::temp_objects) == "temp_objects, channels");
}

TEST_CASE("session/parts: what cannot be asked cannot be given away either")
{
    CHECK(
        names_of(pinning_parts.without(askable_parts))
        == "libraries, random_seed, sequences, functions"
    );
    CHECK(names_of(askable_parts.without(pinning_parts)) == "settings");
}
