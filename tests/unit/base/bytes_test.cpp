#include <pgweir/base/bytes.hpp>

#include <doctest/doctest.h>

#include <array>

using namespace pgweir;

TEST_CASE("base/bytes: integers are big-endian")
{
    constexpr std::array in{std::byte{0x01}, std::byte{0x02}, std::byte{0x03}, std::byte{0x04}};
    CHECK(load_be16(in.data()) == 0x0102);
    CHECK(load_be32(in.data()) == 0x01020304);
}

TEST_CASE("base/bytes: the highest bit is no sign")
{
    constexpr std::array in{std::byte{0xff}, std::byte{0xfe}, std::byte{0xfd}, std::byte{0xfc}};
    CHECK(load_be16(in.data()) == 0xfffe);
    CHECK(load_be32(in.data()) == 0xfffefdfc);
}

TEST_CASE("base/bytes: what is stored is loaded again")
{
    for (const std::uint32_t value : {0U, 1U, 0x80U, 0x12345678U, 0x80000000U, 0xffffffffU}) {
        std::array<std::byte, 4> bytes{};
        store_be32(bytes.data(), value);
        CHECK(load_be32(bytes.data()) == value);
    }
}

TEST_CASE("base/bytes: text and bytes are two views of the same memory")
{
    const std::string_view text{"a\0b", 3};
    CHECK(as_text(as_bytes(text)) == text);
    CHECK(as_text(as_bytes(text)).data() == text.data());
    CHECK(as_text(Bytes{}).empty());
}

TEST_CASE("base/bytes: append adds at the end")
{
    Buffer buffer;
    append(buffer, as_bytes("ab"));
    append(buffer, {});
    append(buffer, as_bytes("c"));
    CHECK(as_text(buffer) == "abc");
}
