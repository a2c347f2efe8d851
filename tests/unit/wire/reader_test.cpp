#include <pgweir/wire/reader.hpp>

#include <doctest/doctest.h>

#include <string_view>

using namespace pgweir;
using namespace std::string_view_literals;
using wire::Reader;

TEST_CASE("wire/reader: fields are read in their order")
{
    Reader reader{as_bytes("\x01\x02\x03\x04\x05\x06\x07name\0rest"sv)};
    CHECK(reader.u8() == 1);
    CHECK(reader.be16() == 0x0203);
    CHECK(reader.be32() == 0x04050607);
    CHECK(reader.cstring() == "name");
    CHECK(as_text(reader.rest()) == "rest");
    CHECK(as_text(reader.bytes(4)) == "rest");
    CHECK(reader.ok());
    CHECK(reader.at_end());
}

TEST_CASE("wire/reader: an integer that is not all there is zero, and a failure")
{
    Reader of_8{{}};
    CHECK(of_8.u8() == 0);
    CHECK_FALSE(of_8.ok());

    Reader of_16{as_bytes("\x01"sv)};
    CHECK(of_16.be16() == 0);
    CHECK_FALSE(of_16.ok());

    Reader of_32{as_bytes("\x01\x02\x03"sv)};
    CHECK(of_32.be32() == 0);
    CHECK_FALSE(of_32.ok());
}

TEST_CASE("wire/reader: a string without its zero is a failure, not the rest of the message")
{
    Reader reader{as_bytes("name"sv)};
    CHECK(reader.cstring().empty());
    CHECK_FALSE(reader.ok());
}

TEST_CASE("wire/reader: an empty string is a string")
{
    Reader reader{as_bytes("\0"sv)};
    CHECK(reader.cstring().empty());
    CHECK(reader.ok());
    CHECK(reader.at_end());
}

TEST_CASE("wire/reader: no bytes are there always, more than there are never")
{
    Reader reader{as_bytes("ab"sv)};
    CHECK(reader.bytes(0).empty());
    CHECK(reader.ok());
    CHECK(reader.bytes(static_cast<std::size_t>(-1)).empty());
    CHECK_FALSE(reader.ok());
}

TEST_CASE("wire/reader: after a failure nothing is read any more")
{
    Reader reader{as_bytes("\x01\x02\x03"sv)};
    CHECK(reader.be32() == 0);
    CHECK(reader.u8() == 0);
    CHECK(reader.bytes(0).empty());
    CHECK(reader.rest().empty());
    CHECK_FALSE(reader.ok());
}
