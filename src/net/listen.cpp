// The part of FrontDoor that binds addresses.
#include <pgweir/base/log.hpp>
#include <pgweir/net/address.hpp>
#include <pgweir/net/front_door.hpp>

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgweir::net {

namespace {

// A socket file that nobody listens on is left over from a process that was killed.
bool is_stale(const Address& address)
{
    const Descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return ::connect(probe.get(), address.get(), address.size) < 0 && errno == ECONNREFUSED;
}

std::string problem(const Address& address, const char* what)
{
    const int reason = errno;
    std::string text = "cannot listen on " + address.to_string() + ": " + what + ": "
                       + std::generic_category().message(reason);
    if (reason == EADDRINUSE) text += " (is another pgweir, or a PostgreSQL, running there?)";
    return text;
}

} // namespace

std::string FrontDoor::listen_on(const ListenAddress& wanted)
{
    if (!wanted.directory.empty()) {
        const Address address = Address::unix_socket(wanted.directory, wanted.port);
        if (address.size == 0) {
            return "cannot listen in " + wanted.directory + ": the path is too long for a socket";
        }
        return bind_to(address);
    }
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* results = nullptr;
    const bool is_any = wanted.host == "*";
    const std::string port = std::to_string(wanted.port);
    const int error = ::getaddrinfo(
        is_any ? nullptr : wanted.host.c_str(), port.c_str(), &hints, &results
    );
    if (error != 0) {
        return "cannot listen on " + wanted.host + ": " + ::gai_strerror(error);
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{results, &::freeaddrinfo};
    std::string last_problem = "cannot listen on " + wanted.host + ": no address";
    bool is_bound = false;
    for (const addrinfo* entry = results; entry != nullptr; entry = entry->ai_next) {
        Address address;
        address.size = entry->ai_addrlen;
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        std::string text = bind_to(address);
        if (text.empty()) {
            is_bound = true;
        } else {
            last_problem = std::move(text);
        }
    }
    return is_bound ? std::string{} : last_problem;
}

std::string FrontDoor::bind_to(const Address& address)
{
    auto listener = std::make_unique<Listener>();
    listener->is_unix = address.is_unix();
    listener->socket = Descriptor{
        ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    };
    if (!listener->socket) return problem(address, "socket");
    const int fd = listener->socket.get();
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.family() == AF_INET6) {
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (address.is_unix() && is_stale(address)) ::unlink(address.host().c_str());
    if (::bind(fd, address.get(), address.size) < 0) return problem(address, "bind");
    if (::listen(fd, static_cast<int>(options_.listen_backlog)) < 0) {
        return problem(address, "listen");
    }
    if (address.is_unix()) {
        listener->path = address.host();
        ::chmod(listener->path.c_str(), options_.unix_socket_mode);
    }
    listener->waitable = std::make_unique<WaitableDescriptor>(tasks_.executor(), fd);
    log(LogLevel::info, "listening", {{"address", Address::of_local(fd).to_string()}});
    listeners_.push_back(std::move(listener));
    return {};
}

} // namespace pgweir::net
