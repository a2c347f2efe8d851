// Who may log in, and how they must prove who they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgweir::auth {

/// What PostgreSQL is asked about a name that the configuration has no password for. Columns: name,
/// password; and, where there are more, whether it may log in, and what tells it from another role
/// that had the same name. With every operator and function named in full: no search_path matters.
inline constexpr std::string_view default_query =
    "SELECT rolname, CASE WHEN rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now() THEN NULL "
    "ELSE rolpassword END, rolcanlogin, oid FROM pg_catalog.pg_authid "
    "WHERE rolname OPERATOR(pg_catalog.=) $1";

/// What a client must do. Weaker first; SCRAM offers -PLUS on TLS by itself.
enum class Method { trust, password, md5, scram_sha_256 };

struct User {
    std::string name;
    bool has_password = false;
    std::string password; // plain text, "md5…" or "SCRAM-SHA-256$…", as in pg_authid

    friend bool operator==(const User&, const User&) = default;
};

} // namespace pgweir::auth
