// The part of Worker that tells the others what it has learned about a database.
#include <pgweir/net/worker.hpp>

#include <memory>
#include <string>

namespace pgweir::net {

void Worker::schema_changed(WorkerPool& pool)
{
    forget_statements(pool);
    for (Worker* const worker : workers_) {
        if (worker == this) continue;
        worker->post([shared = pool.pool](Worker& other) {
            other.forget_statements(other.pool(shared));
        });
    }
}

void Worker::share_knowledge(WorkerPool& pool)
{
    const session::Knowledge& knowledge = pool.knowledge;
    const bool is_shared = pool.shared_catalog == knowledge.catalog
                           && pool.shared_customs == knowledge.customs.size();
    if (is_shared) return;
    pool.shared_catalog = knowledge.catalog;
    pool.shared_customs = knowledge.customs.size();
    for (Worker* const worker : workers_) {
        if (worker == this) continue;
        const auto tell = [shared = pool.pool,
                           catalog = knowledge.catalog,
                           customs = knowledge.customs](Worker& other) {
            WorkerPool& own = other.pool(shared);
            own.knowledge.catalog = catalog;
            own.shared_catalog = catalog;
            for (const std::string& name : customs) own.knowledge.add_custom(name);
        };
        worker->post(tell);
    }
}

void Worker::forget_statements(WorkerPool& pool)
{
    pool.knowledge.statements.clear();
    for (auto& [serial, server] : servers_) {
        if (server->pool() == pool.pool) server->state.prepared.schema_changed();
    }
}

} // namespace pgweir::net
