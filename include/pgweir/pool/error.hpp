// Why a client gets no server connection.
#pragma once

#include <pgweir/base/error.hpp>

#include <type_traits>

namespace pgweir::pool {

enum class Errc {
    wait_timed_out = 1, // nobody gave a server back before the client's deadline
    too_many_waiting,   // the queue is full
    overloaded,         // others who came later were served first, for too long
    server_unreachable, // there is no server, and the last attempt to open one has failed
};
[[nodiscard]] ErrorCode make_error_code(Errc e) noexcept;

} // namespace pgweir::pool

template <>
struct boost::system::is_error_code_enum<pgweir::pool::Errc> : std::true_type {};
