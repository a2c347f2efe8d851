#include <pgweir/wire/startup.hpp>

#include <pgweir/wire/error.hpp>
#include <pgweir/wire/reader.hpp>
#include <pgweir/wire/writer.hpp>

namespace pgweir::wire {

namespace {

constexpr std::uint32_t request_code(std::uint16_t low) { return 1234U << 16U | low; }
constexpr std::uint32_t cancel_code = request_code(5678);
constexpr std::uint32_t tls_code = request_code(5679);
constexpr std::uint32_t gss_code = request_code(5680);
constexpr std::size_t parameters_max = 500;

Result<StartupPacket> parse_cancel(Reader reader)
{
    CancelRequest cancel{.process_id = reader.be32(), .secret = {}};
    cancel.secret = as_text(reader.rest());
    if (!reader.ok() || cancel.secret.empty()) return Errc::truncated;
    if (cancel.secret.size() > cancel_key_size_max) return Errc::frame_too_big;
    return StartupPacket{std::move(cancel)};
}

Result<StartupPacket> parse_startup(ProtocolVersion version, Reader reader)
{
    StartupMessage startup{.version = version, .parameters = {}};
    for (;;) {
        const std::string_view name = reader.cstring();
        if (name.empty()) break;
        const std::string_view value = reader.cstring();
        startup.parameters.emplace_back(name, value);
        if (startup.parameters.size() > parameters_max) return Errc::too_many_fields;
    }
    if (!reader.ok()) return Errc::truncated;
    if (!reader.at_end()) return Errc::trailing_bytes;
    return StartupPacket{std::move(startup)};
}

} // namespace

std::string_view StartupMessage::find(std::string_view name) const
{
    for (auto entry = parameters.rbegin(); entry != parameters.rend(); ++entry) {
        if (entry->first == name) return entry->second;
    }
    return {};
}

Result<std::optional<std::size_t>> startup_packet_size(Bytes input) noexcept
{
    constexpr std::size_t size_min = 8;

    if (input.size() < 4) return std::nullopt;
    const std::uint32_t size = load_be32(input.data());
    if (size < size_min || size > startup_packet_size_max) return Errc::not_postgres;
    return std::size_t{size};
}

Result<StartupPacket> parse_startup_packet(Bytes packet)
{
    Reader reader{packet};
    if (reader.be32() != packet.size()) return Errc::bad_length;

    const std::uint32_t code = reader.be32();
    if (!reader.ok()) return Errc::truncated;
    if (code == tls_code) return StartupPacket{TlsRequest{}};
    if (code == gss_code) return StartupPacket{GssRequest{}};
    if (code == cancel_code) return parse_cancel(reader);

    const ProtocolVersion version{
        static_cast<std::uint16_t>(code >> 16U), static_cast<std::uint16_t>(code & 0xffffU)
    };
    if (version.major < 3) return Errc::old_protocol;
    if (version.major > 3) return Errc::not_postgres;
    return parse_startup(version, reader);
}

void append_tls_request(Buffer& out) { Writer{out, 0}.be32(tls_code).finish(); }

void append_cancel_request(Buffer& out, std::uint32_t process_id, std::string_view secret)
{
    Writer{out, 0}.be32(cancel_code).be32(process_id).text(secret).finish();
}

void append_startup(Buffer& out, ProtocolVersion version, const std::vector<Parameter>& parameters)
{
    Writer message{out, 0};
    message.be32(std::uint32_t{version.major} << 16U | version.minor);
    for (const auto& [name, value] : parameters) message.cstring(name).cstring(value);
    message.u8(0).finish();
}

} // namespace pgweir::wire
