#include <pgweir/wire/messages.hpp>

#include "differential/holders.hpp"

#include <algorithm>

namespace pgweir::differential {

bool Holders::holds(std::size_t client) const
{
    const Client& it = clients_[client];
    return !it.gone && (it.pinned || it.status != 'I');
}

bool Holders::may_step(std::size_t client) const
{
    if (clients_[client].gone) return false;
    if (holds(client)) return true;
    std::size_t holding = 0;
    for (std::size_t i = 0; i < clients_.size(); ++i) holding += holds(i) ? 1U : 0U;
    return holding < servers_;
}

bool Holders::may_pin(std::size_t client) const
{
    if (clients_[client].pinned) return true;
    const auto pinned = std::ranges::count_if(clients_, [](const Client& it) {
        return it.pinned && !it.gone;
    });
    return static_cast<std::size_t>(pinned) + 1 < servers_;
}

void Holders::on_reply(const Step& step, const std::vector<Message>& messages)
{
    using namespace std::string_view_literals;
    Client& client = clients_[step.client];
    for (const Message& message : messages) {
        const bool is_ready = message.type == wire::server_type::ready_for_query;
        if (is_ready) client.status = message.body.at(0);
        if (message.body == "DISCARD ALL\0"sv) client.pinned = false;
        if (message.type == remark) client.gone = true;
    }
    if (step.may_pin) client.pinned = true;
    if (step.leaves) client.gone = true;
}

} // namespace pgweir::differential
