#include <pgweir/net/class_notes.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace pgweir;
using pgweir::net::ClassNotes;

TEST_CASE("net/class_notes: a class is noted once for each application")
{
    ClassNotes notes;
    const pool::ClassId id{7};
    CHECK_FALSE(notes.contains(id, "web"));
    notes.add({id, "web", "SELECT ?"});
    notes.add({id, "web", "SELECT ?"});
    notes.add({id, "batch", "SELECT ?"});
    CHECK(notes.contains(id, "web"));
    CHECK_FALSE(notes.contains(pool::ClassId{8}, "web"));
    CHECK(notes.read().size() == 2);
}

TEST_CASE("net/class_notes: of too many the oldest goes")
{
    ClassNotes notes;
    for (std::size_t i = 0; i <= ClassNotes::size_max; ++i) {
        notes.add({pool::ClassId{i + 1}, "web", std::to_string(i)});
    }
    CHECK(notes.read().size() == ClassNotes::size_max);
    CHECK(notes.read().front().statement == "1");
    CHECK_FALSE(notes.contains(pool::ClassId{1}, "web"));
}
