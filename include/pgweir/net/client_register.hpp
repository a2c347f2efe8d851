// Who is logged in to a database, by the process id that its BackendKeyData has told.
#pragma once

#include <pgweir/base/ids.hpp>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace pgweir::net {

class Pool;

struct RegisteredClient {
    ClientId id{};
    std::string secret; // of its cancel key
    const Pool* pool = nullptr;
};

/// From any thread: the front door enters clients, workers take them out, and whoever is named one
/// looks it up. Once for each login and for each cancel or the like, hence a lock.
class ClientRegister {
public:
    void add(RegisteredClient client);
    void remove(ClientId client);
    [[nodiscard]] std::optional<RegisteredClient> find(std::uint32_t process_id) const;

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::uint32_t, RegisteredClient> clients_;
};

} // namespace pgweir::net
