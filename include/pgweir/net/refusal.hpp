// What somebody is told who gets no server.
#pragma once

#include <pgweir/pool/shared.hpp>

#include <string>

namespace pgweir::net {

/// Which caps of its database and user are full, and who has what of them. Empty: none is.
[[nodiscard]] std::string caps_text(const pool::Shared& shared);

} // namespace pgweir::net
