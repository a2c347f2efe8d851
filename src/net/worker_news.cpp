// The part of Worker that tells the others what it has learned about a database.
#include <pgweir/net/worker.hpp>

#include <memory>
#include <string>
#include <utility>

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
    const std::string vacated = std::exchange(knowledge.vacated, {});
    if (!vacated.empty()) vacate(vacated);
    for (Worker* const worker : workers_) {
        if (worker == this) continue;
        worker->post([shared = pool.pool,
                      catalog = knowledge.catalog,
                      customs = knowledge.customs,
                      readers = knowledge.sequence_readers,
                      vacated](Worker& other) {
            if (!vacated.empty()) other.vacate(vacated);
            session::Knowledge& own = other.pool(shared).knowledge;
            if (catalog) own.catalog = catalog;
            for (const std::string& name : customs) own.add_custom(name);
            for (const std::string& name : readers) own.add_sequence_reader(name);
            own.has_news = false;
        });
    }
}

// PostgreSQL itself waits for them for a moment: up to five seconds.
void Worker::vacate(const std::string& database)
{
    for (auto& [key, own] : pools_) {
        if (own->pool->database() != database) continue;
        own->core.close_idle(pool::CloseReason::unwanted);
        obey(*own);
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
