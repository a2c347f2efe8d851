// Who has sent a notification. PostgreSQL tells the process, which is a server of the pool; clients
// know each other by the process ids that they were told at login.
#pragma once

#include <pgweir/base/ids.hpp>

#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace pgweir::session {

/// Of a pool: which client's statement that notifies a server runs, or has run last. From any
/// thread; only statements that notify cost a lock, and what listeners hear.
class Senders {
public:
    void note(std::uint32_t server, std::uint32_t client);
    void forget(std::uint32_t server);
    /// The process id that its clients know; 0: no client that we know of has notified there.
    [[nodiscard]] std::uint32_t find(std::uint32_t server) const;

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::uint32_t, std::uint32_t> clients_;
};

/// The entry of one server. It ends when another client has the server, who may notify without our
/// knowing, in a trigger: then its own process id is the best that can be told.
class SenderEntry {
public:
    SenderEntry() = default;
    ~SenderEntry()
    {
        if (client_ != ClientId{}) clear();
    }
    SenderEntry(const SenderEntry&) = delete;
    SenderEntry& operator=(const SenderEntry&) = delete;

    /// Without that it knows nobody.
    void open(Senders& senders, std::uint32_t server)
    {
        senders_ = &senders;
        server_ = server;
    }
    /// A statement of this client that notifies is about to be sent.
    void set(ClientId client);
    void lent_to(ClientId client)
    {
        if (client_ != ClientId{} && client_ != client) [[unlikely]]
            clear();
    }
    /// Who has notified there, as Senders::find.
    [[nodiscard]] std::uint32_t find(std::uint32_t server) const
    {
        return senders_ != nullptr ? senders_->find(server) : 0;
    }

private:
    [[gnu::noinline]] void clear();

    Senders* senders_ = nullptr;
    std::uint32_t server_ = 0;
    ClientId client_{};
};

} // namespace pgweir::session
