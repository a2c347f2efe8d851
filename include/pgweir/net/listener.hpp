// One server connection that listens for all clients of a pool. Lives on the first worker, which is
// the one that always has work; the others send it messages, and all are told what it hears.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/pool/shared.hpp>
#include <pgweir/session/notification.hpp>
#include <pgweir/session/state.hpp>
#include <pgweir/session/subscriptions.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::net {

class Server;
class Worker;
struct WorkerPool;

inline constexpr WorkerId listener_worker{0};
/// Its name in the pool's queue.
inline constexpr ClientId listener_client{~std::uint64_t{0}};

/// Its server is lent like that of a client, and counts like one. It gets it from the queue, or
/// from a client that wants to listen and has one: or clients that wait for the listener could hold
/// all servers, and the listener would wait for them.
class Listener {
public:
    Listener(Worker& worker, WorkerPool& pool);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // What clients' workers say.
    void subscribe(const session::Subscriber& subscriber, const session::Channels& channels);
    void unsubscribe(const session::Channels& channels);
    /// A client waits for it, and could do without its server.
    void offer(const session::Subscriber& subscriber);
    /// An offer was taken, and there is the server, or it is needed after all.
    void donated(Server& server, std::string_view cut);
    void declined();
    /// Who asks is told when everything that was sent before has been told.
    void catch_up(const session::Subscriber& subscriber);

    // What the pool says.
    [[nodiscard]] bool is_waiting() const { return is_waiting_; }
    void granted(Server& server);
    void refused();

    // What its server says.
    void answered();
    void lost(std::string_view reason);

    void tick();

private:
    void work();
    void acquire();
    void begin(Server& server);
    void begin_round(bool is_due = false);
    void end_round();
    void give_back();
    void publish();
    void broadcast(session::Events events);
    void reply(const session::Subscriber& subscriber);

    Worker& worker_;
    WorkerPool& pool_;
    pool::Waiter waiter_{listener_client, listener_worker};
    session::ClientState self_; // whose session the server has
    session::Subscriptions subscriptions_;
    Server* server_ = nullptr;
    std::uint64_t event_count_ = 0;
    TimePoint heard_of_{};
    bool is_waiting_ = false; // for the queue to grant a server
    bool is_asked_ = false;   // a client was asked for its
    bool is_open_ = false;    // it listens to what it was opened for
    bool was_lost_ = false;   // and clients have not been told yet
};

} // namespace pgweir::net
