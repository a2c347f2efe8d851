#include <pgweir/wire/startup.hpp>

#include <pgweir/wire/error.hpp>
#include <pgweir/wire/writer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <variant>

using namespace pgweir;
using namespace pgweir::wire;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

constexpr std::uint32_t version_3_0 = 3U << 16U;

/// A whole packet with a right length.
Buffer packet(std::uint32_t code, std::string_view rest)
{
    Buffer out;
    Writer{out, 0}.be32(code).text(rest).finish();
    return out;
}

std::string text(const TlsRequest& /*request*/) { return "TLS"; }
std::string text(const GssRequest& /*request*/) { return "GSS"; }
std::string text(const CancelRequest& request)
{
    return "cancel " + std::to_string(request.process_id) + " " + request.secret;
}
std::string text(const StartupMessage& startup)
{
    std::string all = std::to_string(startup.version.major) + "."
                      + std::to_string(startup.version.minor);
    for (const auto& [name, value] : startup.parameters) all += " " + name + "=" + value;
    return all;
}

/// What a packet says, or what is wrong with it.
std::string parsed(Bytes bytes)
{
    const auto result = parse_startup_packet(bytes);
    if (!result) return result.error().message();
    return std::visit([](const auto& each) { return text(each); }, *result);
}

} // namespace

TEST_CASE("wire/startup: what we send is what we read")
{
    Buffer tls;
    append_tls_request(tls);
    CHECK(parsed(tls) == "TLS");

    Buffer cancel;
    append_cancel_request(cancel, 4'711, "key!");
    CHECK(parsed(cancel) == "cancel 4711 key!");

    Buffer startup;
    append_startup(startup, {3, 2}, {{"user", "alice"}, {"database", "orders"}});
    CHECK(parsed(startup) == "3.2 user=alice database=orders");
}

TEST_CASE("wire/startup: a request for GSS encryption is known")
{
    CHECK(parsed(packet(80'877'104, "")) == "GSS");
}

TEST_CASE("wire/startup: the last value of a parameter counts, as in PostgreSQL")
{
    const auto result = parse_startup_packet(packet(version_3_0, "user\0a\0user\0b\0\0"sv));
    CHECK(std::get<StartupMessage>(result.value()).find("user") == "b");
    CHECK(std::get<StartupMessage>(result.value()).find("database").empty());
}

TEST_CASE("wire/startup: a value may be empty")
{
    CHECK(parsed(packet(version_3_0, "user\0a\0options\0\0\0"sv)) == "3.0 user=a options=");
}

TEST_CASE("wire/startup: an unknown minor version is reported, not refused")
{
    CHECK(parsed(packet(version_3_0 | 9'999U, "\0"sv)) == "3.9999");
}

TEST_CASE("wire/startup: a size is known as soon as its four bytes are there")
{
    const Buffer whole = packet(version_3_0, "user\0a\0\0"sv);
    for (std::size_t have = 0; have < 4; ++have) {
        CAPTURE(have);
        CHECK_FALSE(startup_packet_size(Bytes{whole}.first(have))->has_value());
    }
    CHECK(startup_packet_size(Bytes{whole}.first(4)).value() == whole.size());
}

TEST_CASE("wire/startup: a first packet too short or too long is no PostgreSQL")
{
    CHECK(startup_packet_size(as_bytes("\0\0\0\x07"sv)).error() == Errc::not_postgres);
    CHECK(startup_packet_size(as_bytes("\0\0\0\x08"sv)).value() == 8);
    CHECK(startup_packet_size(as_bytes("\0\0\x27\x10"sv)).value() == startup_packet_size_max);
    CHECK(startup_packet_size(as_bytes("\0\0\x27\x11"sv)).error() == Errc::not_postgres);
    CHECK(startup_packet_size(as_bytes("GET / HTTP/1.1"sv)).error() == Errc::not_postgres);
    CHECK(startup_packet_size(as_bytes("\x16\x03\x01\x02"sv)).error() == Errc::not_postgres);
}

TEST_CASE("wire/startup: a packet cut short anywhere is an error")
{
    const Buffer whole = packet(version_3_0, "user\0alice\0\0"sv);
    for (std::size_t size = 8; size < whole.size(); ++size) {
        CAPTURE(size);
        Buffer cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
        store_be32(cut.data(), static_cast<std::uint32_t>(size));
        CHECK(parsed(cut) == "message ends in the middle of a field");
    }
}

TEST_CASE("wire/startup: a length that is not the packet's is an error")
{
    Buffer wrong = packet(version_3_0, "user\0a\0\0"sv);
    wrong.push_back(std::byte{0});
    CHECK(parsed(wrong) == "message length is less than four");
    CHECK(parsed({}) == "message ends in the middle of a field"); // 0 bytes say 0
}

TEST_CASE("wire/startup: nothing may follow the parameters")
{
    CHECK(parsed(packet(version_3_0, "user\0a\0\0x"sv)) == "message goes on after its last field");
}

TEST_CASE("wire/startup: protocols that we do not speak are told apart")
{
    CHECK(parsed(packet(2U << 16U, "")) == "protocol version 2 and older are not supported");
    CHECK(parsed(packet(4U << 16U, "\0"sv)) == "first packet is not PostgreSQL's protocol");
}

TEST_CASE("wire/startup: the number of parameters has a bound")
{
    std::string many;
    for (int i = 0; i < 500; ++i) many += "a\0b\0"sv;
    CHECK(parse_startup_packet(packet(version_3_0, many + '\0')).has_value());
    many += "a\0b\0"sv;
    CHECK(parsed(packet(version_3_0, many + '\0')) == "too many startup parameters");
}

TEST_CASE("wire/startup: a cancel key has one byte at least, 256 at most")
{
    constexpr std::uint32_t cancel_code = 80'877'102;
    const std::string pid = "\0\0\0\x01"s;
    CHECK(parsed(packet(cancel_code, pid)) == "message ends in the middle of a field");
    CHECK(parsed(packet(cancel_code, pid.substr(1))) == "message ends in the middle of a field");
    CHECK(parsed(packet(cancel_code, pid + "k")) == "cancel 1 k");
    CHECK(parse_startup_packet(packet(cancel_code, pid + std::string(256, 'k'))).has_value());
    CHECK(
        parsed(packet(cancel_code, pid + std::string(257, 'k'))) == "message is longer than allowed"
    );
}
