#include "messages.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <system_error>
#include <vector>

namespace bench {
namespace {

constexpr std::size_t header_size = 5; // type and length

void wait_for(int socket, short events)
{
    pollfd wanted{.fd = socket, .events = events, .revents = 0};
    while (poll(&wanted, 1, -1) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    }
}

// libpq leaves the socket in non-blocking mode.
std::size_t receive(int socket, std::vector<unsigned char>& buffer)
{
    for (;;) {
        const ssize_t got = recv(socket, buffer.data(), buffer.size(), 0);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) throw std::runtime_error("the connection was closed");
        if (errno == EAGAIN)
            wait_for(socket, POLLIN);
        else if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "recv");
    }
}

// Where one message ends and the next begins, over chunks that end anywhere.
class Messages {
public:
    /// True once ReadyForQuery has been seen in full.
    bool take(const unsigned char* data, std::size_t size)
    {
        received_.bytes += size;
        while (size > 0) {
            if (have_ < header_size) {
                header_[have_++] = *data++;
                --size;
                if (have_ == header_size) begin_body();
            } else {
                const std::size_t part = std::min(size, body_left_);
                if (header_[0] == 'E') error_.append(reinterpret_cast<const char*>(data), part);
                data += part;
                size -= part;
                body_left_ -= part;
            }
            if (have_ == header_size && body_left_ == 0) end_body();
        }
        return ready_;
    }

    [[nodiscard]] const Received& received() const { return received_; }

private:
    void begin_body()
    {
        const std::size_t length = std::size_t{header_[1]} << 24U | std::size_t{header_[2]} << 16U
                                   | std::size_t{header_[3]} << 8U | std::size_t{header_[4]};
        if (length < 4) throw std::runtime_error("a message with an impossible length");
        body_left_ = length - 4;
    }

    void end_body()
    {
        ++received_.messages;
        if (header_[0] == 'Z') ready_ = true;
        if (header_[0] == 'E') {
            for (char& c : error_) {
                if (c == '\0') c = ' ';
            }
            throw std::runtime_error("the server says: " + error_);
        }
        have_ = 0;
    }

    std::array<unsigned char, header_size> header_{};
    std::size_t have_ = 0;
    std::size_t body_left_ = 0;
    std::string error_;
    bool ready_ = false;
    Received received_;
};

} // namespace

void send_query(int socket, std::string_view query)
{
    const std::size_t length = 4 + query.size() + 1;
    std::string message{'Q'};
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        message.push_back(static_cast<char>(length >> shift & 0xFFU));
    }
    message.append(query).push_back('\0');

    for (std::size_t sent = 0; sent < message.size();) {
        const ssize_t took = send(socket, &message[sent], message.size() - sent, MSG_NOSIGNAL);
        if (took > 0)
            sent += static_cast<std::size_t>(took);
        else if (errno == EAGAIN)
            wait_for(socket, POLLOUT);
        else if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "send");
    }
}

Received discard_replies(int socket)
{
    std::vector<unsigned char> buffer(std::size_t{256} * 1024);
    Messages messages;
    while (!messages.take(buffer.data(), receive(socket, buffer))) {
    }
    return messages.received();
}

} // namespace bench
