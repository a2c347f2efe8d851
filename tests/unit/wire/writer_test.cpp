#include <pgweir/wire/writer.hpp>

#include <doctest/doctest.h>

#include <string_view>

using namespace pgweir;
using namespace std::string_view_literals;
using wire::Writer;

TEST_CASE("wire/writer: the length counts itself and the body, not the type")
{
    Buffer out;
    Writer{out, 'X'}.u8(1).be16(0x0203).be32(0x04050607).cstring("ab").finish();
    CHECK(
        as_text(out)
        == "X\0\0\0\x0e\x01\x02\x03\x04\x05\x06\x07"
           "ab\0"sv
    );
}

TEST_CASE("wire/writer: a message without a body is five bytes")
{
    Buffer out;
    Writer{out, 'S'}.finish();
    CHECK(as_text(out) == "S\0\0\0\x04"sv);
}

TEST_CASE("wire/writer: a startup packet has no type")
{
    Buffer out;
    Writer{out, 0}.be32(7).finish();
    CHECK(as_text(out) == "\0\0\0\x08\0\0\0\x07"sv);
}

TEST_CASE("wire/writer: messages follow each other, and each has its own length")
{
    Buffer out;
    Writer{out, 'a'}.u8(1).finish();
    Writer{out, 'b'}.text("xyz").finish();
    CHECK(
        as_text(out)
        == "a\0\0\0\x05\x01"
           "b\0\0\0\x07xyz"sv
    );
}

TEST_CASE("wire/writer: bytes that somebody else sends count too")
{
    Buffer out;
    Writer{out, 'd'}.text("ab").finish(1'000);
    CHECK(
        as_text(out)
        == "d\0\0\x03\xee"
           "ab"sv
    );
}
