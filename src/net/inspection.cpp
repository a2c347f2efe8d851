#include <pgweir/net/inspection.hpp>

#include <pgweir/net/address.hpp>
#include <pgweir/net/worker.hpp>

#include <boost/asio/post.hpp>
#include <openssl/ssl.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>

namespace pgweir::net {

namespace {

struct Answer {
    WorkerId worker;
    std::unordered_map<const Pool*, PoolCounts> counts;
    std::vector<ConnectionRow> clients;
    std::vector<ConnectionRow> servers;
};

// One question to all workers. Its content belongs to the executor's thread; workers only carry
// the pointer there and back.
struct Round {
    std::vector<Answer> answers;
    std::size_t missing = 0;
    Timer* timer = nullptr; // null: nobody waits any more
};

ClientUse use_of(const ClientSession& client)
{
    if (client.is_closing()) return ClientUse::closing;
    if (const Server* const server = client.server()) {
        const bool is_idle = client.is_pinned() && server->state.is_idle();
        return is_idle ? ClientUse::pinned : ClientUse::active;
    }
    return client.is_waiting() ? ClientUse::waiting : ClientUse::idle;
}

EndpointText endpoint_of(const Address& address)
{
    if (!address.is_unix()) return {address.host(), address.port()};
    const std::string path = address.host();
    const std::size_t dot = path.rfind('.'); // <directory>/.s.PGSQL.<port>
    if (dot == std::string::npos) return {path, 0};
    std::uint32_t port = 0;
    for (const char digit : std::string_view{path}.substr(dot + 1)) {
        port = port * 10 + static_cast<std::uint32_t>(digit - '0');
    }
    return {path, static_cast<std::uint16_t>(port)};
}

std::string tls_of(const Stream& stream)
{
    if (!stream.is_tls()) return {};
    return std::string{::SSL_get_version(stream.ssl())} + '/' + ::SSL_get_cipher(stream.ssl());
}

std::uint32_t peer_process_id(int fd)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return 0;
    return static_cast<std::uint32_t>(peer.pid);
}

std::string application_name(const session::Settings& settings)
{
    const std::string* const name = settings.find("application_name");
    return name == nullptr ? std::string{} : *name;
}

ConnectionRow row_of(const ClientSession& client, TimePoint now)
{
    const session::ClientState& state = client.state();
    const Address remote = Address::of_peer(client.stream().fd());
    ConnectionRow row;
    row.user = client.pool().name().user;
    row.database = client.pool().name().database;
    row.state = name_of(use_of(client));
    row.remote = endpoint_of(remote);
    row.local = endpoint_of(Address::of_local(client.stream().fd()));
    if (remote.is_unix()) {
        row.remote.port = row.local.port; // its own end has none
        row.remote_pid = peer_process_id(client.stream().fd());
    }
    row.connected_at = client.connected_at();
    row.active_at = client.last_active();
    if (client.is_waiting()) row.waiting = now - client.waiting_since();
    row.is_closing = client.is_closing();
    row.id = static_cast<std::uint64_t>(client.id());
    if (client.server() != nullptr) {
        row.linked_id = client.server()->serial();
        row.is_replication = client.server()->is_replication();
    }
    row.tls = tls_of(client.stream());
    row.application_name = application_name(*state.wanted);
    row.prepared_statements = state.statements ? state.statements->size() : 0;
    return row;
}

ConnectionRow row_of(const Server& server)
{
    ConnectionRow row;
    row.user = server.pool()->name().user;
    row.database = server.pool()->name().database;
    row.state = name_of(server.use);
    row.is_replication = server.is_replication();
    row.remote = endpoint_of(server.cancel_target().address);
    row.local = endpoint_of(Address::of_local(server.stream.fd()));
    row.connected_at = server.connected_at();
    row.active_at = std::max(server.connected_at(), server.idle_since);
    row.is_closing = server.is_unwanted;
    row.id = server.serial();
    if (server.client != nullptr) {
        row.linked_id = static_cast<std::uint64_t>(server.client->id());
        row.active_at = server.client->last_active();
    }
    row.remote_pid = server.cancel_target().process_id;
    row.tls = tls_of(server.stream);
    row.application_name = application_name(*server.state.settings);
    row.prepared_statements = server.state.prepared.size();
    return row;
}

// One of them is our own.
std::uint32_t channel_count(const Server& server)
{
    const std::size_t count = session::all_of(server.state.channels).size();
    return count == 0 ? 0 : static_cast<std::uint32_t>(count - 1);
}

// On the worker's thread.
Answer look_at(const Worker& worker, Detail detail)
{
    Answer answer{.worker = worker.id(), .counts = {}, .clients = {}, .servers = {}};
    if (detail == Detail::pulse) return answer;
    for (const auto& [id, client] : worker.clients()) {
        PoolCounts& counts = answer.counts[&client->pool()];
        ++counts.of(use_of(*client));
        if (client->is_listening()) ++counts.listening_clients;
        if (detail == Detail::rows) answer.clients.push_back(row_of(*client, worker.now()));
    }
    for (const auto& [serial, server] : worker.servers()) {
        PoolCounts& counts = answer.counts[server->pool().get()];
        ++counts.of(server->use);
        if (server->use == ServerUse::listening) counts.listen_channels += channel_count(*server);
        if (detail == Detail::rows) answer.servers.push_back(row_of(*server));
    }
    return answer;
}

void ask(Worker& asked, Detail detail, const Executor& executor, std::shared_ptr<Round> round)
{
    asked.post([detail, executor, round = std::move(round)](Worker& worker) {
        auto receive = [round, answer = look_at(worker, detail)]() mutable {
            round->answers.push_back(std::move(answer));
            if (--round->missing == 0 && round->timer != nullptr) round->timer->cancel();
        };
        asio::post(executor, std::move(receive));
    });
}

void append_rows(std::vector<ConnectionRow>& all, std::vector<ConnectionRow> more)
{
    all.insert(
        all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end())
    );
}

} // namespace

const char* name_of(ClientUse use)
{
    switch (use) {
    case ClientUse::active: return "active";
    case ClientUse::pinned: return "pinned";
    case ClientUse::waiting: return "waiting";
    case ClientUse::idle: return "idle";
    case ClientUse::closing: return "closing";
    }
    return "unknown";
}

std::uint32_t PoolCounts::client_count() const
{
    return std::accumulate(clients.begin(), clients.end(), 0U);
}

std::uint32_t PoolCounts::server_count() const
{
    return std::accumulate(servers.begin(), servers.end(), 0U);
}

PoolCounts& PoolCounts::operator+=(const PoolCounts& other)
{
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i] += other.clients[i];
    for (std::size_t i = 0; i < servers.size(); ++i) servers[i] += other.servers[i];
    listening_clients += other.listening_clients;
    listen_channels += other.listen_channels;
    return *this;
}

Task<Inspection> Inspector::inspect(Detail detail)
{
    auto round = std::make_shared<Round>();
    if (detail != Detail::none) {
        round->missing = workers_.size();
        for (Worker* const worker : workers_) ask(*worker, detail, executor_, round);
    }
    if (round->missing > 0) {
        Timer timer{executor_};
        timer.expires_after(deadline_);
        round->timer = &timer;
        co_await timer.async_wait(use_task);
        round->timer = nullptr;
    }

    Inspection result;
    result.now = now();
    result.wall_now = std::chrono::system_clock::now();
    result.worker_count = workers_.size();
    for (const Worker* const worker : workers_) {
        result.workers.push_back(
            {worker->load_percent(), worker->client_count(), worker->client_move_count()}
        );
    }
    std::unordered_map<const Pool*, PoolCounts> counts;
    std::vector<bool> has_answered(workers_.size());
    for (Answer& answer : round->answers) {
        has_answered[index_of(answer.worker)] = true;
        for (const auto& [pool, count] : answer.counts) counts[pool] += count;
        append_rows(result.clients, std::move(answer.clients));
        append_rows(result.servers, std::move(answer.servers));
    }
    for (std::uint32_t i = 0; detail != Detail::none && i < has_answered.size(); ++i) {
        if (!has_answered[i]) result.silent.push_back(WorkerId{i});
    }
    for (std::shared_ptr<Pool>& pool : pools_.all()) {
        const PoolCounts count = counts[pool.get()];
        result.pools.push_back({std::move(pool), count});
    }
    std::ranges::sort(result.clients, {}, &ConnectionRow::id);
    std::ranges::sort(result.servers, {}, &ConnectionRow::id);
    co_return result;
}

} // namespace pgweir::net
