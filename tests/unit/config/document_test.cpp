#include <pgweir/config/document.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir::config;

namespace {

std::string kind_of(const Value& value)
{
    const std::vector<std::string> names{
        "table", "untyped", "bool", "integer", "string", "list", "foreign"
    };
    return names.at(value.index());
}

std::string read(const std::string& text)
{
    std::vector<Problem> problems;
    std::string out;
    for (const Entry& entry : read_document(text, "dir/pgweir.toml", problems)) {
        out += std::to_string(entry.place.line) + " " + entry.place.key + " " + kind_of(entry.value)
               + "\n";
        CHECK(entry.place.directory == "dir");
    }
    return out + report(problems);
}

} // namespace

TEST_CASE("config/document: every value has its line and its whole key, in the order of the file")
{
    CHECK(read(R"(listen = ["a:1", "b:2"]
worker_threads = 2

[pool]
size = 20
prepare_unnamed = true
mode = "session"
odd = [1, 2]
odder = 1979-05-27

[databases."my.app"]
upstream = "x"
pool = { size = 3 }
)") == R"(1 listen list
2 worker_threads integer
4 pool table
5 pool.size integer
6 pool.prepare_unnamed bool
7 pool.mode string
8 pool.odd foreign
9 pool.odder foreign
11 databases table
11 databases."my.app" table
12 databases."my.app".upstream string
13 databases."my.app".pool table
13 databases."my.app".pool.size integer
)");
}

TEST_CASE("config/document: a syntax error has a line, and shows nothing that may be secret")
{
    CHECK(
        read("listen = [\"a:1\"]\n[users.app]\npassword = hunter2\n")
        == "dir/pgweir.toml:3: is not valid TOML: unknown value appeared\n"
    );
    CHECK(
        read("[users.app]\npassword = \"hunter2\npassword_file = \"x\"\n").find("hunter2")
        == std::string::npos
    );
}

TEST_CASE("config/document: a key that is given twice is a problem")
{
    CHECK(read("http = \"\"\nhttp = \"\"\n").starts_with("dir/pgweir.toml:"));
}

TEST_CASE("config/document: a text that is not UTF-8 is refused before anybody reads it")
{
    using namespace std::string_literals;
    CHECK(read("# \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x98\nhttp = ''\n") == "2 http string\n");
    for (const auto& bad :
         {"\x91"s,
          "\xC0\xAF"s,
          "\xE0\x80\xAF"s,
          "\xED\xA0\x80"s,
          "\xF4\x90\x80\x80"s,
          "\xF5"s,
          "\xC3"s,
          "\xE2\x82"s,
          "\0"s}) {
        CHECK(
            read("http = ''\nlisten = 'x" + bad + "'\n") == "dir/pgweir.toml:2: is not UTF-8 text\n"
        );
    }
}
