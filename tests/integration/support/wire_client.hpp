// A client that speaks the protocol byte by byte, also wrongly, where libpq would not.
#pragma once

#include "integration/support/stream.hpp"
#include "integration/support/wire_messages.hpp"

#include <functional>
#include <map>
#include <string>

namespace pgweir::test {

/// Where a test connects to, and as whom.
struct Target {
    std::string host;
    std::uint16_t port = 0;
};

class WireClient {
public:
    explicit WireClient(const Target& target) : stream_{target.host, target.port} {}

    [[nodiscard]] Stream& stream() { return stream_; }

    void send(std::string_view bytes) { stream_.write(bytes); }
    /// Throws PeerGone at the end of the stream.
    Message receive();
    /// Messages up to and including the first of this type, their texts joined by spaces.
    /// Throws PeerGone when the end comes first.
    std::string receive_until(char type);
    /// Everything until the peer closes, as texts joined by spaces. Empty: it said nothing.
    std::string receive_to_end();
    /// send, then receive_until ReadyForQuery.
    std::string ask(std::string_view bytes);

    /// Startup as `user` on the database app, to ReadyForQuery. Answers a request for a cleartext
    /// password, no other. Returns the texts of what the server said.
    std::string log_in(
        const std::string& user,
        const std::map<std::string, std::string>& parameters = {},
        std::uint32_t version = message::version_3_0
    );
    /// What BackendKeyData brought, ready for message::cancel_request.
    [[nodiscard]] const std::string& cancel_key() const { return cancel_key_; }

private:
    Stream stream_;
    std::string cancel_key_;
};

/// The words of the ErrorResponse among the messages until the peer closes, "SQLSTATE words".
std::string refusal(WireClient& client);

} // namespace pgweir::test
