// A connection while somebody logs in over it, on either side: whole messages, one deadline. When
// the login is done the stream is taken out and goes to a worker.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/base/clock.hpp>
#include <pgweir/base/error.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pgweir::net {

/// No message of a login is longer, on either side.
inline constexpr std::uint32_t login_message_size_max = 65'536;

class Channel {
public:
    Channel(const Executor& executor, Descriptor socket);
    /// A connection that was logged in over another channel, with what that one has read already.
    Channel(const Executor& executor, Stream stream, Buffer early);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// From then on every operation ends with timed_out.
    void set_deadline(TimePoint deadline);
    [[nodiscard]] bool is_timed_out() const { return *is_timed_out_; }

    /// Waits until connect(2), which was started on the socket, is done.
    Task<ErrorCode> finish_connect();

    /// A message with a type byte. `body` is valid until the next read.
    struct Message {
        char type;
        Bytes body;
    };
    Task<Result<Message>> read_message(std::uint32_t body_size_max);
    /// A whole first packet, its length word included.
    Task<Result<Bytes>> read_startup_packet();
    /// One byte, without taking more: the answer to a TLS request. Bytes behind it are an attack.
    Task<Result<char>> read_single_byte();
    /// Ready when at least one byte can be read, or the peer has closed; takes nothing.
    Task<ErrorCode> wait_readable();

    Task<ErrorCode> write(Buffer bytes);
    Task<ErrorCode> start_tls(SslPointer ssl, bool as_server);

    /// Bytes that came and were not asked for yet.
    [[nodiscard]] Bytes unread() const { return Bytes{in_}.subspan(used_); }
    [[nodiscard]] Stream& stream() { return stream_; }
    /// The login is over: Asio forgets the socket, and the stream is the caller's.
    [[nodiscard]] Stream release();
    void close();

private:
    Task<ErrorCode> wait(IoStatus direction);
    Task<ErrorCode> fill();
    void take(std::size_t size) { used_ += size; }

    Stream stream_;
    WaitableDescriptor waitable_; // the same descriptor; released before the stream closes it
    Timer timer_;
    std::shared_ptr<bool> is_timed_out_ = std::make_shared<bool>(false
    ); // outlives us with the timer
    Buffer in_;
    std::size_t used_ = 0;
};

} // namespace pgweir::net
