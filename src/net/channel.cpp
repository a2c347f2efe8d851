#include <pgweir/net/channel.hpp>

#include <pgweir/wire/error.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/startup.hpp>

#include <boost/asio/error.hpp>

#include <array>
#include <sys/socket.h>
#include <utility>

namespace pgweir::net {

Channel::Channel(const Executor& executor, Descriptor socket)
    : Channel{executor, Stream{std::move(socket)}, {}}
{
}

Channel::Channel(const Executor& executor, Stream stream, Buffer early)
    : stream_{std::move(stream)},
      waitable_{executor, stream_.fd()},
      timer_{executor},
      in_{std::move(early)}
{
}

Channel::~Channel() { close(); }

void Channel::set_deadline(TimePoint deadline)
{
    timer_.expires_at(deadline);
    timer_.async_wait([this, flag = is_timed_out_](const ErrorCode& error) {
        if (error) return; // moved, or we are gone: `this` must not be touched
        *flag = true;
        if (waitable_.is_open()) waitable_.cancel();
    });
}

Task<ErrorCode> Channel::wait(IoStatus direction)
{
    if (*is_timed_out_) co_return asio::error::timed_out;
    const auto kind = direction == IoStatus::want_write ? WaitableDescriptor::wait_write
                                                        : WaitableDescriptor::wait_read;
    const auto [error] = co_await waitable_.async_wait(kind, use_task);
    if (*is_timed_out_) co_return asio::error::timed_out;
    co_return error;
}

Task<ErrorCode> Channel::finish_connect()
{
    if (const ErrorCode error = co_await wait(IoStatus::want_write)) co_return error;
    int result = 0;
    socklen_t size = sizeof result;
    ::getsockopt(stream_.fd(), SOL_SOCKET, SO_ERROR, &result, &size);
    co_return ErrorCode{result, boost::system::system_category()};
}

Task<ErrorCode> Channel::wait_readable() { return wait(IoStatus::want_read); }

// Reads once, as much as there is.
Task<ErrorCode> Channel::fill()
{
    constexpr std::size_t room = 4'096;

    if (used_ == in_.size()) {
        in_.clear();
        used_ = 0;
    }
    for (;;) {
        const std::size_t had = in_.size();
        in_.resize(had + room);
        const IoResult io = stream_.read(std::span{in_}.subspan(had));
        in_.resize(had + io.size);
        if (io.status == IoStatus::done) co_return ErrorCode{};
        if (io.status == IoStatus::closed) co_return asio::error::eof;
        if (io.status == IoStatus::failed) co_return asio::error::connection_reset;
        if (const ErrorCode error = co_await wait(io.status)) co_return error;
    }
}

Task<Result<Channel::Message>> Channel::read_message(std::uint32_t body_size_max)
{
    for (;;) {
        const auto header = wire::peek_header(unread(), body_size_max);
        if (!header) co_return header.error();
        if (*header && unread().size() >= (*header)->frame_size()) {
            const Bytes frame = unread().first((*header)->frame_size());
            take(frame.size());
            co_return Message{(*header)->type, frame.subspan(wire::frame_header_size)};
        }
        if (const ErrorCode error = co_await fill()) co_return error;
    }
}

Task<Result<Bytes>> Channel::read_startup_packet()
{
    for (;;) {
        const auto size = wire::startup_packet_size(unread());
        if (!size) co_return size.error();
        if (*size && unread().size() >= **size) {
            const Bytes packet = unread().first(**size);
            take(packet.size());
            co_return packet;
        }
        if (const ErrorCode error = co_await fill()) co_return error;
    }
}

Task<Result<char>> Channel::read_single_byte()
{
    if (unread().empty()) {
        if (const ErrorCode error = co_await fill()) co_return error;
    }
    const char byte = std::to_integer<char>(unread()[0]);
    take(1);
    co_return byte;
}

Task<ErrorCode> Channel::write(Buffer bytes)
{
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const IoResult io = stream_.write(Bytes{bytes}.subspan(sent));
        sent += io.size;
        if (io.status == IoStatus::done) continue;
        if (io.status == IoStatus::closed || io.status == IoStatus::failed) {
            co_return asio::error::connection_reset;
        }
        if (const ErrorCode error = co_await wait(io.status)) co_return error;
    }
    co_return ErrorCode{};
}

Task<ErrorCode> Channel::start_tls(SslPointer ssl, bool as_server)
{
    stream_.start_tls(std::move(ssl), as_server);
    for (;;) {
        const IoStatus status = stream_.handshake();
        if (status == IoStatus::done) co_return ErrorCode{};
        if (status == IoStatus::closed || status == IoStatus::failed) {
            co_return asio::error::connection_aborted;
        }
        if (const ErrorCode error = co_await wait(status)) co_return error;
    }
}

Stream Channel::release()
{
    timer_.cancel();
    static_cast<void>(waitable_.release());
    return std::move(stream_);
}

void Channel::close()
{
    timer_.cancel();
    if (waitable_.is_open()) static_cast<void>(waitable_.release());
    stream_.close();
}

} // namespace pgweir::net
