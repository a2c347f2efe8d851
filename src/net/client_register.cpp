#include <pgweir/net/client_register.hpp>

#include <utility>

namespace pgweir::net {

void ClientRegister::add(RegisteredClient client)
{
    const std::uint32_t process_id = process_id_of(client.id);
    const std::scoped_lock lock{mutex_};
    clients_.insert_or_assign(process_id, std::move(client));
}

void ClientRegister::remove(ClientId client)
{
    const std::scoped_lock lock{mutex_};
    clients_.erase(process_id_of(client));
}

std::optional<RegisteredClient> ClientRegister::find(std::uint32_t process_id) const
{
    const std::scoped_lock lock{mutex_};
    const auto found = clients_.find(process_id);
    return found == clients_.end() ? std::nullopt : std::optional{found->second};
}

} // namespace pgweir::net
