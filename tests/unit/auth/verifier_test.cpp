#include <pgweir/auth/verifier.hpp>

#include <pgweir/auth/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace pgweir;

namespace {

// What PostgreSQL 15 stored for these passwords.
struct Stored {
    std::string_view password;
    std::string_view verifier;
};
constexpr Stored pencil{
    "pencil",
    "SCRAM-SHA-256$4096:5lC0k1hF2hgXjt9qmK//zg==$zEP9m4OhAQtzlyVaHXwlzh0gSbtd5CoyMhE59FfyahA="
    ":dd0djDJJ/7zc5GDVNN+IFkmN1kHSXY5v91X8FJpNdWc="
};
constexpr std::array others{
    Stored{
        "I\u00ADX", // a soft hyphen is mapped to nothing
        "SCRAM-SHA-256$4096:cNiN8k4Hl6PMbdUAlHLvKw==$H4nAliB2lYrCrYsCBvFlgv0YqOGMc0mlG1MhouHhDxM="
        ":pHIbTd/nXCKtz5NIB5m496n82qXdvnP1oC5lJjTq4E0="
    },
    Stored{
        "\u0221\u00ADx", // not assigned in Unicode 3.2: prohibited, so all is taken as it is
        "SCRAM-SHA-256$4096:h6m9OBB1dEq7HTlMbTE8tg==$gWW9wvSCeEstd6uJp12lMf0Tf1XUmpDr8DN8mTp02WU="
        ":wVcvws2xDaS/bCqmpZwKJg5MuN3Kq2H1oqr105s5tVw="
    },
    Stored{
        "\u2168 \u00A0\u00AA", // a roman nine, a space that does not break, a raised a
        "SCRAM-SHA-256$4096:PwQ1POetlNY7n1y4ZSfoOA==$zw0e4tVfhkwxU3TX++RfOa1bBBjCHwTlQqMBFKVTC5E="
        ":HFJA2XBJqm7Fcd1rV5BfilRTCVVLDMFcDS9G6VVfRWk="
    },
    Stored{
        "\u00AD", // nothing would be left
        "SCRAM-SHA-256$4096:MbVvCXVd9BriWB1rN1GmOw==$Yiox/n66Jm4mNx3UFp6eXk6CrEbuaKc1iCReFlSlV/I="
        ":p3nH9dF00ivE61fwOA6e62KYvlwvIhI5LiOgw37Fzfo="
    },
    Stored{
        "tab\there", // a control character is prohibited
        "SCRAM-SHA-256$4096:FUof4IKrZII0Nl7BckPRUA==$LmsW5CFvKkEJ7KhAqnOtqxzNbwa2LNrsRV0MBeOyIek="
        ":/GJW9qC8+o5DLyQNErh68tHFqka6ayzm0xGyQfkfMw0="
    },
    Stored{
        "caf\u00E9\x07", // so that the rest is not composed either
        "SCRAM-SHA-256$4096:aCvmLqawHfysTsHrRwuQWA==$9uBo3fxGvrjsMrQil+WZWSmJNMjo/Nx+QXfUvIGdwco="
        ":9DG9bWeZ7tacpBYzNcKMGK2+c7wD/ZOL4mHj+nf9GGE="
    },
    Stored{
        "e\u0301\u1680\u200Bz", // composed; a space, and one that is a space before it is nothing
        "SCRAM-SHA-256$4096:w8qZ+dBRo2Lq+mugxw4vEw==$8ch539TRSeI0gSkkih8r7tWJ2n77rlVWO7+FQubBTaI="
        ":Dirm0PBOCFxy01FOiWFfye0esCgsRpUxVcqjF9brLUI="
    },
    Stored{
        "\u0627\u0031", // right to left, and ends the other way round
        "SCRAM-SHA-256$4096:LuRBMg5DntTnB0do5xN4Ww==$Jk8+EaG/PEy1am8HDqOyDukFzdfSFFjIXdmW/xGG+Kw="
        ":0R4VnolziDtlgKpyOEHHx9oChyQ69yC0jPOac/3rW+w="
    },
};

auth::ScramVerifier scram(std::string_view stored)
{
    const auto verifier = auth::parse_verifier(stored);
    REQUIRE(verifier.has_value());
    REQUIRE(std::holds_alternative<auth::ScramVerifier>(*verifier));
    return std::get<auth::ScramVerifier>(*verifier);
}

std::string replaced(std::string_view from, std::string_view to)
{
    std::string text{pencil.verifier};
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("auth/verifier: what PostgreSQL stored is read and written byte for byte")
{
    const auto verifier = scram(pencil.verifier);
    CHECK(verifier.iterations == 4'096);
    CHECK(auth::base64_encode(verifier.salt) == "5lC0k1hF2hgXjt9qmK//zg==");
    CHECK_FALSE(verifier.is_mock);
    CHECK(auth::to_string(verifier) == pencil.verifier);
}

TEST_CASE("auth/verifier: we store a password exactly as PostgreSQL does")
{
    const auto salt = scram(pencil.verifier).salt;
    CHECK(auth::to_string(auth::make_scram_verifier(pencil.password, salt)) == pencil.verifier);
    CHECK(auth::to_string(auth::make_scram_verifier("Pencil", salt)) != pencil.verifier);
}

TEST_CASE("auth/verifier: also where SASLprep changes the password, or may not")
{
    for (const auto& [password, stored] : others) {
        CAPTURE(password);
        const auto salt = scram(stored).salt;
        CHECK(auth::to_string(auth::make_scram_verifier(password, salt)) == stored);
    }
}

TEST_CASE("auth/verifier: SASLprep gives the examples of RFC 4013")
{
    CHECK(auth::saslprep("I\u00ADX") == "IX");
    CHECK(auth::saslprep("user") == "user");
    CHECK(auth::saslprep("USER") == "USER");
    CHECK(auth::saslprep("\u00AA") == "a");
    CHECK(auth::saslprep("\u2168") == "IX");
}

TEST_CASE("auth/verifier: bytes that SASLprep cannot read stay as they are")
{
    using namespace std::string_view_literals;

    for (const auto password : {
             "\xFF\xFE"sv,         // never UTF-8
             "caf\xE9"sv,          // Latin-1
             "\xC0\xAF"sv,         // a slash, overlong
             "\xED\xA0\x80"sv,     // half of a surrogate pair
             "\xF4\x90\x80\x80"sv, // beyond the last code point
             "a\xE2\x82"sv,        // cut off
             "a\0b"sv,
             "a\x07"sv, // prohibited
             ""sv,
         }) {
        CAPTURE(password.size());
        CHECK(auth::saslprep(password) == password);
    }
}

TEST_CASE("auth/verifier: md5 is the prefix and 32 digits, anything else is a password")
{
    using auth::Md5Verifier;
    using auth::PlainPassword;
    const std::string digits = "a2286e2058e8275f4419293789626063";

    CHECK(auth::parse_verifier("md5" + digits).value() == auth::Verifier{Md5Verifier{digits}});

    for (const std::string& text : {
             "md5" + digits + "0",
             "md5" + digits.substr(1),
             "md5" + digits.substr(1) + "g",
             "md5" + digits.substr(1) + "A", // PostgreSQL writes, and reads, lower case
             "MD5" + digits,
             digits,
             std::string{"SCRAM-SHA-1$4096:"},
             std::string{"secret"},
         }) {
        CAPTURE(text);
        CHECK(auth::parse_verifier(text).value() == auth::Verifier{PlainPassword{text}});
    }
}

TEST_CASE("auth/verifier: no password is none, and so is one that nobody could send")
{
    CHECK(auth::parse_verifier("").error() == auth::Errc::bad_verifier);
    CHECK(auth::parse_verifier({"a\0b", 3}).error() == auth::Errc::bad_verifier);

    const std::string longest(auth::password_size_max, 'x');
    CHECK(auth::parse_verifier(longest).has_value());
    CHECK(auth::parse_verifier(longest + "x").error() == auth::Errc::bad_verifier);
}

TEST_CASE("auth/verifier: a broken SCRAM verifier is an error, and not an odd password")
{
    const std::string salt_max = auth::base64_encode(Buffer(auth::salt_size_max));
    const std::string salt_beyond = auth::base64_encode(Buffer(auth::salt_size_max + 1));
    const std::string_view salt = "5lC0k1hF2hgXjt9qmK//zg==";

    CHECK(scram(replaced("4096", "1")).iterations == 1);
    CHECK(scram(replaced("4096", "1000000")).iterations == auth::scram_iterations_max);
    CHECK(scram(replaced(salt, salt_max)).salt.size() == auth::salt_size_max);

    for (const std::string& text : {
             replaced("4096", "0"),
             replaced("4096", "1000001"),
             replaced("4096", "4294967297"), // 1, if it wrapped
             replaced("4096", "99999999999999999999"),
             replaced("4096", "-1"),
             replaced("4096", "+1"),
             replaced("4096", " 1"),
             replaced("4096", "0x10"),
             replaced("4096", ""),
             replaced(salt, ""),
             replaced(salt, salt_beyond),
             replaced("//zg==", "//zg="),
             replaced("$zEP9", "$EP9"),
             replaced("$zEP9", ":zEP9"),
             replaced(":dd0d", "$dd0d"),
             replaced(":dd0d", ":"),
             replaced("dWc=", "dWc=="),
             replaced("dWc=", "dWc=\n"),
             replaced("dWc=", "dWc=:"),
         }) {
        CAPTURE(text);
        CHECK(auth::parse_verifier(text).error() == auth::Errc::bad_verifier);
    }
}

TEST_CASE("auth/verifier: every piece of a SCRAM verifier is missed")
{
    const std::string_view prefix = "SCRAM-SHA-256$";
    for (auto size = prefix.size(); size < pencil.verifier.size(); ++size) {
        CAPTURE(size);
        const auto parsed = auth::parse_verifier(pencil.verifier.substr(0, size));
        CHECK(parsed.error() == auth::Errc::bad_verifier);
    }
}

TEST_CASE("auth/verifier: a mock has the same salt every time, another for each name and process")
{
    const auth::Digest secret = auth::sha256(as_bytes("one process"));
    const auth::Digest other_secret = auth::sha256(as_bytes("another"));
    const auto mock = auth::make_mock_verifier("alice", secret);

    CHECK(mock.is_mock);
    CHECK(mock.salt.size() == auth::scram_salt_size);
    CHECK(mock.iterations == auth::scram_iterations);
    CHECK(mock == auth::make_mock_verifier("alice", secret));
    CHECK(mock.salt != auth::make_mock_verifier("bob", secret).salt);
    CHECK(mock.salt != auth::make_mock_verifier("alice", other_secret).salt);
}
