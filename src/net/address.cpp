#include <pgweir/net/address.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <netinet/in.h>
#include <sys/un.h>

namespace pgweir::net {

std::string Address::host() const
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    switch (family()) {
    case AF_INET: {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        return text.data();
    }
    case AF_INET6: {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        return text.data();
    }
    case AF_UNIX: {
        const auto& local = reinterpret_cast<const sockaddr_un&>(storage);
        return local.sun_path[0] != '\0' ? std::string{local.sun_path} : "unix";
    }
    default: return "unknown";
    }
}

std::uint16_t Address::port() const
{
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
    if (family() == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
    return 0;
}

std::string Address::to_string() const
{
    if (family() == AF_INET6) return '[' + host() + "]:" + std::to_string(port());
    if (family() == AF_INET) return host() + ':' + std::to_string(port());
    return host();
}

Address Address::unix_socket(const std::string& directory, std::uint16_t port)
{
    const std::string path = directory + "/.s.PGSQL." + std::to_string(port);
    Address address;
    auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
    if (path.size() >= sizeof local.sun_path) return address;
    local.sun_family = AF_UNIX;
    std::ranges::copy(path, &local.sun_path[0]);
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
}

Address Address::of_peer(int fd)
{
    Address address;
    address.size = sizeof address.storage;
    ::getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
    return address;
}

Address Address::of_local(int fd)
{
    Address address;
    address.size = sizeof address.storage;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
    return address;
}

} // namespace pgweir::net
