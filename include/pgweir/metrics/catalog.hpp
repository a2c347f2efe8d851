// Every metric of a pool's counters as a row: name, help, where the value lives. A member of
// pool::Counters that has no row here does not compile.
#pragma once

#include <pgweir/pool/counters.hpp>

#include <array>
#include <string_view>

namespace pgweir::metrics {

/// Rows with the same name stand together: one metric, told apart by one more label.
struct CounterRow {
    std::string_view name;
    std::string_view help;
    Counter pool::Counters::* value;
    std::string_view label{};
    std::string_view label_value{};
};

struct HistogramRow {
    std::string_view name;
    std::string_view help;
    Histogram pool::Counters::* value;
};

// clang-format off
inline constexpr std::array counter_rows{
    CounterRow{"pgweir_transactions_total", "Transactions finished.", &pool::Counters::transactions},
    CounterRow{"pgweir_queries_total", "Queries of clients, simple ones and Executes.", &pool::Counters::queries},
    CounterRow{"pgweir_client_received_bytes_total", "Bytes received from clients.", &pool::Counters::bytes_from_clients},
    CounterRow{"pgweir_client_sent_bytes_total", "Bytes sent to clients.", &pool::Counters::bytes_to_clients},
    CounterRow{"pgweir_server_received_bytes_total", "Bytes received from servers.", &pool::Counters::bytes_from_servers},
    CounterRow{"pgweir_server_sent_bytes_total", "Bytes sent to servers.", &pool::Counters::bytes_to_servers},
    CounterRow{"pgweir_server_assignments_total", "Times that a client was given a server.", &pool::Counters::server_assignments},
    CounterRow{"pgweir_client_parses_total", "Parse messages of clients.", &pool::Counters::client_parses},
    CounterRow{"pgweir_server_parses_total", "Parse messages that a server had to see.", &pool::Counters::server_parses},
    CounterRow{"pgweir_binds_total", "Bind messages of clients.", &pool::Counters::binds},
    CounterRow{"pgweir_client_logins_total", "Clients that have logged in.", &pool::Counters::logins},
    CounterRow{"pgweir_servers_opened_total", "Connections opened to PostgreSQL.", &pool::Counters::servers_opened},
    CounterRow{"pgweir_server_connect_failures_total", "Attempts to open a server connection that failed.", &pool::Counters::server_connect_failures},
    CounterRow{"pgweir_servers_closed_total", "Server connections that ended, by reason.", &pool::Counters::servers_closed_idle, "reason", "idle"},
    CounterRow{"pgweir_servers_closed_total", "Server connections that ended, by reason.", &pool::Counters::servers_closed_old, "reason", "old"},
    CounterRow{"pgweir_servers_closed_total", "Server connections that ended, by reason.", &pool::Counters::servers_closed_broken, "reason", "broken"},
    CounterRow{"pgweir_servers_closed_total", "Server connections that ended, by reason.", &pool::Counters::servers_evicted, "reason", "evicted"},
    CounterRow{"pgweir_servers_recovered_total", "Server connections that a client left in a transaction and that were rolled back and kept.", &pool::Counters::servers_recovered},
    CounterRow{"pgweir_timeouts_total", "Time-outs that struck clients, by kind.", &pool::Counters::wait_timeouts, "kind", "query_wait"},
    CounterRow{"pgweir_timeouts_total", "Time-outs that struck clients, by kind.", &pool::Counters::query_timeouts, "kind", "query"},
    CounterRow{"pgweir_timeouts_total", "Time-outs that struck clients, by kind.", &pool::Counters::transaction_timeouts, "kind", "transaction"},
    CounterRow{"pgweir_timeouts_total", "Time-outs that struck clients, by kind.", &pool::Counters::idle_transaction_timeouts, "kind", "idle_transaction"},
    CounterRow{"pgweir_timeouts_total", "Time-outs that struck clients, by kind.", &pool::Counters::client_idle_timeouts, "kind", "client_idle"},
    CounterRow{"pgweir_waiters_refused_total", "Clients refused because max_waiting others waited already.", &pool::Counters::waiters_refused},
    CounterRow{"pgweir_waiters_shed_total", "Clients refused because they waited for queue_timeout in an overloaded pool, where the newest go first.", &pool::Counters::waiters_shed},
    CounterRow{"pgweir_cancels_total", "Cancel requests sent to servers.", &pool::Counters::cancels},
    CounterRow{"pgweir_settings_replays_total", "Times that a server's settings were changed to its next client's.", &pool::Counters::settings_replays},
    CounterRow{"pgweir_retries_total", "Times that what a client had said was said again unseen, because a server was dead or its prepared statement unusable.", &pool::Counters::retries},
    CounterRow{"pgweir_transactions_lost_total", "Transactions that were lost with their server, while their client's session went on.", &pool::Counters::transactions_lost},
    CounterRow{"pgweir_state_questions_total", "Times that a server was asked what a transaction had done to its session.", &pool::Counters::state_questions},
    CounterRow{"pgweir_pins_total", "Times that a client had to keep its server after a transaction.", &pool::Counters::pins},
    CounterRow{"pgweir_listen_delivered_total", "Notifications given to clients that share a listening connection.", &pool::Counters::listen_delivered},
    CounterRow{"pgweir_listen_dropped_total", "Notifications dropped because their client did not take them in time.", &pool::Counters::listen_dropped},
    CounterRow{"pgweir_listen_losses_total", "Times that the shared listening connection was lost.", &pool::Counters::listen_losses},
};

inline constexpr std::array histogram_rows{
    HistogramRow{"pgweir_wait_seconds", "How long clients waited for a server connection.", &pool::Counters::wait_time},
    HistogramRow{"pgweir_query_seconds", "From a query sent to a server to its last answer.", &pool::Counters::query_time},
    HistogramRow{"pgweir_transaction_seconds", "How long a transaction held a server connection.", &pool::Counters::transaction_time},
    HistogramRow{"pgweir_connect_seconds", "How long it took to open a server connection, login included.", &pool::Counters::connect_time},
};
// clang-format on

static_assert(
    sizeof(pool::Counters)
        == counter_rows.size() * sizeof(Counter) + histogram_rows.size() * sizeof(Histogram),
    "each member of pool::Counters needs its row, and only one"
);

} // namespace pgweir::metrics
