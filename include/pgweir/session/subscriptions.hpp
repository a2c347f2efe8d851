// What the clients of a pool want its listener to listen to, and who waits until it has done so.
#pragma once

#include <pgweir/base/ids.hpp>
#include <pgweir/session/channels.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pgweir::session {

/// A client that waits for the listener.
struct Subscriber {
    WorkerId worker;
    ClientId client;
    std::uint64_t request = 0; // zero: it waits for what was sent before to be told
};

class Subscriptions {
public:
    void add(const Channels& channels);
    void remove(const Channels& channels);
    [[nodiscard]] bool empty() const { return counts_.empty(); }
    [[nodiscard]] std::size_t size() const { return counts_.size(); }
    [[nodiscard]] std::vector<std::string> names() const;

    /// It is answered by the next round trip that begins.
    void wait(const Subscriber& subscriber) { waiting_.push_back(subscriber); }
    [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }
    /// A round trip begins: it tells the server what names() says, and makes it tell what it knows.
    void begin_round();
    /// It is over. Returns who has waited for it.
    [[nodiscard]] std::vector<Subscriber> end_round();
    /// It will not be: who wants channels waits for another one. Returns the others.
    [[nodiscard]] std::vector<Subscriber> break_round();

private:
    std::map<std::string, std::size_t> counts_;
    std::vector<Subscriber> waiting_;
    std::vector<Subscriber> in_round_;
};

} // namespace pgweir::session
