#include <pgweir/net/lobby.hpp>

#include <boost/asio/post.hpp>

#include <utility>

namespace pgweir::net {

Task<void> Lobby::wait(TimePoint deadline)
{
    if (!is_round_open_) {
        open_round();
        co_return;
    }
    auto turn = std::make_shared<Timer>(io_.get_executor(), deadline);
    guests_.push_back(turn);
    co_await turn->async_wait(use_task);
}

// What is posted comes behind everything that is ready now.
void Lobby::open_round()
{
    is_round_open_ = true;
    asio::post(io_, [this] { end_round(); });
}

void Lobby::end_round()
{
    is_round_open_ = false;
    if (guests_.empty()) return;
    std::exchange(guests_.front(), nullptr)->cancel();
    guests_.pop_front();
    open_round();
}

} // namespace pgweir::net
