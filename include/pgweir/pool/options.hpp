// What an operator may choose for one pool. config/ fills it; nobody else knows where it came from.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/pool/fair.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgweir::pool {

enum class Mode {
    transaction, // a server for each transaction
    session,     // a server for as long as the client stays
    statement,   // a server for each statement; transaction blocks are refused
};

/// What becomes of state that no other server can be given: temporary tables, held cursors …
enum class Pin {
    automatic, // the client keeps its server until the state is gone
    never,     // the state ends with the transaction
    error,     // statements that make such state are refused
};

/// Names and meanings are PgBouncer's where it has them. A duration of zero means "no limit".
struct Options {
    Mode mode = Mode::transaction;
    std::uint32_t size = 20;                // server connections, all workers together
    std::uint32_t min_size = 0;             // kept open even when nobody asks
    std::uint32_t guaranteed_size = 0;      // of the caps below, no other pool may have these
    std::uint32_t max_db_connections = 0;   // of all users of the database; 0 is no cap
    std::uint32_t max_user_connections = 0; // of the user, in all databases; 0 is no cap
    std::uint32_t max_waiting = 1'000;      // clients in the queue; one more is refused at once
    std::uint32_t connect_parallel_max = 4; // logins to PostgreSQL in flight for this pool
    /// Servers that only transactions which are known to be quick may have. None: what those have
    /// held on average in the last seconds, and one more if there were any. Zero: there is no
    /// difference.
    std::optional<std::uint32_t> quick_reserve{};

    /// What is not slow waits for less than the target at least once in an interval, or its queue
    /// stands; who has waited for queue_timeout in one that does is refused. A target of zero: it
    /// is first come, first served, whatever happens.
    Duration queue_target = std::chrono::milliseconds{500};
    Duration queue_interval = std::chrono::milliseconds{500};
    Duration queue_timeout = std::chrono::seconds{5};

    /// Groups of clients that compete share the servers by weight: "name=weight", 1 for who is not
    /// listed.
    FairBy fair_by = FairBy::application_name;
    std::vector<std::string> fair_weights{};

    Duration query_wait_timeout = std::chrono::seconds{15};
    Duration query_timeout{};
    Duration transaction_timeout{};
    Duration idle_transaction_timeout{};
    Duration client_idle_timeout{};

    Duration server_connect_timeout = std::chrono::seconds{15}; // one deadline: DNS to ready
    Duration server_login_retry = std::chrono::seconds{1};      // pause after a failed connect
    Duration failover_wait = std::chrono::seconds{10}; // for a server that was there and is gone
    Duration server_idle_timeout = std::chrono::minutes{10};
    Duration server_lifetime = std::chrono::hours{1};
    std::uint32_t server_lifetime_jitter = 10; // percent of server_lifetime, either way
    Duration server_check_delay = std::chrono::seconds{30};
    Duration cancel_wait_timeout = std::chrono::seconds{10}; // to get a left-behind server back

    bool lazy_begin = true; // transaction mode: BEGIN waits for the first statement
    std::uint32_t max_prepared_statements = 200; // kept on each server connection
    bool prepare_unnamed = true; // keep unnamed statements whose text was seen before
    Pin pin = Pin::automatic;
    std::vector<std::string> pin_functions{}; // who calls one keeps its server until DISCARD ALL
    std::string server_reset_query = "DISCARD ALL"; // when a client leaves things behind

    friend bool operator==(const Options&, const Options&) = default;
};

} // namespace pgweir::pool
