#include <pgweir/config/files.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir::config;

TEST_CASE("config/files: a file is read as it is, and we know who else could")
{
    const TemporaryDirectory directory;
    using namespace std::string_literals;
    const std::string text = "a\0b\r\n"s;
    directory.write("mine", text, 0600);
    directory.write("group", text, 0640);
    directory.write("everybody", text, 0644);

    CHECK(read_file(directory.path("mine")).value().text == text);
    CHECK_FALSE(read_file(directory.path("mine")).value().is_open_to_others);
    CHECK_FALSE(read_file(directory.path("group")).value().is_open_to_others);
    CHECK(read_file(directory.path("everybody")).value().is_open_to_others);
}

TEST_CASE("config/files: what is no ordinary small file is an error, not a wait")
{
    const TemporaryDirectory directory;
    directory.write("big", std::string((1U << 20U) + 1, 'x'));
    directory.write("largest", std::string(1U << 20U, 'x'));
    REQUIRE(::mkfifo(directory.path("pipe").c_str(), 0600) == 0);

    CHECK(read_file(directory.path("missing")).error().message() == "No such file or directory");
    CHECK(read_file(directory.path()).error().message() == "Is a directory");
    CHECK(read_file(directory.path("pipe")).error().message() == "Invalid argument");
    CHECK(read_file(directory.path("big")).error().message() == "File too large");
    CHECK(read_file(directory.path("largest")).value().text.size() == 1U << 20U);
}

TEST_CASE("config/files: a relative path begins at the directory, an absolute one does not")
{
    CHECK(resolve_path("a/b", "/etc") == "/etc/a/b");
    CHECK(resolve_path("/a", "/etc") == "/a");
    CHECK(resolve_path("a", "") == "a");
    CHECK(resolve_path("", "/etc").empty());
}
