#include <pgweir/net/stream.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

namespace pgweir::net {

// OpenSSL's own socket BIO cannot say that a read was short, which saves us the read that would
// only say "nothing there".
struct Stream::Link {
    int fd;
    bool is_drained = false;
    bool was_reset = false;
};

namespace {

using session::Gather;

constexpr std::size_t runs_per_call_max = 64;
constexpr std::size_t tls_chunk_size = 16'384; // one TLS record

bool would_block() { return errno == EAGAIN || errno == EINTR; }

// Not ::recv and ::send: those are points where a thread may be cancelled, which nobody does here,
// and the C library's care for that takes as many instructions as all that we do for a message.
// Nor ::syscall, where the compiler can put the arguments in their places itself.
[[gnu::always_inline]] inline ssize_t call_system(
    long number, int fd, const std::byte* data, std::size_t size, int flags
)
{
#ifdef __x86_64__
    long result = number;
    register long r10 asm("r10") = flags;
    register long r8 asm("r8") = 0; // no address
    register long r9 asm("r9") = 0;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(static_cast<long>(fd)), "S"(data), "d"(size), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    if (result >= 0) return result;
    errno = static_cast<int>(-result);
    return -1;
#else
    return ::syscall(number, fd, data, size, flags, nullptr, nullptr);
#endif
}

ssize_t receive(int fd, std::span<std::byte> buffer)
{
    return call_system(SYS_recvfrom, fd, buffer.data(), buffer.size(), 0);
}

bool is_reset(int error) { return error == ECONNRESET || error == EPIPE; }

ssize_t transmit(int fd, Bytes bytes)
{
    return call_system(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

// What transmit() has left. False: the connection is broken.
[[gnu::noinline]] bool keep_unsent(Bytes bytes, ssize_t sent, Buffer& pending)
{
    if (sent < 0 && !would_block()) return false;
    append(pending, bytes.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 0));
    return true;
}

} // namespace

} // namespace pgweir::net

namespace {

template <class Link>
int link_read(BIO* bio, char* data, std::size_t size, std::size_t* done)
{
    auto* const link = static_cast<Link*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t result = ::recv(link->fd, data, size, 0);
    link->is_drained = result >= 0 && static_cast<std::size_t>(result) < size;
    if (result > 0) {
        *done = static_cast<std::size_t>(result);
        return 1;
    }
    if (result < 0 && (errno == EAGAIN || errno == EINTR)) {
        link->is_drained = true;
        BIO_set_retry_read(bio);
    } else if (result < 0) {
        link->was_reset = errno == ECONNRESET;
    }
    return 0;
}

template <class Link>
int link_write(BIO* bio, const char* data, std::size_t size, std::size_t* done)
{
    const auto* const link = static_cast<const Link*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t result = ::send(link->fd, data, size, MSG_NOSIGNAL);
    if (result > 0) {
        *done = static_cast<std::size_t>(result);
        return 1;
    }
    if (result < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }
    return 0;
}

long link_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/)
{
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

template <class Link>
BIO_METHOD* make_link_method()
{
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgweir");
    BIO_meth_set_read_ex(method, link_read<Link>);
    BIO_meth_set_write_ex(method, link_write<Link>);
    BIO_meth_set_ctrl(method, link_control);
    return method;
}

} // namespace

namespace pgweir::net {

void SslDeleter::operator()(SSL* ssl) const noexcept { SSL_free(ssl); }

Stream::Stream() = default;
Stream::Stream(Descriptor socket) : socket_{std::move(socket)} {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

IoResult Stream::read(std::span<std::byte> buffer)
{
    if (ssl_) return read_tls(buffer);
    const ssize_t result = receive(socket_.get(), buffer);
    if (result > 0) {
        const auto size = static_cast<std::size_t>(result);
        return {IoStatus::done, size < buffer.size(), size};
    }
    if (result == 0) return {IoStatus::closed, true};
    return read_failed();
}

[[gnu::noinline]] IoResult Stream::read_failed()
{
    if (would_block()) return {IoStatus::want_read, true};
    was_reset_ = is_reset(errno);
    return {IoStatus::failed, true};
}

bool Stream::was_reset() const
{
    if (was_reset_ || (link_ && link_->was_reset)) return true;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && is_reset(error);
}

[[gnu::noinline]] IoResult Stream::read_tls(std::span<std::byte> buffer)
{
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
    if (result != 1) return tls_result(result);
    return {IoStatus::done, link_->is_drained && SSL_has_pending(ssl_.get()) == 0, size};
}

void Stream::note_readable()
{
    if (ssl_) link_->is_drained = false;
}

IoResult Stream::write(Bytes bytes)
{
    if (ssl_) {
        ERR_clear_error();
        std::size_t size = 0;
        const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
        return result == 1 ? IoResult{IoStatus::done, false, size} : tls_result(result);
    }
    const ssize_t result = transmit(socket_.get(), bytes);
    if (result >= 0) return {IoStatus::done, false, static_cast<std::size_t>(result)};
    return {would_block() ? IoStatus::want_write : IoStatus::failed};
}

IoResult Stream::tls_result(int result)
{
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {IoStatus::want_read, true};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::want_write, true};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::closed, true};
    default: tls_is_over_ = true; return {IoStatus::failed, true};
    }
}

bool Stream::send(const Gather& gather, Buffer& pending)
{
    const auto runs = gather.runs();
    if (runs.size() != 1 || ssl_ || !pending.empty()) return send_runs(gather, pending);

    const Bytes bytes = gather.bytes(runs.front()); // nearly always
    const ssize_t sent = transmit(socket_.get(), bytes);
    return sent == static_cast<ssize_t>(bytes.size()) || keep_unsent(bytes, sent, pending);
}

[[gnu::noinline]] bool Stream::send_runs(const Gather& gather, Buffer& pending)
{
    if (!pending.empty()) { // it must not overtake
        for (const Gather::Run& run : gather.runs()) append(pending, gather.bytes(run));
        return true;
    }
    return ssl_ ? send_tls(gather, pending) : send_plain(gather, pending);
}

bool Stream::send_plain(const Gather& gather, Buffer& pending)
{
    const auto runs = gather.runs();
    std::array<iovec, runs_per_call_max> parts; // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t next = 0;
    while (next < runs.size()) {
        std::size_t count = 0;
        std::size_t size = 0;
        for (; count < parts.size() && next + count < runs.size(); ++count) {
            const Bytes bytes = gather.bytes(runs[next + count]);
            parts[count] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
            size += bytes.size();
        }
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = count;
        ssize_t result = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
        if (result < 0 && !would_block()) return false;
        result = std::max<ssize_t>(result, 0);
        const auto sent = static_cast<std::size_t>(result);
        if (sent == size) {
            next += count;
            continue;
        }
        std::size_t skip = sent;
        for (; next < runs.size(); ++next) {
            const Bytes bytes = gather.bytes(runs[next]);
            const std::size_t skipped = std::min(skip, bytes.size());
            append(pending, bytes.subspan(skipped));
            skip -= skipped;
        }
    }
    return true;
}

// Small runs are put together, so that they share a record.
bool Stream::send_tls(const Gather& gather, Buffer& pending)
{
    std::array<std::byte, tls_chunk_size> chunk; // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t filled = 0;
    const auto send_chunk = [&] {
        const Bytes bytes{chunk.data(), filled};
        filled = 0;
        if (!pending.empty()) {
            append(pending, bytes);
            return true;
        }
        const IoResult result = write(bytes);
        if (result.status == IoStatus::failed || result.status == IoStatus::closed) return false;
        append(pending, bytes.subspan(result.size));
        return true;
    };
    for (const Gather::Run& run : gather.runs()) {
        Bytes bytes = gather.bytes(run);
        while (!bytes.empty()) {
            const std::size_t size = std::min(bytes.size(), chunk.size() - filled);
            std::copy_n(bytes.begin(), size, chunk.begin() + static_cast<std::ptrdiff_t>(filled));
            filled += size;
            bytes = bytes.subspan(size);
            if (filled == chunk.size() && !send_chunk()) return false;
        }
    }
    return filled == 0 || send_chunk();
}

bool Stream::flush(Buffer& pending)
{
    std::size_t sent = 0;
    while (sent < pending.size()) {
        const IoResult result = write(Bytes{pending}.subspan(sent));
        if (result.status == IoStatus::failed || result.status == IoStatus::closed) return false;
        if (result.status != IoStatus::done) break;
        sent += result.size;
    }
    if (sent == pending.size()) {
        Buffer{}.swap(pending); // an idle connection owns no buffer
    } else {
        pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(sent));
    }
    return true;
}

void Stream::start_tls(SslPointer ssl, bool as_server)
{
    static BIO_METHOD* const method = make_link_method<Link>(); // for the life of the process

    link_ = std::make_unique<Link>(Link{.fd = socket_.get()});
    BIO* const bio = BIO_new(method);
    BIO_set_data(bio, link_.get());
    BIO_set_init(bio, 1);
    ssl_ = std::move(ssl);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_mode(
        ssl_.get(),
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
            | SSL_MODE_RELEASE_BUFFERS
    );
    SSL_set_read_ahead(ssl_.get(), 1);
    if (as_server) {
        SSL_set_accept_state(ssl_.get());
    } else {
        SSL_set_connect_state(ssl_.get());
    }
}

IoStatus Stream::handshake()
{
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    return result == 1 ? IoStatus::done : tls_result(result).status;
}

void Stream::shut_down_sending()
{
    if (ssl_ && !tls_is_over_ && SSL_is_init_finished(ssl_.get())) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get()); // best effort: close_notify, if the socket takes it
    }
    ::shutdown(socket_.get(), SHUT_WR);
}

void Stream::close()
{
    ssl_.reset();
    link_.reset();
    socket_.reset();
}

} // namespace pgweir::net
