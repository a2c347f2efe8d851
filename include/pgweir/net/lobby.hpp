// Where those wait who want something that is dear. When more come than there is time for, those
// that have begun are finished before the next begin: else all would be done equally late, which
// for clients that give up after some seconds means not at all.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/asio.hpp>

#include <cstddef>
#include <deque>
#include <memory>

namespace pgweir::net {

/// Lets one in for each round of the event loop, in the order of their coming: a round ends when
/// everything that was ready has had its turn, and is over at once when nothing was. So there is no
/// limit to set, and those who wait for their clients' next word bar nobody's way. Outlives its
/// guests, and what the io_context has still to run.
class Lobby {
public:
    explicit Lobby(asio::io_context& io) : io_{io} {}
    Lobby(const Lobby&) = delete;
    Lobby& operator=(const Lobby&) = delete;

    /// Over when it is one's turn, or at the deadline.
    Task<void> wait(TimePoint deadline);
    [[nodiscard]] std::size_t size() const { return guests_.size(); }

private:
    void open_round();
    void end_round();

    asio::io_context& io_;
    std::deque<std::shared_ptr<Timer>> guests_;
    bool is_round_open_ = false; // somebody has been let in
};

} // namespace pgweir::net
