// A PostgreSQL that misbehaves: accepts connections and does to each what the test says.
#pragma once

#include "integration/support/daemon.hpp"
#include "integration/support/stream.hpp"
#include "integration/support/wire_client.hpp"

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace pgweir::test {

class FakeServer {
public:
    /// Runs in a thread of its own for each connection, and may throw PeerGone to end it.
    using Behaviour = std::function<void(Stream&)>;

    explicit FakeServer(Behaviour behaviour);
    ~FakeServer();
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    /// For --upstream.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int connection_count() const { return connection_count_; }

private:
    void accept_loop();
    void serve(int socket);

    Behaviour behaviour_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<int> connection_count_ = 0;
    std::mutex mutex_; // over sockets_ and threads_
    std::list<int> sockets_;
    std::list<std::jthread> threads_;
    std::jthread acceptor_;
};

/// How to start a pgweir with one connection to it, where anybody may log in.
[[nodiscard]] Start in_front_of(const FakeServer& server);

/// The polite beginning: takes the startup packet and says AuthenticationOk to ReadyForQuery.
void accept_login(Stream& stream);
/// The next message of the client.
[[nodiscard]] Message read_message(Stream& stream);
/// Answers every query with one row, "1", until the client leaves.
void serve_politely(Stream& stream);
/// What serve_politely says to one query; or another value.
[[nodiscard]] std::string polite_answer(const std::string& value = "1");
/// Instead of a login.
void refuse_login(Stream& stream, const std::string& sqlstate, const std::string& text);

} // namespace pgweir::test
