// What only the workers know of their clients and servers, asked of all of them at once, and never
// waited for beyond a deadline.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/pool_registry.hpp>
#include <pgweir/net/server.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgweir::net {

class Worker;

/// How much is asked: the more, the longer a worker is kept from its clients.
enum class Detail {
    none,   // nothing: only what is known without them
    pulse,  // only whether they answer
    counts, // how many clients and servers of each pool are in which state
    rows,   // and each of them
};

enum class ClientUse : std::uint8_t {
    active,  // has a server
    pinned,  // likewise, but nothing to do for it: between two transactions
    waiting, // for one
    idle,    // needs none
    closing, // was told the last word
};
[[nodiscard]] const char* name_of(ClientUse use);

inline constexpr std::array client_uses{
    ClientUse::active, ClientUse::pinned, ClientUse::waiting, ClientUse::idle, ClientUse::closing
};
inline constexpr std::array server_uses{
    ServerUse::idle,
    ServerUse::lent,
    ServerUse::recovering,
    ServerUse::resetting,
    ServerUse::checking,
    ServerUse::held,
    ServerUse::listening,
};

struct PoolCounts {
    std::array<std::uint32_t, client_uses.size()> clients{}; // in the order of client_uses
    std::array<std::uint32_t, server_uses.size()> servers{}; // likewise
    std::uint32_t listening_clients = 0;                     // that need no server for it
    std::uint32_t listen_channels = 0;                       // of all of them together

    [[nodiscard]] std::uint32_t& of(ClientUse use) { return clients[std::size_t(use)]; }
    [[nodiscard]] std::uint32_t of(ClientUse use) const { return clients[std::size_t(use)]; }
    [[nodiscard]] std::uint32_t& of(ServerUse use) { return servers[std::size_t(use)]; }
    [[nodiscard]] std::uint32_t of(ServerUse use) const { return servers[std::size_t(use)]; }
    [[nodiscard]] std::uint32_t client_count() const;
    [[nodiscard]] std::uint32_t server_count() const;
    PoolCounts& operator+=(const PoolCounts& other);
};

struct PoolRow {
    std::shared_ptr<const Pool> pool;
    PoolCounts counts;
};

/// One end of a socket, as an operator names it.
struct EndpointText {
    std::string host; // "unix" for a client over a unix socket
    std::uint16_t port = 0;
};

/// A client, or a server connection.
struct ConnectionRow {
    std::string user;
    std::string database;
    const char* state = "";
    bool is_replication = false;
    EndpointText remote;
    EndpointText local;
    TimePoint connected_at{};
    TimePoint active_at{};
    Duration waiting{}; // of a client, for a server
    bool is_closing = false;
    std::uint64_t id = 0;
    std::uint64_t linked_id = 0; // the server that it has, or the client that has it; 0: none
    std::uint32_t remote_pid = 0;
    std::string tls; // version/cipher
    std::string application_name;
    std::size_t prepared_statements = 0;
};

/// What a worker has published: known without asking it.
struct WorkerRow {
    std::uint32_t load_percent = 0; // of one core
    std::size_t clients = 0;
    std::uint64_t client_moves = 0; // clients that it has given to others
};

/// A client that moves to another worker just then may be missing, or be there twice.
struct Inspection {
    TimePoint now{};
    std::chrono::system_clock::time_point wall_now{};
    std::vector<PoolRow> pools; // all there are, sorted by name
    std::vector<ConnectionRow> clients;
    std::vector<ConnectionRow> servers;
    std::size_t worker_count = 0;
    std::vector<WorkerRow> workers; // in order
    std::vector<WorkerId> silent;   // did not answer in time: what they know is missing above
};

/// Lives on the executor's thread, and longer than the tasks that it has started. The workers must
/// be stopped before the executor's context goes: they post to it.
class Inspector {
public:
    static constexpr Duration default_deadline = std::chrono::seconds{2};

    Inspector(
        Executor executor,
        const PoolRegistry& pools,
        const std::vector<Worker*>& workers,
        Duration deadline = default_deadline
    )
        : executor_{std::move(executor)}, pools_{pools}, workers_{workers}, deadline_{deadline}
    {
    }

    Task<Inspection> inspect(Detail detail);

    [[nodiscard]] const PoolRegistry& pools() const { return pools_; }
    [[nodiscard]] const Executor& executor() const { return executor_; }
    [[nodiscard]] static TimePoint now() { return std::chrono::steady_clock::now(); }

private:
    Executor executor_;
    const PoolRegistry& pools_;
    const std::vector<Worker*>& workers_;
    Duration deadline_;
};

} // namespace pgweir::net
