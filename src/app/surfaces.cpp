#include <pgweir/config/show.hpp>

#include "surfaces.hpp"

#include <algorithm>
#include <utility>

namespace pgweir::app {

using wire::ErrorText;
using Database = admin::ConsoleActions::Database;

Surfaces::Surfaces(Daemon& daemon, net::Tasks& tasks)
    : daemon_{daemon},
      inspector_{tasks.executor(), daemon.pools(), daemon.workers()},
      site_{inspector_, [this] { return status(); }},
      http_{tasks, site_.handler()},
      consoles_{tasks, inspector_, make_actions()}
{
}

admin::ConsoleActions Surfaces::make_actions()
{
    const auto unknown = [](const Database& database) {
        return ErrorText{"ERROR", "3D000", "no such database: " + database.value_or(""), {}, {}};
    };
    admin::ConsoleActions actions;
    actions.access_of = [this](std::string_view user) { return daemon_.console_access(user); };
    actions.pause = [this](Database database) { return pause(std::move(database)); };
    actions.resume = [this, unknown](const Database& database) {
        return daemon_.pause(false, database) ? ErrorText{} : unknown(database);
    };
    actions.reconnect = [this, unknown](const Database& database) {
        return daemon_.reconnect(database) ? ErrorText{} : unknown(database);
    };
    actions.reload = [this] { return daemon_.reload(); };
    actions.shutdown = [this] { daemon_.drain(); };
    actions.config = [this] { return config(); };
    return actions;
}

metrics::DaemonStatus Surfaces::status() const
{
    metrics::DaemonStatus status;
    if (daemon_.is_draining()) {
        status.readiness = metrics::Readiness::draining;
    } else if (daemon_.is_ready()) {
        status.readiness = metrics::Readiness::ready;
    }
    status.logins = daemon_.front_door().login_count();
    status.login_errors = daemon_.front_door().login_errors().read();
    status.max_client_conn = daemon_.settings()->max_client_conn;
    status.max_user_connections = daemon_.settings()->max_user_connections;
    status.version = PGWEIR_VERSION;
    status.started_at = started_at_;
    return status;
}

admin::ConfigView Surfaces::config() const
{
    const auto settings = daemon_.settings();
    admin::ConfigView view;
    for (const config::ConfigRow& row : config::config_rows(*settings)) {
        view.rows.push_back({row.key, row.value, row.default_value, row.changeable});
    }
    const auto add = [&](const std::string& name, const net::Upstream& upstream) {
        admin::DatabaseRow& row = view.databases.emplace_back();
        row.name = name;
        row.upstream = upstream;
        row.options = settings->pool_options(name, upstream.user);
    };
    if (settings->upstream) add(settings->upstream->dbname, *settings->upstream);
    for (const auto& [name, database] : settings->databases) add(name, database.upstream);
    for (const auto& [name, user] : settings->users) {
        const std::uint32_t cap = settings->max_user_connections;
        view.users.push_back({name, user.max_user_connections.value_or(cap)});
    }
    view.version = PGWEIR_VERSION;
    view.logins = daemon_.front_door().login_count();
    return view;
}

// As PgBouncer's PAUSE: done when no server is in use; those that were are closed, so that the
// database can be restarted or moved. A RESUME from elsewhere ends it.
net::Task<ErrorText> Surfaces::pause(Database database)
{
    constexpr Duration look_again = std::chrono::milliseconds{50};

    if (!daemon_.pause(true, database)) {
        co_return ErrorText{"ERROR", "3D000", "no such database: " + database.value_or(""), {}, {}};
    }
    net::Timer timer{inspector_.executor()};
    for (;;) {
        static_cast<void>(daemon_.reconnect(database));
        const net::Inspection inspection = co_await inspector_.inspect(net::Detail::counts);
        bool is_paused = inspection.pools.empty();
        bool is_quiet = true;
        for (const net::PoolRow& row : inspection.pools) {
            const bool is_meant = !database || row.pool->name().database == *database;
            if (!is_meant || !row.pool->shared().is_paused()) continue;
            is_paused = true;
            if (row.counts.server_count() > 0) is_quiet = false;
        }
        if (!is_paused) {
            co_return ErrorText{"ERROR", "57014", "PAUSE was ended by a RESUME", {}, {}};
        }
        if (is_quiet) co_return ErrorText{};
        timer.expires_after(look_again);
        co_await timer.async_wait(net::use_task);
    }
}

} // namespace pgweir::app
