#include <pgweir/auth/crypto.hpp>

#include <pgweir/auth/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace pgweir;

namespace {

std::string hex(Bytes bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4U];
        text += digits[std::to_integer<unsigned>(byte) & 0x0FU];
    }
    return text;
}

} // namespace

TEST_CASE("auth/crypto: SHA-256 gives the digests of FIPS 180-4")
{
    CHECK(
        hex(auth::sha256(as_bytes("abc")))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    CHECK(
        hex(auth::sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

TEST_CASE("auth/crypto: HMAC-SHA-256 gives the code of RFC 4231, case 2")
{
    CHECK(
        hex(auth::hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

TEST_CASE("auth/crypto: an empty HMAC key is a key, not the one of the call before")
{
    const auto other = auth::hmac_sha256(as_bytes("key"), {});
    CHECK(auth::hmac_sha256({}, {}) != other);
    CHECK(
        hex(auth::hmac_sha256({}, {}))
        == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    );
}

TEST_CASE("auth/crypto: PBKDF2 gives the key of RFC 7914, section 11")
{
    CHECK(
        hex(auth::pbkdf2_sha256("passwd", as_bytes("salt"), 1))
        == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    );
}

TEST_CASE("auth/crypto: MD5 gives the digests of RFC 1321")
{
    CHECK(auth::md5_hex("").value() == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(auth::md5_hex("message digest").value() == "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST_CASE("auth/crypto: random bytes are not the same twice")
{
    std::set<auth::Digest> seen;
    for (int i = 0; i < 100; ++i) {
        auth::Digest bytes{};
        auth::random_bytes(bytes);
        CHECK(seen.insert(bytes).second);
    }
}

TEST_CASE("auth/crypto: bytes are equal when all of them are, and there are as many")
{
    CHECK(auth::constant_time_equal(as_bytes("secret"), as_bytes("secret")));
    CHECK(auth::constant_time_equal({}, {}));
    CHECK_FALSE(auth::constant_time_equal(as_bytes("secret"), as_bytes("secreT")));
    CHECK_FALSE(auth::constant_time_equal(as_bytes("secret"), as_bytes("secre")));
    CHECK_FALSE(auth::constant_time_equal(as_bytes("secret"), {}));
}

TEST_CASE("auth/crypto: base64 gives the texts of RFC 4648, and reads them back")
{
    constexpr std::string_view plain = "foobar";
    constexpr std::array<std::string_view, 7> encoded{
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
    };
    for (std::size_t size = 0; size < encoded.size(); ++size) {
        CAPTURE(size);
        const auto text = plain.substr(0, size);
        CHECK(auth::base64_encode(as_bytes(text)) == encoded[size]);

        const auto decoded = auth::base64_decode(encoded[size]);
        REQUIRE(decoded.has_value());
        CHECK(as_text(*decoded) == text);
    }
}

TEST_CASE("auth/crypto: base64 carries every byte")
{
    Buffer bytes;
    for (unsigned value = 0; value < 256; ++value) {
        bytes.push_back(static_cast<std::byte>(value));
        CHECK(auth::base64_decode(auth::base64_encode(bytes)) == bytes);
    }
}

TEST_CASE("auth/crypto: base64 accepts no second spelling of the same bytes")
{
    using namespace std::string_view_literals;

    for (const auto text : {
             "Zg"sv,       // no padding
             "Zg="sv,      // half of it
             "Zg==="sv,    // too much
             "Z==="sv,     // six bits are no byte
             "===="sv,     // padding of nothing
             "="sv,        //
             "Zh=="sv,     // bits behind the last byte
             "Zm9="sv,     // the same, of two bytes
             "Zg==Zg=="sv, // padding in the middle
             "Zm9v\n"sv,   // white space
             " Zm9v"sv,    //
             "Zm 9v"sv,    //
             "Zm9v\n\n\n\n"sv,
             "Zm-_"sv, // the alphabet of URLs
             "Zm9\0"sv,
             "Zm9\xFF"sv,
         }) {
        CAPTURE(text);
        CHECK_FALSE(auth::base64_decode(text).has_value());
    }
}

TEST_CASE("auth/crypto: base64 of a digest has the size of a digest")
{
    const auto digest = auth::sha256(as_bytes("abc"));
    const std::string text = auth::base64_encode(digest);

    CHECK(auth::base64_decode_digest(text) == digest);
    CHECK_FALSE(auth::base64_decode_digest("").has_value());
    CHECK_FALSE(auth::base64_decode_digest(text.substr(4)).has_value());
    CHECK_FALSE(auth::base64_decode_digest("AAAA" + text).has_value());
}
