// One client's connection to one side, and everything that comes back on it.
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/wire/startup.hpp>

#include "integration/support/stream.hpp"
#include "integration/support/wire_client.hpp"

#include <string>
#include <vector>

namespace pgweir::differential {

using test::Message;

/// A message type that no server sends: what we have to say about a connection ourselves.
inline constexpr char remark = '!';

/// Where one of the two sides is reached.
struct Place {
    std::string name; // for reports
    test::Target target;
    std::string database;
};

class Session {
public:
    /// Connects and sends the startup packet. Waits for nothing: the server may start meanwhile.
    Session(const Place& place, std::vector<wire::Parameter> parameters, bool is_reusable = false);

    /// What the login brought, to ReadyForQuery. Waits for it the first time.
    [[nodiscard]] const std::vector<Message>& greeting();
    /// Another stream may have it, after DISCARD ALL.
    [[nodiscard]] bool is_reusable() const { return is_reusable_ && !left_; }

    void send(Bytes bytes);
    /// Messages up to the ReadyForQuery of this number, and until `notifications` have come since
    /// the login. An end or a silence before that becomes a remark, the last message.
    [[nodiscard]] std::vector<Message> receive(
        std::size_t ready_count, std::size_t notifications = 0
    );
    [[nodiscard]] std::size_t notification_count() const { return notification_count_; }
    void forget_notifications() { notification_count_ = 0; }
    /// Says Terminate, if that was not said before.
    void leave();
    /// Waits until the other side has closed: then its locks are gone, too.
    void await_end();

private:
    /// Empty: not all of it is there yet.
    [[nodiscard]] std::optional<Message> next_message();

    test::Stream stream_;
    std::string received_;
    std::size_t consumed_ = 0; // of received_
    std::size_t notification_count_ = 0;
    std::vector<Message> greeting_;
    bool is_reusable_;
    bool left_ = false;
};

} // namespace pgweir::differential
