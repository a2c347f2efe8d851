// What goes out to one peer: as much at once as its socket takes, the rest when there is room.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/net/reactor.hpp>
#include <pgweir/net/stream.hpp>

namespace pgweir::net {

class Output {
public:
    /// Nothing is waiting for room.
    [[nodiscard]] bool empty() const { return pending_.empty(); }

    /// It will be told when the socket has room.
    [[nodiscard]] bool is_watched() const { return is_watched_; }

    /// False: the connection is broken.
    [[nodiscard]] bool send(
        Stream& stream, const session::Gather& gather, Reactor& reactor, Watched& watched
    )
    {
        if (!stream.send(gather, pending_)) return false;
        if (!pending_.empty()) watch(stream, reactor, watched, true);
        return true;
    }

    /// The socket has room again. False: the connection is broken.
    [[nodiscard]] bool flush(Stream& stream, Reactor& reactor, Watched& watched)
    {
        if (!stream.flush(pending_)) return false;
        if (pending_.empty()) watch(stream, reactor, watched, false);
        return true;
    }

    /// Asks the reactor to tell when the socket has room.
    void watch(const Stream& stream, Reactor& reactor, Watched& watched, bool on)
    {
        if (is_watched_ == on) return;
        reactor.watch_writable(stream.fd(), watched, on);
        is_watched_ = on;
    }

private:
    Buffer pending_;
    bool is_watched_ = false;
};

} // namespace pgweir::net
