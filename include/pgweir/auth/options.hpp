// Who may log in, and how they must prove who they are.
#pragma once

#include <cstdint>
#include <string>

namespace pgweir::auth {

/// What a client must do. Weaker first; SCRAM offers -PLUS on TLS by itself.
enum class Method { trust, password, md5, scram_sha_256 };

struct User {
    std::string name;
    bool has_password = false;
    std::string password; // plain text, "md5…" or "SCRAM-SHA-256$…", as in pg_authid

    friend bool operator==(const User&, const User&) = default;
};

} // namespace pgweir::auth
