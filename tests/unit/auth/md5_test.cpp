#include <pgweir/auth/md5.hpp>

#include <pgweir/auth/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace pgweir;

namespace {

constexpr std::array salt{std::byte{0x01}, std::byte{0x00}, std::byte{0xFE}, std::byte{0x7F}};

const auth::Verifier plain = auth::PlainPassword{"pencil"};
const auth::Verifier hashed = auth::Md5Verifier{"a2286e2058e8275f4419293789626063"};

} // namespace

TEST_CASE("auth/md5: the hash is what PostgreSQL stored for role c with password pencil")
{
    CHECK(auth::make_md5_verifier("pencil", "c").value().hex == "a2286e2058e8275f4419293789626063");
}

TEST_CASE("auth/md5: a password and its stored hash answer a challenge alike")
{
    const std::string response = auth::md5_response(plain, "c", salt).value();
    CHECK(response == "md51c889ef9397e8d38721b8643dc73947b");
    CHECK(auth::md5_response(hashed, "c", salt).value() == response);
}

TEST_CASE("auth/md5: the right answer is let in, by either stored form")
{
    const std::string response = auth::md5_response(plain, "c", salt).value();
    CHECK_FALSE(auth::check_md5_response(plain, "c", salt, response));
    CHECK_FALSE(auth::check_md5_response(hashed, "c", salt, response));
}

TEST_CASE("auth/md5: any other answer is a wrong password")
{
    const std::string response = auth::md5_response(plain, "c", salt).value();
    constexpr std::array other_salt{salt[0], salt[1], salt[2], std::byte{0x7E}};

    CHECK(auth::check_md5_response(plain, "c", other_salt, response) == auth::Errc::wrong_password);
    CHECK(auth::check_md5_response(plain, "d", salt, response) == auth::Errc::wrong_password);
    for (std::size_t size = 0; size < response.size(); ++size) {
        CAPTURE(size);
        const auto cut = response.substr(0, size);
        CHECK(auth::check_md5_response(hashed, "c", salt, cut) == auth::Errc::wrong_password);

        std::string changed = response;
        changed[size] ^= 1;
        CHECK(auth::check_md5_response(hashed, "c", salt, changed) == auth::Errc::wrong_password);
    }
}

TEST_CASE("auth/md5: a SCRAM verifier cannot answer, nor be answered")
{
    const auth::Verifier scram = auth::make_scram_verifier("pencil", as_bytes("salt"), 1);
    const auto unsupported = auth::Errc::unsupported_mechanism;

    CHECK(auth::md5_response(scram, "c", salt).error() == unsupported);
    CHECK(auth::check_md5_response(scram, "c", salt, "md5") == unsupported);
}
