#include <pgweir/net/inspection.hpp>

#include <pgweir/net/descriptor.hpp>

#include "support/run_task.hpp"
#include "support/worker_rig.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <sys/socket.h>

using namespace pgweir;
using namespace pgweir::test;
using net::ClientUse;
using net::Detail;
using net::Inspection;
using net::Inspector;

namespace {

constexpr Duration long_enough = std::chrono::seconds{30};

// A client's socket, and the one that a worker gets.
std::array<net::Descriptor, 2> socket_pair()
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    return {net::Descriptor{ends[0]}, net::Descriptor{ends[1]}};
}

net::LoggedInClient client_of(std::shared_ptr<net::Pool> pool, net::Descriptor socket, ClientId id)
{
    net::LoggedInClient client;
    client.stream = net::Stream{std::move(socket)};
    client.pool = std::move(pool);
    client.id = id;
    client.startup = std::make_shared<const session::Settings>(
        std::vector<session::Settings::Entry>{{"application_name", "billing"}}
    );
    client.connected_at = Inspector::now();
    return client;
}

} // namespace

TEST_CASE("net/inspection: workers that run are heard")
{
    net::asio::io_context io;
    WorkerRig rig{2};
    for (net::Worker* const worker : rig.workers) worker->start();
    Inspector inspector{io.get_executor(), rig.pools, rig.workers, long_enough};
    const Inspection seen = run_task(io, inspector.inspect(Detail::pulse));
    CHECK(seen.worker_count == 2);
    CHECK(seen.silent.empty());
}

TEST_CASE("net/inspection: a worker that is stuck is named, and not waited for")
{
    net::asio::io_context io;
    WorkerRig rig{2};
    rig.workers[0]->start(); // the other one never looks into its mailbox
    Inspector inspector{io.get_executor(), rig.pools, rig.workers, std::chrono::milliseconds{1}};
    const Inspection seen = run_task(io, inspector.inspect(Detail::counts));
    REQUIRE_FALSE(seen.silent.empty());
    CHECK(seen.silent.back() == WorkerId{1});
}

TEST_CASE("net/inspection: without a question no worker is needed")
{
    net::asio::io_context io;
    WorkerRig rig{1};
    static_cast<void>(rig.pools.find_or_make({"orders", "app"}));
    Inspector inspector{io.get_executor(), rig.pools, rig.workers, long_enough};
    const Inspection seen = run_task(io, inspector.inspect(Detail::none));
    CHECK(seen.silent.empty());
    REQUIRE(seen.pools.size() == 1);
    CHECK(seen.pools[0].pool->label() == "orders/app");
}

TEST_CASE("net/inspection: clients are counted in their pool, on whichever worker they are")
{
    net::asio::io_context io;
    WorkerRig rig{2};
    for (net::Worker* const worker : rig.workers) worker->start();
    const auto pool = rig.pools.find_or_make({"orders", "app"});
    static_cast<void>(rig.pools.find_or_make({"other", "app"}));
    auto first = socket_pair();
    auto second = socket_pair();
    rig.workers[0]->adopt(client_of(pool, std::move(first[1]), ClientId{7}));
    rig.workers[1]->adopt(client_of(pool, std::move(second[1]), ClientId{8}));
    Inspector inspector{io.get_executor(), rig.pools, rig.workers, long_enough};
    const Inspection seen = run_task(io, inspector.inspect(Detail::counts));
    REQUIRE(seen.pools.size() == 2);
    CHECK(seen.pools[0].counts.of(ClientUse::idle) == 2);
    CHECK(seen.pools[0].counts.client_count() == 2);
    CHECK(seen.pools[1].counts.client_count() == 0);
    CHECK(seen.clients.empty());
}

TEST_CASE("net/inspection: rows say who a client is")
{
    net::asio::io_context io;
    WorkerRig rig{1};
    rig.workers[0]->start();
    const auto pool = rig.pools.find_or_make({"orders", "app"});
    auto sockets = socket_pair();
    rig.workers[0]->adopt(client_of(pool, std::move(sockets[1]), ClientId{7}));
    Inspector inspector{io.get_executor(), rig.pools, rig.workers, long_enough};
    const Inspection seen = run_task(io, inspector.inspect(Detail::rows));
    REQUIRE(seen.clients.size() == 1);
    const net::ConnectionRow& row = seen.clients[0];
    CHECK(row.id == 7);
    CHECK(row.user == "app");
    CHECK(row.database == "orders");
    CHECK(std::string{row.state} == "idle");
    CHECK(row.remote.host == "unix");
    CHECK(row.application_name == "billing");
    CHECK(row.linked_id == 0);
    CHECK(row.tls.empty());
}
