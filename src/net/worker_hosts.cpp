// The part of Worker that reacts when the hosts of an upstream change.
#include <pgweir/net/worker.hpp>

#include <algorithm>
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

void Worker::leave_addresses(const HostPort& place, const std::vector<Address>& addresses)
{
    for (auto& [serial, server] : servers_) {
        const CancelTarget& target = server->cancel_target();
        const bool is_gone = target.place == place
                             && std::ranges::find(addresses, target.address) == addresses.end();
        if (is_gone) server->is_unwanted = true;
    }
    for (auto& [key, own] : pools_) {
        own->core.tick(now_); // closes those that are idle
        obey(*own);
    }
}

// Nobody gets it meanwhile.
void Worker::check(Server& server)
{
    server.worker_pool().core.forget_idle(server);
    server.start_check();
}

} // namespace pgweir::net
