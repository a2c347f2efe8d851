// The first packet of a connection, which has no type byte: startup, TLS or GSS request, cancel.
// Shapes: PostgreSQL's documentation, "Message Formats".
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pgweir::wire {

inline constexpr std::size_t startup_packet_size_max = 10'000; // PostgreSQL's own limit
inline constexpr std::size_t cancel_key_size_max = 256;

struct ProtocolVersion {
    std::uint16_t major;
    std::uint16_t minor;

    friend auto operator<=>(const ProtocolVersion&, const ProtocolVersion&) = default;
};

/// The newest that we speak. 3.2 has cancel keys of up to 256 bytes.
inline constexpr ProtocolVersion protocol_version_max{3, 2};

struct TlsRequest {};
struct GssRequest {};

struct CancelRequest {
    std::uint32_t process_id;
    std::string secret; // 4 bytes in protocol 3.0, up to 256 since 3.2
};

using Parameter = std::pair<std::string, std::string>;

struct StartupMessage {
    ProtocolVersion version;
    std::vector<Parameter> parameters; // as sent, protocol options (_pq_.…) among them

    /// The last value of a parameter, as PostgreSQL takes it. Empty: absent.
    [[nodiscard]] std::string_view find(std::string_view name) const;
};

using StartupPacket = std::variant<TlsRequest, GssRequest, CancelRequest, StartupMessage>;

/// How long the packet at the front of `input` is, its length word included. Empty: not known yet.
[[nodiscard]] Result<std::optional<std::size_t>> startup_packet_size(Bytes input) noexcept;

/// Parses one whole packet, length word included.
[[nodiscard]] Result<StartupPacket> parse_startup_packet(Bytes packet);

// What we send ourselves, towards PostgreSQL.
void append_tls_request(Buffer& out);
void append_cancel_request(Buffer& out, std::uint32_t process_id, std::string_view secret);
void append_startup(Buffer& out, ProtocolVersion version, const std::vector<Parameter>& parameters);

} // namespace pgweir::wire
