#include "integration/support/fake_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace pgweir::test {

namespace {

std::size_t length_of(std::string_view word)
{
    std::size_t size = 0;
    for (const char byte : word) size = size << 8U | static_cast<unsigned char>(byte);
    return size;
}

} // namespace

FakeServer::FakeServer(Behaviour behaviour)
    : behaviour_{std::move(behaviour)}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    void* raw = &address;
    constexpr int backlog = 100;
    const bool listens = ::bind(listener_, static_cast<sockaddr*>(raw), size) == 0
                         && ::listen(listener_, backlog) == 0
                         && ::getsockname(listener_, static_cast<sockaddr*>(raw), &size) == 0;
    if (!listens) throw std::runtime_error{"the fake server cannot listen"};
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread{[this] { accept_loop(); }};
}

FakeServer::~FakeServer()
{
    ::shutdown(listener_, SHUT_RDWR); // wakes the acceptor
    acceptor_.join();
    {
        const std::scoped_lock lock{mutex_};
        for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    threads_.clear();
    for (const int socket : sockets_) ::close(socket);
    ::close(listener_);
}

std::string FakeServer::url() const
{
    return "postgresql://app_scram:secret@127.0.0.1:" + std::to_string(port_)
           + "/app?sslmode=disable";
}

void FakeServer::accept_loop()
{
    for (;;) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) return;
        ++connection_count_;
        const std::scoped_lock lock{mutex_};
        sockets_.push_back(socket);
        threads_.emplace_back([this, socket] { serve(socket); });
    }
}

void FakeServer::serve(int socket)
{
    try {
        // A duplicate, which the test may close, so that the destructor can still shut the
        // connection down.
        Stream stream{::dup(socket)};
        behaviour_(stream);
    } catch (const std::runtime_error&) { // NOLINT(bugprone-empty-catch): it went, as it may
    }
    const std::scoped_lock lock{mutex_};
    sockets_.remove(socket);
    ::close(socket);
}

Start in_front_of(const FakeServer& server)
{
    return {
        .flags =
            {"--pool-size",
             "1",
             "--set",
             "auth.method=trust",
             "--set",
             "pool.server_login_retry=100ms"},
        .upstream = server.url(),
    };
}

namespace {

void take_startup(Stream& stream)
{
    static_cast<void>(stream.read_exactly(length_of(stream.read_exactly(4)) - 4));
}

} // namespace

void refuse_login(Stream& stream, const std::string& sqlstate, const std::string& text)
{
    take_startup(stream);
    const std::string end(1, '\0');
    stream.write(message::typed('E', "SFATAL" + end + "C" + sqlstate + end + "M" + text + end + end)
    );
}

void accept_login(Stream& stream)
{
    take_startup(stream);
    std::string answer = message::typed('R', message::be32(0));
    constexpr std::pair<const char*, const char*> parameters[]{
        {"server_version", "15.0"},
        {"client_encoding", "UTF8"},
        {"server_encoding", "UTF8"},
        {"standard_conforming_strings", "on"},
        {"DateStyle", "ISO, MDY"},
    };
    for (const auto& [name, value] : parameters) {
        const std::string pair = std::string{name} + '\0' + value + '\0';
        answer += message::typed('S', pair);
    }
    answer += message::typed('K', message::be32(1) + message::be32(2));
    stream.write(answer + message::typed('Z', "I"));
}

Message read_message(Stream& stream)
{
    const std::string header = stream.read_exactly(5);
    return {header[0], stream.read_exactly(length_of(header.substr(1)) - 4)};
}

std::string polite_answer(const std::string& value)
{
    const std::string column = std::string{"?column?"} + '\0' + message::be32(0) + message::be16(0)
                               + message::be32(25) + message::be16(0xFFFF)
                               + message::be32(0xFFFFFFFF) + message::be16(0);
    return message::typed('T', message::be16(1) + column)
           + message::typed(
               'D',
               message::be16(1) + message::be32(static_cast<std::uint32_t>(value.size())) + value
           )
           + message::typed('C', std::string{"SELECT 1"} + '\0') + message::typed('Z', "I");
}

void serve_politely(Stream& stream)
{
    accept_login(stream);
    for (;;) {
        const Message message = read_message(stream);
        if (message.type == 'X') return;
        if (message.type == 'Q') stream.write(polite_answer());
    }
}

} // namespace pgweir::test
