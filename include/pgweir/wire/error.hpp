// What can be wrong with bytes that claim to be PostgreSQL's protocol.
#pragma once

#include <pgweir/base/error.hpp>

#include <type_traits>

namespace pgweir::wire {

enum class Errc {
    bad_length = 1,  // the length does not even cover itself: the peer does not speak v3
    frame_too_big,   // longer than we let this peer make us hold
    truncated,       // the message ends in the middle of a field
    trailing_bytes,  // the message goes on after its last field
    unknown_type,    // no message of this direction has this type
    not_postgres,    // the first packet is no startup packet of any kind
    old_protocol,    // protocol 2 or older
    too_many_fields, // more startup parameters than any client needs
};
[[nodiscard]] ErrorCode make_error_code(Errc e) noexcept;

} // namespace pgweir::wire

template <>
struct boost::system::is_error_code_enum<pgweir::wire::Errc> : std::true_type {};
