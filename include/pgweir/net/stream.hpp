// A non-blocking socket, plain or under TLS, behind one read and one write. No Asio: it may be
// driven by a reactor or by a coroutine, and move between threads.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/base/clock.hpp>
#include <pgweir/net/descriptor.hpp>
#include <pgweir/session/gather.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace pgweir::net {

/// After our last message we shut down sending and wait so long for the peer to close, so that the
/// message is not lost to a reset.
inline constexpr Duration linger_max = std::chrono::seconds{2};

enum class IoStatus : std::uint8_t {
    done,       // some bytes went through
    want_read,  // nothing now; try again when the socket is readable
    want_write, // likewise, writable
    closed,     // the peer has ended the stream in order
    failed,     // the connection is broken
};

struct IoResult {
    IoStatus status = IoStatus::done;
    bool is_drained = false; // after a read: the kernel has nothing more for now
    std::size_t size = 0;
};

struct SslDeleter {
    void operator()(SSL* ssl) const noexcept;
};
using SslPointer = std::unique_ptr<SSL, SslDeleter>;

class Stream {
public:
    Stream();
    explicit Stream(Descriptor socket);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

    /// The reactor says that there is something. Of what OpenSSL holds from before, is_drained
    /// would tell how it was then.
    void note_readable();
    [[nodiscard]] IoResult read(std::span<std::byte> buffer);
    /// The stream has ended, and the peer's system says that some of what we sent was never read
    /// there (RFC 9293, 3.10.7.1; RFC 1122, 4.2.2.13). To be asked once.
    [[nodiscard]] bool was_reset() const;
    [[nodiscard]] IoResult write(Bytes bytes);

    /// Sends as much as the socket takes. What it does not take is appended to `pending`, and has
    /// to be sent first (flush) when the socket is writable again. False: the connection is broken.
    [[nodiscard]] bool send(const session::Gather& gather, Buffer& pending);
    [[nodiscard]] bool flush(Buffer& pending);

    /// From now on bytes go through TLS; call handshake() until it is done.
    void start_tls(SslPointer ssl, bool as_server);
    [[nodiscard]] IoStatus handshake();

    /// Tells the peer that nothing more comes from us. It may still send.
    void shut_down_sending();
    void close();

private:
    [[nodiscard]] IoResult read_failed();
    [[nodiscard]] IoResult read_tls(std::span<std::byte> buffer);
    [[nodiscard]] bool send_runs(const session::Gather& gather, Buffer& pending);
    [[nodiscard]] bool send_plain(const session::Gather& gather, Buffer& pending);
    [[nodiscard]] bool send_tls(const session::Gather& gather, Buffer& pending);
    [[nodiscard]] IoResult tls_result(int result);

    struct Link; // what OpenSSL's BIO needs; its address is fixed

    Descriptor socket_;
    std::unique_ptr<Link> link_;
    SslPointer ssl_;
    bool was_reset_ = false;
    bool tls_is_over_ = false; // after a fatal error OpenSSL must not be asked to shut down
};

} // namespace pgweir::net
