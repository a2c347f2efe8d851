// The part of Worker that carries what clients, the listener of their pool and its audiences have
// to say to each other. Always by post, also on one's own worker: the order is the same everywhere,
// and nobody is called in the middle of something.
#include <pgweir/net/worker.hpp>

#include <memory>
#include <string>
#include <utility>

namespace pgweir::net {

Listener& Worker::listener_of(WorkerPool& pool)
{
    if (!pool.listener) pool.listener = std::make_unique<Listener>(*this, pool);
    return *pool.listener;
}

void Worker::tell_listener(const WorkerPool& pool, std::function<void(Listener&)> call)
{
    workers_[index_of(listener_worker)]->post([shared = pool.pool,
                                               call = std::move(call)](Worker& home) {
        call(home.listener_of(home.pool(shared)));
    });
}

void Worker::tell_client(
    const WorkerPool& pool,
    const session::Subscriber& subscriber,
    std::function<void(ClientSession&)> call,
    std::function<void(Listener&)> otherwise
)
{
    workers_[index_of(subscriber.worker)]->post([shared = pool.pool,
                                                 client = subscriber.client,
                                                 call = std::move(call),
                                                 otherwise = std::move(otherwise)](Worker& worker) {
        ClientSession* const session = worker.find_client(client);
        if (session != nullptr) return call(*session);
        if (otherwise) worker.tell_listener(worker.pool(shared), otherwise);
    });
}

void Worker::tell_audiences(const WorkerPool& pool, const session::EventsRef& events)
{
    for (Worker* const worker : workers_) {
        worker->post([shared = pool.pool, events](Worker& each) {
            each.hear(each.pool(shared), events);
        });
    }
}

void Worker::hear(WorkerPool& pool, const session::EventsRef& events)
{
    const session::Audience::Result result = pool.audience.take(events);
    if (result.dropped > 0) pool.counters.listen_dropped.add(result.dropped);
    for (const ClientId id : result.clients) {
        if (ClientSession* const client = find_client(id)) client->deliver_notifications();
    }
}

void Worker::give_to_listener(Server& server, std::string cut)
{
    server.use = ServerUse::listening;
    server.is_leaving = true; // at the end of the batch, as others that move
    departures_.push_back({&server, listener_worker, listener_client, std::move(cut)});
}

} // namespace pgweir::net
