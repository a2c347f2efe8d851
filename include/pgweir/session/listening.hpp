// A client's channels on their way from a server of its own to the listener that all clients of a
// pool share, and what comes from there.
#pragma once

#include <pgweir/base/ids.hpp>
#include <pgweir/session/channels.hpp>
#include <pgweir/session/notification.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::session {

/// Every notification comes once, in PostgreSQL's order, although the server that the client has
/// LISTENed on tells it as well as the listener: once the listener listens to the channel, too, a
/// notification of our own, the cut, is sent on a channel that both hear. What comes before it
/// counts from the server, what comes behind it from the listener.
class Listening {
public:
    /// `cut_channel`: of all cuts of this pool; a name that nobody else knows.
    Listening(ClientId client, std::string cut_channel)
        : client_{client}, cut_channel_{std::move(cut_channel)}
    {
    }

    [[nodiscard]] ClientId client() const { return client_; }

    /// What the listener must be told when the session listens to `channels` now.
    struct Change {
        Channels more;
        Channels less;
    };
    [[nodiscard]] Change want(const Channels& channels);
    [[nodiscard]] const Channels& wanted() const { return wanted_; }

    /// The listener tells everything: the client needs no server for it.
    [[nodiscard]] bool is_handed_over() const { return contains_all(taken_, wanted_); }
    /// … and every cut has come.
    [[nodiscard]] bool is_settled() const { return is_handed_over() && cuts_.empty(); }

    /// The last request that more channels make; the listener's answer names it.
    [[nodiscard]] std::uint64_t request() const { return request_; }
    void granted(std::uint64_t request) { is_granted_ = request == request_; }
    [[nodiscard]] bool is_granted() const { return is_granted_; }
    /// The client is told something else before the listener has said what came before it.
    [[nodiscard]] bool is_behind() const { return !heard_.empty() && !has_caught_up; }
    /// Not to be tried again before more is wanted.
    void give_up() { is_granted_ = false; }

    /// Begins a handover: what the client's server is to run.
    [[nodiscard]] std::string cut_sql();
    [[nodiscard]] std::string end_of_cut_sql() const;
    /// The client's server becomes the listener: this is the place of the cut, whose name …
    [[nodiscard]] std::string cut_here();
    /// There is no order to be kept, because there was a gap: the listener tells all at once.
    void take_all();

    /// What a server that is lent to the client says: is it for the client?
    enum class Hearing : std::uint8_t {
        passed,
        dropped, // the listener tells it, or it is ours
    };
    [[nodiscard]] Hearing hear_server(std::string_view channel, std::string_view payload);

    // What the listener says.
    [[nodiscard]] const Channels& heard() const { return heard_; }
    void cut_came(std::string_view name);
    /// There was a gap in what it says.
    void reopened();

    Inbox inbox;
    std::size_t told = 0;       // from the inbox, and not counted yet
    std::uint64_t seen = 0;     // the number of the last event that was looked at for it
    bool has_caught_up = false; // with what was notified before the end of its last transaction
    // Audience's own:
    Channels indexed;
    bool has_joined = false; // one, perhaps of another worker

private:
    struct Cut {
        std::string name;
        Channels channels;
    };
    [[nodiscard]] std::string new_name();
    void took_at(std::string name);

    ClientId client_;
    std::string cut_channel_;
    Channels wanted_;               // what the listener listens to for us, or is asked to
    Channels taken_;                // what servers say of these is dropped
    Channels heard_;                // what the listener says of these is told
    std::vector<Cut> cuts_;         // that the listener has not come to yet
    std::string cut_name_;          // of the one that the server has not come to yet
    std::string listener_cut_name_; // the last one that the listener has come to before the server
    std::uint64_t request_ = 0;
    std::uint64_t name_count_ = 0;
    bool is_granted_ = false;
};

/// Whose cut it is. Zero: nobody's.
[[nodiscard]] ClientId client_of_cut(std::string_view name);

} // namespace pgweir::session
