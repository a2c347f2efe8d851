#include <pgweir/base/log.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;

namespace {

std::string text(std::string_view value)
{
    return format_log_line(LogFormat::text, LogLevel::info, "login", {{"user", value}});
}

std::string json(std::string_view value)
{
    return format_log_line(LogFormat::json, LogLevel::info, "login", {{"user", value}});
}

} // namespace

TEST_CASE("base/log: a plain value needs no quotes")
{
    CHECK(text("alice") == "level=info event=login user=alice");
}

TEST_CASE("base/log: an empty value is quoted, or the next key would be taken for it")
{
    CHECK(text("") == R"(level=info event=login user="")");
}

TEST_CASE("base/log: a client cannot forge a field or a line")
{
    CHECK(text("a level=error") == R"(level=info event=login user="a level=error")");
    CHECK(text("a\nlevel=error") == R"(level=info event=login user="a\nlevel=error")");
    CHECK(text(R"(a" b="c)") == R"(level=info event=login user="a\" b=\"c")");
    CHECK(text(R"(a\)") == R"(level=info event=login user="a\\")");
}

TEST_CASE("base/log: control bytes never reach a terminal")
{
    CHECK(text("\x1b[2J") == R"(level=info event=login user="\u001b[2J")");
    CHECK(text("\x7f") == R"(level=info event=login user="\u007f")");
    CHECK(text(std::string_view{"a\0b", 3}) == R"(level=info event=login user="a\u0000b")");
}

TEST_CASE("base/log: letters of other languages stay readable")
{
    CHECK(text("Zoë") == "level=info event=login user=Zoë");
    CHECK(json("Zoë") == R"("level":"info","event":"login","user":"Zoë"})");
}

TEST_CASE("base/log: what is no UTF-8 is shown as such, and breaks no line")
{
    CHECK(json("Zo\xeb!") == R"("level":"info","event":"login","user":"Zo\ufffd!"})");
    CHECK(json("\xe2\x82") == R"("level":"info","event":"login","user":"\ufffd\ufffd"})");
    CHECK(json("\xed\xa0\x80") == R"("level":"info","event":"login","user":"\ufffd\ufffd\ufffd"})");
    CHECK(json("\xc0\x80") == R"("level":"info","event":"login","user":"\ufffd\ufffd"})");
    CHECK(text("Zo\xeb") == R"(level=info event=login user="Zo\ufffd")");
}

TEST_CASE("base/log: a JSON line escapes what a string may not hold")
{
    CHECK(json("a\"\\\n\t") == R"("level":"info","event":"login","user":"a\"\\\n\u0009"})");
}

TEST_CASE("base/log: numbers are numbers in JSON")
{
    const auto line = format_log_line(LogFormat::json, LogLevel::warning, "waited", {{"ms", -12}});
    CHECK(line == R"("level":"warning","event":"waited","ms":-12})");
}

TEST_CASE("base/log: an event without fields is a whole line")
{
    CHECK(
        format_log_line(LogFormat::text, LogLevel::error, "stopped", {})
        == "level=error event=stopped"
    );
    CHECK(
        format_log_line(LogFormat::json, LogLevel::debug, "stopped", {})
        == R"("level":"debug","event":"stopped"})"
    );
}

TEST_CASE("base/log: only what is important enough is written")
{
    configure_log(LogLevel::warning, LogFormat::text);
    CHECK_FALSE(log_enabled(LogLevel::info));
    CHECK(log_enabled(LogLevel::warning));
    CHECK(log_enabled(LogLevel::error));
    configure_log(LogLevel::info, LogFormat::text);
}
