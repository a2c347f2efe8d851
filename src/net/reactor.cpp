#include <pgweir/net/reactor.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace pgweir::net {

namespace {

constexpr std::uint32_t always = EPOLLIN | EPOLLRDHUP | EPOLLET;

[[noreturn]] void fail(const char* what)
{
    throw std::system_error{errno, std::system_category(), what};
}

void control(int epoll, int operation, int fd, epoll_event event)
{
    if (::epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
}

} // namespace

Reactor::Reactor() : epoll_{::epoll_create1(EPOLL_CLOEXEC)}
{
    if (!epoll_) fail("epoll_create1");
}

void Reactor::add(int fd, Watched& watched)
{
    control(epoll_.get(), EPOLL_CTL_ADD, fd, {.events = always, .data = {.ptr = &watched}});
}

[[gnu::noinline]] void Reactor::watch_writable(int fd, Watched& watched, bool on)
{
    const std::uint32_t events = on ? always | EPOLLOUT : always;
    control(epoll_.get(), EPOLL_CTL_MOD, fd, {.events = events, .data = {.ptr = &watched}});
}

void Reactor::remove(int fd) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Reactor::wait(std::optional<Duration> timeout)
{
    int milliseconds = -1;
    if (timeout) {
        const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
        milliseconds = static_cast<int>(std::clamp<std::int64_t>(rounded, 0, 60'000));
    }
    const int size = static_cast<int>(events_.size());
    const int count = ::epoll_wait(epoll_.get(), events_.data(), size, milliseconds);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    ready_ = count > 0 ? static_cast<std::size_t>(count) : 0;
}

void Reactor::dispatch()
{
    for (std::size_t i = 0; i < ready_; ++i) {
        const epoll_event event = events_[i];
        static_cast<Watched*>(event.data.ptr)->on_ready(event.events);
    }
    ready_ = 0;
}

} // namespace pgweir::net
