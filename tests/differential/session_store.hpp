// Sessions of PostgreSQL that are used again by a later stream. Starting one costs as much as a
// whole stream, so where a startup packet says nothing special, DISCARD ALL has to be new enough.
#pragma once

#include "differential/session.hpp"

#include <memory>
#include <vector>

namespace pgweir::differential {

class SessionStore {
public:
    /// A session in which nothing has happened yet.
    [[nodiscard]] std::unique_ptr<Session> take(
        const Place& place, const std::vector<wire::Parameter>& parameters
    );
    /// Nobody uses it any more.
    void give_back(std::unique_ptr<Session> session);
    /// Ends them all.
    void clear();

private:
    std::vector<std::unique_ptr<Session>> idle_; // all with plain startup packets
};

} // namespace pgweir::differential
