#include <pgweir/net/descriptor.hpp>
#include <pgweir/net/server_login.hpp>

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace pgweir;
using namespace pgweir::net;
using namespace std::chrono_literals;

namespace {

int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, level, name, &value, &size);
    return value;
}

} // namespace

TEST_CASE("net/socket_options: silence and what is not acknowledged have their limits")
{
    const Descriptor socket{::socket(AF_INET, SOCK_STREAM, 0)};
    const int fd = socket.get();
    prepare_socket(
        fd,
        {.tcp_keepalive = true,
         .tcp_keepidle = 59'500ms,
         .tcp_keepintvl = 10s,
         .tcp_keepcnt = 3,
         .tcp_user_timeout = 45s}
    );
    CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 10);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 3);
    CHECK(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 45'000);
}

TEST_CASE("net/socket_options: zero is the kernel's own choice, and probes can be turned off")
{
    const Descriptor socket{::socket(AF_INET, SOCK_STREAM, 0)};
    const int fd = socket.get();
    const int idle = option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
    prepare_socket(fd, {});
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == idle);
    CHECK(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);

    const Descriptor other{::socket(AF_INET, SOCK_STREAM, 0)};
    prepare_socket(other.get(), {.tcp_keepalive = false, .tcp_keepidle = 60s});
    CHECK(option(other.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
    CHECK(option(other.get(), IPPROTO_TCP, TCP_KEEPIDLE) == idle);
}
