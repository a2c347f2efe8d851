#include <pgweir/wire/messages.hpp>

#include <pgweir/wire/frame.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir;
using namespace pgweir::wire;
using namespace std::string_view_literals;

namespace {

Bytes body_of(const Buffer& message) { return Bytes{message}.subspan(frame_header_size); }

} // namespace

TEST_CASE("wire/messages: Parse is read as it was written")
{
    Buffer out;
    append_parse(out, "s1", "SELECT $1", as_bytes("\0\x01\0\0\0\x17"sv));
    const auto parse = read_parse(body_of(out));
    REQUIRE(parse.has_value());
    CHECK(parse->name == "s1");
    CHECK(parse->query == "SELECT $1");
    CHECK(as_text(parse->types) == "\0\x01\0\0\0\x17"sv);
}

TEST_CASE("wire/messages: a Parse cut short anywhere is refused")
{
    const auto body = "s1\0SELECT\0\0\x01\0\0\0\x17"sv;
    REQUIRE(read_parse(as_bytes(body)).has_value());
    for (std::size_t size = 0; size < body.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(read_parse(as_bytes(body.substr(0, size))).has_value());
    }
}

TEST_CASE("wire/messages: a Parse whose count of types lies is refused")
{
    CHECK_FALSE(read_parse(as_bytes("\0q\0\xff\xff\0\0\0\x17"sv)).has_value());
    CHECK_FALSE(read_parse(as_bytes("\0q\0\0\0\0\0\0\x17"sv)).has_value());
}

TEST_CASE("wire/messages: the front of Bind is enough for its names")
{
    const auto head = read_bind_head(as_bytes("p\0stmt\0\0\x01 and so on"sv));
    REQUIRE(head.has_value());
    CHECK(head->portal == "p");
    CHECK(head->statement == "stmt");
    CHECK(head->size == 7);
}

TEST_CASE("wire/messages: a Bind whose names are not all there must be waited for")
{
    for (const auto part : {""sv, "p"sv, "p\0"sv, "p\0stmt"sv}) {
        CAPTURE(part);
        CHECK_FALSE(read_bind_head(as_bytes(part)).has_value());
    }
}

TEST_CASE("wire/messages: Describe and Close are read as they were written")
{
    Buffer out;
    append_target(out, client_type::describe, 'S', "s1");
    CHECK(std::to_integer<char>(out[0]) == 'D');
    const auto target = read_target(body_of(out));
    REQUIRE(target.has_value());
    CHECK(target->kind == 'S');
    CHECK(target->name == "s1");
}

TEST_CASE("wire/messages: a malformed Describe or Close is refused")
{
    for (const auto body : {""sv, "S"sv, "Sname"sv, "Sname\0x"sv}) {
        CAPTURE(body);
        CHECK_FALSE(read_target(as_bytes(body)).has_value());
    }
}

TEST_CASE("wire/messages: ParameterStatus needs both of its strings")
{
    const auto parameter = read_parameter(as_bytes("TimeZone\0UTC\0"sv));
    REQUIRE(parameter.has_value());
    CHECK(parameter->name == "TimeZone");
    CHECK(parameter->value == "UTC");
    CHECK_FALSE(read_parameter(as_bytes("TimeZone\0UTC"sv)).has_value());
    CHECK_FALSE(read_parameter({}).has_value());
}

TEST_CASE("wire/messages: an error is read as it was written")
{
    Buffer out;
    append_error(out, {"FATAL", "53300", "no room", "a detail", "a hint"});
    CHECK(peek_header(out, 1'024).value() == FrameHeader{'E', 49});
    const auto fields = read_error(body_of(out));
    CHECK(fields.severity == "FATAL");
    CHECK(fields.sqlstate == "53300");
    CHECK(fields.message == "no room");
    CHECK(fields.detail == "a detail");
    CHECK(fields.hint == "a hint");
}

TEST_CASE("wire/messages: empty detail and hint are left out of an error")
{
    Buffer out;
    append_error(out, {"ERROR", "08006", "gone", {}, {}});
    CHECK(as_text(body_of(out)) == "SERROR\0VERROR\0C08006\0Mgone\0\0"sv);
}

TEST_CASE("wire/messages: the untranslated severity wins, wherever it stands")
{
    CHECK(read_error(as_bytes("SFEHLER\0VERROR\0\0"sv)).severity == "ERROR");
    CHECK(read_error(as_bytes("VERROR\0SFEHLER\0\0"sv)).severity == "ERROR");
    CHECK(read_error(as_bytes("SFEHLER\0\0"sv)).severity == "FEHLER"); // before 9.6
}

TEST_CASE("wire/messages: an error without SQLSTATE, or without anything, has empty fields")
{
    CHECK(read_error(as_bytes("Mgone\0\0"sv)).sqlstate.empty());
    CHECK(read_error(as_bytes("\0"sv)).message.empty());
    CHECK(read_error({}).message.empty());
}

TEST_CASE("wire/messages: an error cut short keeps the fields before the cut")
{
    const auto fields = read_error(as_bytes("C57P01\0Mgoing dow"sv));
    CHECK(fields.sqlstate == "57P01");
    CHECK(fields.message.empty());
}

TEST_CASE("wire/messages: fields of newer servers are skipped")
{
    CHECK(read_error(as_bytes("zunheard of\0Mgone\0\0"sv)).message == "gone");
}

TEST_CASE("wire/messages: a row tells NULL from an empty string")
{
    Buffer out;
    append_row(out, {std::nullopt, "", "ab"});
    CHECK(
        as_text(body_of(out))
        == "\0\x03\xff\xff\xff\xff\0\0\0\0\0\0\0\x02"
           "ab"sv
    );
}

TEST_CASE("wire/messages: columns of a console are text")
{
    Buffer out;
    append_row_description(out, {"name"});
    CHECK(
        as_text(body_of(out)) == "\0\x01name\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"sv
    );
}

TEST_CASE("wire/messages: refused protocol options are listed after their count")
{
    Buffer out;
    append_negotiate_protocol(out, {3, 2}, {"_pq_.a", "_pq_.b"});
    CHECK(as_text(body_of(out)) == "\0\x03\0\x02\0\0\0\x02_pq_.a\0_pq_.b\0"sv);
}

TEST_CASE("wire/messages: a first SASL response carries its length")
{
    Buffer out;
    append_sasl_initial(out, "SCRAM-SHA-256", "n,,r=x");
    CHECK(as_text(body_of(out)) == "SCRAM-SHA-256\0\0\0\0\x06n,,r=x"sv);
}
