// Who keeps a server between turns. It keeps streams from asking for more servers than there are:
// PostgreSQL alone would answer, and through any pooler everybody would wait for ever.
#pragma once

#include "differential/session.hpp"
#include "differential/step.hpp"

#include <vector>

namespace pgweir::differential {

class Holders {
public:
    Holders(std::size_t clients, std::size_t servers) : clients_(clients), servers_{servers} {}

    /// Transaction status, as the last ReadyForQuery said it.
    [[nodiscard]] char status(std::size_t client) const { return clients_[client].status; }
    [[nodiscard]] bool is_gone(std::size_t client) const { return clients_[client].gone; }
    /// In a transaction, or with state that may keep a server to itself.
    [[nodiscard]] bool holds(std::size_t client) const;
    /// A server is there for it.
    [[nodiscard]] bool may_step(std::size_t client) const;
    /// It may leave such state: one server stays for those who share.
    [[nodiscard]] bool may_pin(std::size_t client) const;

    /// What PostgreSQL itself has answered.
    void on_reply(const Step& step, const std::vector<Message>& messages);

private:
    struct Client {
        char status = 'I';
        bool pinned = false;
        bool gone = false;
    };

    std::vector<Client> clients_;
    std::size_t servers_;
};

} // namespace pgweir::differential
