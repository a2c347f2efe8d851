// A socket with an owner, plain or under TLS, that blocks but never for longer than `patience`.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pgweir::test {

/// The peer has closed or reset the connection where that was not expected.
struct PeerGone : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct TlsWish {
    std::string alpn{};                // one protocol; empty: offer none
    std::filesystem::path authority{}; // empty: believe anybody
    std::filesystem::path cert_file{};
    std::filesystem::path key_file{};
};

class Stream {
public:
    /// An address, "127.0.0.1" or "::1", or the directory of a PostgreSQL unix socket.
    Stream(const std::string& host, std::uint16_t port);
    /// Takes over a connected socket.
    explicit Stream(int socket);
    ~Stream();
    Stream(Stream&& other) noexcept;
    Stream& operator=(Stream&&) = delete;

    /// Instead of after `patience`.
    void give_up_after(std::chrono::seconds silence);

    /// The client's side of a handshake. Throws PeerGone when the other side refuses it.
    void start_tls(const TlsWish& wish);
    /// What both agreed on by ALPN; empty when nothing.
    [[nodiscard]] std::string alpn() const;

    void write(std::string_view bytes);
    /// As far as the peer takes it: for garbage, after which a peer may close at any byte.
    void write_what_is_taken(std::string_view bytes);
    /// Until there is something to be read, and leaves it there. Throws when nothing comes.
    void wait_readable();
    /// Whatever is there, at least one byte; empty at the end. Throws when nothing comes.
    std::string read_some();
    std::string read_exactly(std::size_t size);
    /// Everything until the peer closes.
    std::string read_to_end();

    /// A peer that vanishes: the next byte sent to us is answered with a reset.
    void reset();
    void shut_down_writing();
    void close();

private:
    struct FreeContext {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    struct FreeSession {
        void operator()(SSL* session) const { SSL_free(session); }
    };

    int socket_ = -1;
    std::unique_ptr<SSL_CTX, FreeContext> context_;
    std::unique_ptr<SSL, FreeSession> tls_;
};

} // namespace pgweir::test
