#include <pgweir/session/senders.hpp>

namespace pgweir::session {

void Senders::note(std::uint32_t server, std::uint32_t client)
{
    const std::scoped_lock lock{mutex_};
    clients_[server] = client;
}

void Senders::forget(std::uint32_t server)
{
    const std::scoped_lock lock{mutex_};
    clients_.erase(server);
}

std::uint32_t Senders::find(std::uint32_t server) const
{
    const std::scoped_lock lock{mutex_};
    const auto found = clients_.find(server);
    return found != clients_.end() ? found->second : 0;
}

void SenderEntry::set(ClientId client)
{
    if (senders_ == nullptr || client_ == client) return;
    client_ = client;
    senders_->note(server_, process_id_of(client));
}

void SenderEntry::clear()
{
    client_ = ClientId{};
    senders_->forget(server_);
}

} // namespace pgweir::session
