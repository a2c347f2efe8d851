// What the shared listener of a pool tells all workers, in the one order that PostgreSQL has for
// it; and the queue of a client for which it is not the time.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace pgweir::session {

struct Notification {
    std::uint32_t process_id = 0; // of the server that has sent it
    std::string channel;
    std::string payload;
    std::uint32_t sender = 0; // the process id that clients know, if it is known: see Senders
};

struct Event {
    enum class Kind : std::uint8_t {
        notification,
        cut,      // `payload` names the handover whose place in the order this is
        reopened, // the listener was lost before, and listens to everything again
    };

    Kind kind = Kind::notification;
    std::uint64_t number = 0; // from 1, of all events of a pool
    Notification notification;
};
using Events = std::vector<Event>;
using EventsRef = std::shared_ptr<const Events>; // shared by all workers, and by queues

/// Bounded: a client that does not read, or stays in its transaction, loses the oldest, and is told
/// how many.
class Inbox {
public:
    static constexpr std::size_t count_max = 10'000;
    static constexpr std::size_t size_max = 1U << 20U;

    [[nodiscard]] bool empty() const { return waiting_.empty() && !has_missed_ && dropped_ == 0; }
    [[nodiscard]] std::size_t count() const { return waiting_.size(); }

    /// How many were dropped for it.
    std::size_t push(std::shared_ptr<const Notification> notification);
    /// Nobody knows what else there was.
    void note_missed() { has_missed_ = true; }
    /// Forgets those of channels that are not wanted any more.
    void keep_only(const std::vector<std::string>& channels);

    /// The last so many that `server` has sent, in the client's own transaction, are told as sent
    /// by the process that the client takes it for.
    void claim(std::size_t count, std::uint32_t server, std::uint32_t process_id);

    /// All of it as messages for the client, which was told `own_id`. Returns how many
    /// notifications they tell.
    std::size_t drain(Buffer& out, std::uint32_t own_id);

private:
    void drop_oldest();

    std::deque<std::shared_ptr<const Notification>> waiting_;
    std::size_t size_ = 0;
    std::size_t dropped_ = 0;
    bool has_missed_ = false;
};

} // namespace pgweir::session
