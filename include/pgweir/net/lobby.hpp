// Where connections wait until somebody begins with their login. When more come than there is time
// for, those that have begun are finished before the next begin: else all would be done equally
// late, which for clients that give up after some seconds means not at all.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/asio.hpp>

#include <boost/asio/post.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

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
    Task<void> wait(TimePoint deadline)
    {
        if (!is_round_open_) {
            open_round();
            co_return;
        }
        auto turn = std::make_shared<Timer>(io_.get_executor(), deadline);
        guests_.push_back(turn);
        co_await turn->async_wait(use_task);
    }

    [[nodiscard]] std::size_t size() const { return guests_.size(); }

private:
    // What is posted comes behind everything that is ready now.
    void open_round()
    {
        is_round_open_ = true;
        asio::post(io_, [this] { end_round(); });
    }

    void end_round()
    {
        is_round_open_ = false;
        if (guests_.empty()) return;
        std::exchange(guests_.front(), nullptr)->cancel();
        guests_.pop_front();
        open_round();
    }

    asio::io_context& io_;
    std::deque<std::shared_ptr<Timer>> guests_;
    bool is_round_open_ = false; // somebody has been let in
};

} // namespace pgweir::net
