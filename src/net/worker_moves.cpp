// The part of Worker that gives clients and servers to other workers, and takes theirs.
#include <pgweir/base/assert.hpp>
#include <pgweir/net/worker.hpp>

#include <utility>

namespace pgweir::net {

namespace {

constexpr Duration look_interval = std::chrono::milliseconds{100};

} // namespace

std::vector<pool::WorkerLoad> loads_of(const std::vector<Worker*>& workers)
{
    std::vector<pool::WorkerLoad> loads;
    loads.reserve(workers.size());
    for (const Worker* const worker : workers) {
        loads.push_back({worker->load_percent(), worker->client_count()});
    }
    return loads;
}

// Nobody is woken for this: a busy worker comes by often enough, an idle one with its tick.
void Worker::look_at_load()
{
    next_look_ = now_ + look_interval;
    load_percent_.store(meter_.measure(now_), std::memory_order_relaxed);
    leaving_clients_.clear(); // who was busy all the time stays
    if (workers_.size() == 1) return;
    const pool::Balance::Verdict verdict = balance_.look(loads_of(workers_), now_);
    if (verdict.handover) hand_over(*verdict.handover);
    if (!verdict.starts_counting) return;
    for (const auto& [id, client] : clients_) client->start_counting();
}

void Worker::hand_over(const pool::Handover& handover)
{
    leaving_clients_.clear();
    if (is_draining_) return;
    std::vector<pool::ClientWork> works;
    works.reserve(clients_.size());
    for (const auto& [id, client] : clients_) {
        works.push_back({id, client->work(), client->is_bound()});
    }
    for (const ClientId client : pool::choose_clients(std::move(works), handover)) {
        leaving_clients_.push_back({client, handover.to});
    }
}

// Not at once: this batch may hold an event for it, and whoever has brought us here still looks at
// it. Once it is posted it belongs to another thread.
void Worker::move_server(Server& server, WorkerId worker, ClientId client)
{
    server.is_leaving = true;
    departures_.push_back({&server, worker, client, {}});
}

void Worker::send_departures()
{
    for (const Departure& departure : departures_) {
        workers_[index_of(departure.worker)]->mailbox_.post(
            MovedServer{release(*departure.server), departure.client, departure.cut}
        );
    }
    departures_.clear();
    std::erase_if(leaving_clients_, [this](const LeavingClient& leaving) {
        ClientSession* const client = find_client(leaving.client);
        if (client == nullptr) return true;
        if (!client->can_move()) return false; // perhaps after the next batch
        move_client(*client, *workers_[index_of(leaving.to)]);
        return true;
    });
}

std::unique_ptr<Server> Worker::release(Server& server)
{
    auto node = servers_.extract(server.serial());
    PGWEIR_ASSERT(!node.empty());
    server.detach();
    return std::move(node.mapped());
}

void Worker::move_client(ClientSession& client, Worker& to)
{
    MovedClient moved;
    if (client.server() != nullptr) moved.server = release(*client.server());
    moved.pool = client.shared_pool();
    client.detach();
    std::erase(run_again_, &client);
    auto node = clients_.extract(client.id());
    PGWEIR_ASSERT(!node.empty());
    moved.session = std::move(node.mapped());
    client_moves_.add();
    to.client_count_.fetch_add(1, std::memory_order_relaxed);
    client_count_.fetch_sub(1, std::memory_order_relaxed);
    to.mailbox_.post(std::move(moved));
}

void Worker::receive(MovedServer moved)
{
    Server& server = own(std::move(moved.server));
    if (moved.cut.empty()) return grant(server, moved.client);
    listener_of(server.worker_pool()).donated(server, moved.cut);
}

void Worker::receive(MovedClient moved)
{
    ClientSession& client = *moved.session;
    clients_.emplace(client.id(), std::move(moved.session));
    if (moved.server) own(std::move(moved.server));
    client.join(*this, pool(moved.pool));
    if (is_draining_ && !client.is_over()) client.drain();
}

Server& Worker::own(std::unique_ptr<Server> server)
{
    Server& owned = *server;
    servers_.emplace(owned.serial(), std::move(server));
    owned.attach(*this, pool(owned.pool()));
    return owned;
}

} // namespace pgweir::net
