// One socket address, of any family, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace pgweir::net {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const
    {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const { return storage.ss_family; }
    [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }

    /// "127.0.0.1:5432", "[::1]:5432", "/run/postgresql/.s.PGSQL.5432".
    [[nodiscard]] std::string to_string() const;
    [[nodiscard]] std::uint16_t port() const;
    /// Without the port.
    [[nodiscard]] std::string host() const;

    /// <directory>/.s.PGSQL.<port>; size zero: the path is too long for a socket.
    [[nodiscard]] static Address unix_socket(const std::string& directory, std::uint16_t port);
    [[nodiscard]] static Address of_peer(int fd);
    [[nodiscard]] static Address of_local(int fd);

    friend bool operator==(const Address& a, const Address& b)
    {
        return a.family() == b.family() && a.to_string() == b.to_string();
    }
};

} // namespace pgweir::net
