// The part of Worker that takes connections from the front door, on whichever thread that runs.
#include <pgweir/net/worker.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace pgweir::net {

void Worker::adopt(LoggedInClient client)
{
    client_count_.fetch_add(1, std::memory_order_relaxed);
    mailbox_.post(std::move(client));
}

void Worker::nudge(pool::Party& party)
{
    post([pool = static_cast<Pool&>(party).shared_from_this()](Worker& worker) {
        WorkerPool& own = worker.pool(pool);
        own.core.nudged(worker.now());
        worker.obey(own);
    });
}

void Worker::carry_out(WorkerPool& /*pool*/, const pool::Nudge& command)
{
    workers_[index_of(command.worker)]->nudge(*command.party);
}

std::uint64_t Worker::new_serial() { return std::uint64_t{index_of(id_)} << 48U | ++next_serial_; }

void Worker::adopt_server(OpenedServer opened)
{
    auto shared = std::make_shared<OpenedServer>(std::move(opened));
    post([shared](Worker& worker) {
        WorkerPool& pool = worker.pool(shared->pool);
        Server& server = worker.own_opened(pool, *shared);
        pool.core.opened(server, worker.now());
        worker.obey(pool);
    });
}

Server& Worker::own_opened(WorkerPool& pool, OpenedServer& opened)
{
    pool.counters.servers_opened.add();
    pool.counters.connect_time.observe(now_ - opened.connected_at);
    opened.connected_at = now_;
    Server& server = own(std::make_unique<Server>(std::move(opened), new_serial()));
    server.expires_at = pool::expiry(now_, pool.options, server.serial());
    server.state_hash = server.state.settings->hash();
    return server;
}

void Worker::adopt_server_for(OpenedServer opened, ClientId client)
{
    auto shared = std::make_shared<OpenedServer>(std::move(opened));
    post([shared, client](Worker& worker) {
        Server& owned = worker.own_opened(worker.pool(shared->pool), *shared);
        owned.lease.kind = pool::Lease::Kind::parked; // in the place of the one that was granted
        ClientSession* const session = worker.find_client(client);
        if (session != nullptr && session->is_waiting()) {
            session->granted(owned);
        } else {
            owned.say_good_bye();
            worker.server_lost(owned);
        }
    });
}

void Worker::open_failed(std::shared_ptr<Pool> pool, bool is_down)
{
    post([pool = std::move(pool), is_down](Worker& worker) {
        WorkerPool& own = worker.pool(pool);
        own.counters.server_connect_failures.add();
        own.core.open_failed(worker.now(), is_down);
        worker.obey(own);
    });
}

void Worker::open_failed_for(std::shared_ptr<Pool> pool, ClientId client, wire::ErrorText error)
{
    post([pool = std::move(pool), client, error = std::move(error)](Worker& worker) {
        WorkerPool& own = worker.pool(pool);
        own.counters.server_connect_failures.add();
        own.core.lost_parked(worker.now());
        worker.obey(own);
        ClientSession* const session = worker.find_client(client);
        if (session != nullptr) session->open_failed(error);
    });
}

} // namespace pgweir::net
