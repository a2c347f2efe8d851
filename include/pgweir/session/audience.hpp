// Who of one worker's clients hears what the listener of their pool tells. All workers are told all
// of it, so that a client that goes to another worker misses nothing and hears nothing twice.
#pragma once

#include <pgweir/base/ids.hpp>
#include <pgweir/session/listening.hpp>
#include <pgweir/session/state.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace pgweir::session {

class Audience {
public:
    /// Kept for clients that are on their way here.
    static constexpr std::size_t kept_max = 1'000;

    /// A client with its first channel, or one from another worker: then it catches up. It must
    /// leave before its Listening goes.
    void join(Listening& listening);
    void leave(Listening& listening);
    /// What it hears has changed.
    void update(Listening& listening);

    /// Gives the events to whom they concern. Returns those that have something in their inbox.
    struct Result {
        std::vector<ClientId> clients;
        std::size_t dropped = 0;
    };
    [[nodiscard]] Result take(const EventsRef& events);

    [[nodiscard]] std::size_t client_count() const { return members_.size(); }
    /// How often the listener was lost and found again.
    [[nodiscard]] std::uint64_t reopenings() const { return reopenings_; }

private:
    void forget(Listening& listening);
    void tell(const EventsRef& events, const Event& event, Result& result);
    void tell_all(Result& result);
    void tell_cut(const Event& event);
    void catch_up(Listening& listening);
    void keep(const EventsRef& events);

    std::unordered_map<ClientId, Listening*> members_;
    std::unordered_map<std::string, std::vector<Listening*>, TextHash, std::equal_to<>> by_channel_;
    std::deque<EventsRef> kept_;
    std::size_t kept_count_ = 0;
    std::uint64_t seen_ = 0; // the number of the last event
    std::uint64_t reopenings_ = 0;
};

} // namespace pgweir::session
