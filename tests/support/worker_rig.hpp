// Workers and pools without a front door, for tests of what asks them.
#pragma once

#include <pgweir/net/directory.hpp>
#include <pgweir/net/pool_registry.hpp>
#include <pgweir/net/worker.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::test {

/// Knows every database but "unknown", and lets everybody have a pool.
class OpenDirectory final : public net::Directory {
public:
    [[nodiscard]] std::optional<net::Upstream> find_upstream(std::string_view database
    ) const override
    {
        if (database == "unknown") return std::nullopt;
        net::Upstream upstream;
        upstream.hosts = {{"db.internal", 5433}};
        upstream.dbname = database;
        return upstream;
    }
    [[nodiscard]] std::optional<auth::User> find_user(
        std::string_view /*user*/, std::string_view /*database*/
    ) const override
    {
        return std::nullopt;
    }
    [[nodiscard]] pool::Options pool_options(
        std::string_view /*database*/, std::string_view /*user*/
    ) const override
    {
        return {};
    }
    [[nodiscard]] auth::Method auth_method() const override { return {}; }
    [[nodiscard]] bool may_use_console(std::string_view /*user*/) const override { return true; }
};

/// Opens nothing.
class ClosedDoor final : public net::FrontDoorPort {
public:
    void open_server(std::shared_ptr<net::Pool> /*pool*/, WorkerId /*worker*/) override {}
    void open_for(
        std::shared_ptr<net::Pool> /*pool*/,
        WorkerId /*worker*/,
        ClientId /*client*/,
        std::vector<session::Settings::Entry> /*parameters*/
    ) override
    {
    }
    void send_cancel(
        net::CancelTarget /*target*/, WorkerId /*worker*/, std::uint64_t /*serial*/
    ) override
    {
    }
    void client_left(ClientId /*client*/) override {}
    void defaults_changed(
        const net::Pool& /*pool*/, const session::DefaultsScope& /*scope*/
    ) override
    {
    }
    [[nodiscard]] std::optional<net::RegisteredClient> find_client(std::uint32_t /*process_id*/
    ) const override
    {
        return std::nullopt;
    }
};

/// Must go before the io_context that is told what the workers say.
class WorkerRig {
public:
    explicit WorkerRig(std::uint32_t worker_count) : pools{directory, worker_count}
    {
        for (std::uint32_t i = 0; i < worker_count; ++i) {
            owned_.push_back(
                std::make_unique<net::Worker>(WorkerId{i}, workers, door_, net::Worker::Limits())
            );
            workers.push_back(owned_.back().get());
        }
    }
    ~WorkerRig()
    {
        for (const auto& worker : owned_) worker->stop();
    }
    WorkerRig(const WorkerRig&) = delete;
    WorkerRig& operator=(const WorkerRig&) = delete;

    OpenDirectory directory;
    net::PoolRegistry pools;
    std::vector<net::Worker*> workers;

private:
    ClosedDoor door_;
    std::vector<std::unique_ptr<net::Worker>> owned_;
};

} // namespace pgweir::test
