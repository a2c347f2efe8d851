#include <pgweir/metrics/exporter.hpp>

#include <pgweir/metrics/catalog.hpp>

#include "families.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>

namespace pgweir::metrics {

namespace {

using net::PoolRow;

double seconds(Duration duration) { return std::chrono::duration<double>{duration}.count(); }

Labels with(Labels labels, std::string name, std::string value)
{
    labels.push_back({std::move(name), std::move(value)});
    return labels;
}

Labels labels_for(const net::Pool& pool, const CounterRow& row)
{
    Labels labels = labels_of(pool);
    if (row.label.empty()) return labels;
    return with(std::move(labels), std::string{row.label}, std::string{row.label_value});
}

void add_counters(Families& families, const std::vector<PoolRow>& pools)
{
    for (const CounterRow& row : counter_rows) {
        families.counter(row.name, row.help);
        for (const auto& [pool, counts] : pools) {
            families.add(number(total(*pool, row.value)), labels_for(*pool, row));
        }
    }
}

void add_histograms(Families& families, const std::vector<PoolRow>& pools)
{
    for (const HistogramRow& row : histogram_rows) {
        families.begin(row.name, row.help, prometheus::MetricType::Histogram);
        for (const auto& [pool, counts] : pools) {
            families.add(total(*pool, row.value), labels_of(*pool));
        }
    }
}

void add_errors(Families& families, const std::vector<PoolRow>& pools)
{
    families.counter("pgweir_errors_total", "Errors that clients were told of, by SQLSTATE.");
    for (const auto& [pool, counts] : pools) {
        for (const auto& [sqlstate, count] : pool->errors().read()) {
            families.add(number(count), with(labels_of(*pool), "sqlstate", sqlstate));
        }
    }
}

void add_clients(Families& families, const std::vector<PoolRow>& pools)
{
    families.gauge("pgweir_clients", "Logged-in clients, by state.");
    for (const auto& [pool, counts] : pools) {
        for (const net::ClientUse use : net::client_uses) {
            families.add(counts.of(use), with(labels_of(*pool), "state", net::name_of(use)));
        }
    }
}

// Two uses have the same word: both are connections that wait for the end of a cancel.
void add_servers(Families& families, const std::vector<PoolRow>& pools)
{
    families.gauge("pgweir_servers", "Server connections, by state.");
    for (const auto& [pool, counts] : pools) {
        std::map<std::string, std::uint32_t> by_state;
        for (const net::ServerUse use : net::server_uses) {
            by_state[net::name_of(use)] += counts.of(use);
        }
        by_state["login"] = pool->shared().opening();
        for (const auto& [state, count] : by_state) {
            families.add(count, with(labels_of(*pool), "state", state));
        }
    }
}

void add_listening(Families& families, const std::vector<PoolRow>& pools)
{
    families.gauge("pgweir_listen_clients", "Clients that share a listening connection.");
    for (const auto& [pool, counts] : pools) {
        families.add(counts.listening_clients, labels_of(*pool));
    }
    families.gauge("pgweir_listen_channels", "Channels that shared connections listen to.");
    for (const auto& [pool, counts] : pools) {
        families.add(counts.listen_channels, labels_of(*pool));
    }
}

void add_queue(Families& families, const net::Inspection& inspection)
{
    families.gauge("pgweir_pool_size", "Server connections that the pool may have.");
    for (const auto& [pool, counts] : inspection.pools) {
        families.add(pool->shared().size(), labels_of(*pool));
    }
    families.gauge("pgweir_pool_paused", "1 while an operator has paused the pool.");
    for (const auto& [pool, counts] : inspection.pools) {
        families.add(pool->shared().is_paused() ? 1 : 0, labels_of(*pool));
    }
    families.gauge("pgweir_waiters", "Clients that queue for a server connection.");
    for (const auto& [pool, counts] : inspection.pools) {
        families.add(pool->shared().waiting(), labels_of(*pool));
    }
    families.gauge(
        "pgweir_overloaded", "1 while the newest of those who wait go first, because some give up."
    );
    for (const auto& [pool, counts] : inspection.pools) {
        const bool is_overloaded = std::ranges::any_of(pool::lanes, [&](pool::Lane lane) {
            return pool->shared().is_overloaded(lane);
        });
        families.add(is_overloaded ? 1 : 0, labels_of(*pool));
    }
    families.gauge("pgweir_slow_waiters", "Of these, whose transactions are slow or not known.");
    for (const auto& [pool, counts] : inspection.pools) {
        families.add(pool->shared().waiting(pool::Lane::slow), labels_of(*pool));
    }
    families.gauge("pgweir_slow_servers", "Server connections that slow transactions have.");
    for (const auto& [pool, counts] : inspection.pools) {
        families.add(pool->shared().slow_held(), labels_of(*pool));
    }
    families.gauge(
        "pgweir_slow_servers_max", "How many of them they may have, for the sake of quick ones."
    );
    for (const auto& [pool, counts] : inspection.pools) {
        families.add(pool->shared().slow_max(), labels_of(*pool));
    }
    families.gauge(
        "pgweir_oldest_waiter_seconds", "How long the first client of the queue has waited."
    );
    for (const auto& [pool, counts] : inspection.pools) {
        const TimePoint since = pool->shared().oldest_since().value_or(inspection.now);
        // It may have come while we were asking.
        families.add(std::max(seconds(inspection.now - since), 0.0), labels_of(*pool));
    }
}

void add_daemon(Families& families, const Snapshot& snapshot)
{
    const DaemonStatus& daemon = snapshot.daemon;
    families.gauge("pgweir_build_info", "Always 1; the version is a label.");
    families.add(1, {{"version", daemon.version}});
    families.gauge("pgweir_ready", "1 while new clients are welcome: what /readyz says.");
    families.add(daemon.readiness == Readiness::ready ? 1 : 0);
    families.gauge("pgweir_workers", "Worker threads.");
    families.add(number(snapshot.inspection.worker_count));
    families.gauge("pgweir_silent_workers", "Worker threads that did not answer this scrape.");
    families.add(number(snapshot.inspection.silent.size()));
    families.gauge("pgweir_max_client_connections", "Clients that may log in: max_client_conn.");
    families.add(daemon.max_client_conn);
    families.gauge("pgweir_logins_in_progress", "Clients that are logging in just now.");
    families.add(number(daemon.logins));
    families.counter(
        "pgweir_login_errors_total", "Clients refused while they logged in, by SQLSTATE."
    );
    for (const auto& [sqlstate, count] : daemon.login_errors) {
        families.add(number(count), {{"sqlstate", sqlstate}});
    }
}

void add_workers(Families& families, const std::vector<net::WorkerRow>& workers)
{
    const auto add_each = [&](auto value_of) {
        for (std::size_t i = 0; i < workers.size(); ++i) {
            families.add(value_of(workers[i]), {{"worker", std::to_string(i)}});
        }
    };
    families.gauge("pgweir_worker_load", "Share of one core that a worker thread uses, 0 to 1.");
    add_each([](const net::WorkerRow& row) { return row.load_percent / 100.0; });
    families.gauge("pgweir_worker_clients", "Logged-in clients, by worker thread.");
    add_each([](const net::WorkerRow& row) { return number(row.clients); });
    families.counter("pgweir_client_moves_total", "Clients that a worker has given to others.");
    add_each([](const net::WorkerRow& row) { return number(row.client_moves); });
}

// The names that every Prometheus client library uses for these.
void add_process(Families& families, const Snapshot& snapshot)
{
    using Seconds = std::chrono::duration<double>;
    families.gauge("process_start_time_seconds", "When the process started, since the epoch.");
    families.add(Seconds{snapshot.daemon.started_at.time_since_epoch()}.count());
    families.counter("process_cpu_seconds_total", "CPU time of user and system.");
    families.add(Seconds{snapshot.process.cpu_time}.count());
    families.gauge("process_resident_memory_bytes", "Memory that is resident.");
    families.add(number(snapshot.process.resident_size));
}

} // namespace

std::string to_prometheus(const Snapshot& snapshot)
{
    Families families;
    const std::vector<PoolRow>& pools = snapshot.inspection.pools;
    add_daemon(families, snapshot);
    add_workers(families, snapshot.inspection.workers);
    add_process(families, snapshot);
    add_clients(families, pools);
    add_servers(families, pools);
    add_listening(families, pools);
    add_queue(families, snapshot.inspection);
    add_counters(families, pools);
    add_errors(families, pools);
    add_histograms(families, pools);
    add_pgbouncer_names(families, snapshot);
    return prometheus::TextSerializer{}.Serialize(families.all());
}

} // namespace pgweir::metrics
