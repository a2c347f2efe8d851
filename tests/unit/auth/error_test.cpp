#include <pgweir/auth/error.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace pgweir;

TEST_CASE("auth/error: every error has words of its own")
{
    const auto last = static_cast<int>(auth::Errc::certificate_without_digest);
    const auto& category = auth::make_error_code(auth::Errc::wrong_password).category();
    const std::string unknown = category.message(last + 1);

    std::set<std::string> messages{unknown};
    for (int value = 1; value <= last; ++value) {
        CAPTURE(value);
        CHECK(messages.insert(category.message(value)).second);
    }
    CHECK(std::string{category.name()} == "auth");
}
