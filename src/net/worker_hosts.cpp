// The part of Worker that reacts when the hosts of an upstream change.
#include <pgweir/net/worker.hpp>

#include <vector>

namespace pgweir::net {

void Worker::doubt_hosts(const Upstream& upstream)
{
    for (Worker* const worker : workers_) {
        worker->post([upstream](Worker& each) { each.look_at_hosts(upstream); });
    }
}

void Worker::look_at_hosts(const Upstream& upstream)
{
    std::vector<Server*> idle;
    for (auto& [serial, server] : servers_) {
        if (server->doubt(upstream)) idle.push_back(server.get());
    }
    for (Server* const server : idle) check(*server);
}

// Nobody gets it meanwhile.
void Worker::check(Server& server)
{
    server.worker_pool().core.forget_idle(server);
    server.start_check();
}

} // namespace pgweir::net
