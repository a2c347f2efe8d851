// The hot sockets of one worker: registered with epoll once, edge-triggered. EPOLLOUT is asked for
// only after a short write. Costs one system call for a batch of events, and none for a socket.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/descriptor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/epoll.h>

namespace pgweir::net {

/// Whoever has a socket in a reactor. Must stay alive until the batch of events in which it was
/// removed is over.
class Watched {
public:
    virtual void on_ready(std::uint32_t events) = 0;

protected:
    Watched() = default;
    Watched(const Watched&) = default;
    Watched& operator=(const Watched&) = default;
    ~Watched() = default;
};

class Reactor {
public:
    Reactor();

    // A failed registration (the kernel's limit on watches) is an exception of std::system_error.
    void add(int fd, Watched& watched);
    void watch_writable(int fd, Watched& watched, bool on);
    void remove(int fd) noexcept;

    /// Waits until something is ready, or the time is up. Then call dispatch().
    void wait(std::optional<Duration> timeout);
    /// Calls on_ready for each that was ready.
    void dispatch();

private:
    static constexpr std::size_t batch_size = 256;

    Descriptor epoll_;
    std::array<epoll_event, batch_size> events_{};
    std::size_t ready_ = 0; // of events_
};

} // namespace pgweir::net
