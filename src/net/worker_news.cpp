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
    session::Knowledge& knowledge = pool.knowledge;
    knowledge.has_news = false;
    for (Worker* const worker : workers_) {
        if (worker == this) continue;
        worker->post([shared = pool.pool,
                      catalog = knowledge.catalog,
                      customs = knowledge.customs,
                      readers = knowledge.sequence_readers](Worker& other) {
            session::Knowledge& own = other.pool(shared).knowledge;
            if (catalog) own.catalog = catalog;
            for (const std::string& name : customs) own.add_custom(name);
            for (const std::string& name : readers) own.add_sequence_reader(name);
            own.has_news = false;
        });
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
