#include "integration/support/stream.hpp"
#include "integration/support/wait.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <array>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgweir::test {

namespace {

[[noreturn]] void fail(const std::string& what)
{
    throw std::system_error{errno, std::generic_category(), what};
}

int connect_unix(const std::string& directory, std::uint16_t port)
{
    const std::string path = directory + "/.s.PGSQL." + std::to_string(port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    void* raw = &address;
    if (::connect(socket, static_cast<sockaddr*>(raw), sizeof address) != 0) {
        ::close(socket);
        fail("connect to " + path);
    }
    return socket;
}

int connect_tcp(const std::string& host, std::uint16_t port)
{
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string service = std::to_string(port);
    if (::getaddrinfo(host.c_str(), service.c_str(), &hints, &found) != 0) {
        throw std::runtime_error{"not an address: " + host};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
    const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(socket, found->ai_addr, found->ai_addrlen) != 0) {
        ::close(socket);
        fail("connect to " + host + " " + service);
    }
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return socket;
}

std::string tls_problem()
{
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    return text.data();
}

} // namespace

Stream::Stream(const std::string& host, std::uint16_t port)
    : Stream{host.starts_with('/') ? connect_unix(host, port) : connect_tcp(host, port)}
{
}

Stream::Stream(int socket) : socket_{socket} { give_up_after(patience); }

Stream::~Stream() { close(); }

Stream::Stream(Stream&& other) noexcept
    : socket_{std::exchange(other.socket_, -1)},
      context_{std::move(other.context_)},
      tls_{std::move(other.tls_)}
{
}

void Stream::give_up_after(std::chrono::seconds silence)
{
    const timeval limit{.tv_sec = silence.count(), .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void Stream::start_tls(const TlsWish& wish)
{
    ERR_clear_error();
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!wish.authority.empty()) {
        SSL_CTX_load_verify_file(context_.get(), wish.authority.c_str());
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    }
    if (!wish.cert_file.empty()) {
        SSL_CTX_use_certificate_chain_file(context_.get(), wish.cert_file.c_str());
        SSL_CTX_use_PrivateKey_file(context_.get(), wish.key_file.c_str(), SSL_FILETYPE_PEM);
    }
    tls_.reset(SSL_new(context_.get()));
    if (!wish.alpn.empty()) {
        std::basic_string<unsigned char> list{static_cast<unsigned char>(wish.alpn.size())};
        list.append(wish.alpn.begin(), wish.alpn.end());
        SSL_set_alpn_protos(tls_.get(), list.data(), static_cast<unsigned>(list.size()));
    }
    SSL_set_fd(tls_.get(), socket_);
    const int result = SSL_connect(tls_.get());
    if (result == 1) return;
    const bool hangs = SSL_get_error(tls_.get(), result) == SSL_ERROR_WANT_READ;
    if (hangs) throw std::runtime_error{"the TLS handshake hangs"};
    throw PeerGone{"TLS handshake: " + tls_problem()};
}

std::string Stream::alpn() const
{
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return {name, name + size};
}

void Stream::wait_readable()
{
    std::array<char, 1> byte{};
    const ssize_t size = ::recv(socket_, byte.data(), byte.size(), MSG_PEEK);
    if (size != 1) throw std::runtime_error{"nothing has come"};
}

void Stream::write(std::string_view bytes)
{
    while (!bytes.empty()) {
        std::size_t sent = 0;
        if (tls_) {
            if (SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent) != 1) {
                throw PeerGone{"TLS write: " + tls_problem()};
            }
        } else {
            const ssize_t result = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (result < 0 && (errno == EPIPE || errno == ECONNRESET)) throw PeerGone{"write"};
            if (result < 0) fail("write");
            sent = static_cast<std::size_t>(result);
        }
        bytes.remove_prefix(sent);
    }
}

void Stream::write_what_is_taken(std::string_view bytes)
{
    try {
        write(bytes);
    } catch (const PeerGone&) {
        return; // as announced
    }
}

std::string Stream::read_some()
{
    constexpr std::size_t chunk = 65'536;
    std::string bytes(chunk, '\0');
    std::size_t size = 0;
    if (tls_) {
        ERR_clear_error();
        if (SSL_read_ex(tls_.get(), bytes.data(), bytes.size(), &size) != 1) {
            const int reason = SSL_get_error(tls_.get(), 0);
            if (reason == SSL_ERROR_WANT_READ) throw std::runtime_error{"nothing comes"};
            size = 0;
        }
    } else {
        const ssize_t result = ::recv(socket_, bytes.data(), bytes.size(), 0);
        if (result < 0 && errno != ECONNRESET) fail("nothing comes");
        size = result < 0 ? 0 : static_cast<std::size_t>(result);
    }
    bytes.resize(size);
    return bytes;
}

std::string Stream::read_exactly(std::size_t size)
{
    std::string bytes(size, '\0');
    for (std::size_t have = 0; have < size;) {
        std::size_t got = 0;
        if (tls_) {
            static_cast<void>(SSL_read_ex(tls_.get(), bytes.data() + have, size - have, &got));
        } else {
            const ssize_t result = ::recv(socket_, bytes.data() + have, size - have, 0);
            if (result < 0 && errno != ECONNRESET) fail("nothing comes");
            got = result < 0 ? 0 : static_cast<std::size_t>(result);
        }
        if (got == 0) throw PeerGone{"the peer closed the connection"};
        have += got;
    }
    return bytes;
}

std::string Stream::read_to_end()
{
    std::string all;
    for (;;) {
        const std::string bytes = read_some();
        if (bytes.empty()) return all;
        all += bytes;
    }
}

void Stream::reset()
{
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

void Stream::shut_down_writing() { ::shutdown(socket_, SHUT_WR); }

void Stream::close()
{
    tls_.reset();
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

} // namespace pgweir::test
