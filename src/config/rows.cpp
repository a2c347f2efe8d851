#include <pgweir/config/rows.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace pgweir::config {

namespace {

using namespace std::chrono_literals;
using net::TlsOptions;
using pool::Options;

template <class Owner, auto... Members>
Field member(Owner& owner)
{
    return &(owner.*....*Members);
}

template <auto... Members>
constexpr Field (*top)(Draft&) = &member<Draft, &Draft::settings, Members...>;

template <auto Member>
constexpr Field (*in_pool)(Options&) = &member<Options, Member>;

constexpr Rule number(std::uint64_t low, std::uint64_t high) { return {Kind::number, low, high}; }

constexpr Rule duration(std::chrono::milliseconds low, std::chrono::milliseconds high)
{
    return {
        Kind::duration,
        static_cast<std::uint64_t>(low.count()),
        static_cast<std::uint64_t>(high.count())
    };
}

constexpr Rule rule(Kind kind) { return {kind, 0, 0}; }

constexpr auto hour = std::chrono::milliseconds{1h};
constexpr auto day = 24 * hour;
constexpr Rule timeout = duration(0s, 30 * day);  // 0: none
constexpr Rule deadline = duration(100ms, 10min); // there must be one

constexpr Change restart = Change::restart;
constexpr Change reload = Change::reload;

// clang-format off
constexpr std::array settings_table{
    Row<Draft>{"listen", top<&Settings::listen>, {rule(Kind::addresses), restart,
        "Where clients connect: host:port, or the directory of a unix socket."}},
    Row<Draft>{"unix_socket_mode", top<&Settings::unix_socket_mode>, {{Kind::octal, 0, 0777}, restart,
        "Permissions of the unix sockets: who may connect."}},
    Row<Draft>{"listen_backlog", top<&Settings::listen_backlog>, {number(1, 65'535), restart,
        "Connections that the kernel keeps waiting until we accept them."}},
    Row<Draft>{"http", top<&Settings::http>, {rule(Kind::address), restart,
        "Where metrics and health checks are served; empty for nowhere."}},
    Row<Draft>{"worker_threads", top<&Settings::worker_threads>, {number(0, 64), restart,
        "Threads that serve clients, as many of them as the load needs; 0 is one for each core."}},
    Row<Draft>{"worker_load_max", top<&Settings::worker_load_max>, {number(0, 100), restart,
        "Percent of a core that one thread may use before clients go to others; 0 spreads them over all at once."}},
    Row<Draft>{"max_client_conn", top<&Settings::max_client_conn>, {number(1, 1'000'000), reload,
        "Clients at the same time; one more is refused."}},
    Row<Draft>{"max_db_connections", top<&Settings::max_db_connections>, {number(0, 100'000), reload,
        "Server connections of one database, all its users together; 0 is no cap."}},
    Row<Draft>{"max_user_connections", top<&Settings::max_user_connections>, {number(0, 100'000), reload,
        "Server connections of one user, in all databases together; 0 is no cap."}},
    Row<Draft>{"client_login_timeout", top<&Settings::client_login_timeout>, {duration(100ms, hour), reload,
        "How long a client may take to log in."}},
    Row<Draft>{"shutdown_timeout", top<&Settings::shutdown_timeout>, {duration(0s, day), reload,
        "How long a stopping daemon lets transactions finish."}},
    Row<Draft>{"dns_max_ttl", top<&Settings::dns_max_ttl>, {duration(0s, hour), reload,
        "How long the addresses of a host's name are believed; 0 asks for each connection."}},
    Row<Draft>{"tcp_keepalive", top<&Settings::tcp_keepalive>, {rule(Kind::flag), reload,
        "Whether the kernel probes silent TCP connections."}},
    Row<Draft>{"tcp_keepidle", top<&Settings::tcp_keepidle>, {duration(0s, day), reload,
        "Silence on a TCP connection before the kernel probes it; 0 is the kernel's own choice."}},
    Row<Draft>{"tcp_keepintvl", top<&Settings::tcp_keepintvl>, {duration(0s, hour), reload,
        "The time between two probes of a silent connection; 0 is the kernel's own choice."}},
    Row<Draft>{"tcp_keepcnt", top<&Settings::tcp_keepcnt>, {number(0, 127), reload,
        "Unanswered probes that end a connection; 0 is the kernel's own choice."}},
    Row<Draft>{"tcp_user_timeout", top<&Settings::tcp_user_timeout>, {duration(0s, day), reload,
        "How long sent data may stay unacknowledged; 0 is the kernel's own choice."}},
    Row<Draft>{"max_packet_size", top<&Settings::max_packet_size>, {{Kind::size, 64U << 10U, 1U << 30U}, reload,
        "The largest message that must be held in memory, such as a statement to prepare."}},
    Row<Draft>{"upstream", &member<Draft, &Draft::upstream>, {rule(Kind::upstream_url), reload,
        "PostgreSQL, for every database that is not listed: a connection string as libpq reads it."}},
    Row<Draft>{"admin_users", top<&Settings::admin_users>, {rule(Kind::names), reload,
        "Users who may give commands in the console, the database pgweir."}},
    Row<Draft>{"stats_users", top<&Settings::stats_users>, {rule(Kind::names), reload,
        "Users who may look at the console's SHOW tables, and no more."}},

    Row<Draft>{"log.level", top<&Settings::log_level>, {rule(Kind::word), reload,
        "The least important lines that are written."}},
    Row<Draft>{"log.format", top<&Settings::log_format>, {rule(Kind::word), reload,
        "Lines of key=value pairs, or of JSON."}},

    Row<Draft>{"client_tls.mode", top<&Settings::client_tls, &TlsOptions::mode>, {rule(Kind::word), reload,
        "Whether clients may or must use TLS; the verify modes ask for a client certificate."}},
    Row<Draft>{"client_tls.cert_file", top<&Settings::client_tls, &TlsOptions::cert_file>, {rule(Kind::path), reload,
        "The certificate shown to clients, with its chain (PEM)."}},
    Row<Draft>{"client_tls.key_file", top<&Settings::client_tls, &TlsOptions::key_file>, {rule(Kind::path), reload,
        "The private key of cert_file (PEM)."}},
    Row<Draft>{"client_tls.ca_file", top<&Settings::client_tls, &TlsOptions::ca_file>, {rule(Kind::path), reload,
        "Who must have signed a client's certificate (PEM)."}},
    Row<Draft>{"client_tls.crl_file", top<&Settings::client_tls, &TlsOptions::crl_file>, {rule(Kind::path), reload,
        "Client certificates that were revoked (PEM)."}},
    Row<Draft>{"client_tls.protocol_min", top<&Settings::client_tls, &TlsOptions::protocol_min>, {rule(Kind::tls_version), reload,
        "The oldest TLS that clients may speak."}},

    Row<Draft>{"server_tls.mode", top<&Settings::server_tls, &TlsOptions::mode>, {rule(Kind::word), reload,
        "The sslmode of connection strings that do not say one."}},
    Row<Draft>{"server_tls.cert_file", top<&Settings::server_tls, &TlsOptions::cert_file>, {rule(Kind::path), reload,
        "The certificate shown to PostgreSQL (PEM); sslcert in a connection string."}},
    Row<Draft>{"server_tls.key_file", top<&Settings::server_tls, &TlsOptions::key_file>, {rule(Kind::path), reload,
        "The private key of cert_file (PEM); sslkey in a connection string."}},
    Row<Draft>{"server_tls.ca_file", top<&Settings::server_tls, &TlsOptions::ca_file>, {rule(Kind::path), reload,
        "Who must have signed PostgreSQL's certificate (PEM), or \"system\"; sslrootcert."}},
    Row<Draft>{"server_tls.crl_file", top<&Settings::server_tls, &TlsOptions::crl_file>, {rule(Kind::path), reload,
        "Certificates of PostgreSQL that were revoked (PEM); sslcrl."}},
    Row<Draft>{"server_tls.protocol_min", top<&Settings::server_tls, &TlsOptions::protocol_min>, {rule(Kind::tls_version), reload,
        "The oldest TLS that PostgreSQL may speak; ssl_min_protocol_version."}},

    Row<Draft>{"auth.method", top<&Settings::auth_method>, {rule(Kind::word), reload,
        "How clients prove who they are."}},
    Row<Draft>{"auth.query", top<&Settings::auth_query>, {rule(Kind::text), reload,
        "How PostgreSQL is asked for the password of a user that is not known here; empty for not at all."}},
    Row<Draft>{"auth.user", top<&Settings::auth_user>, {rule(Kind::text), reload,
        "Who asks it; empty for the user of the upstream."}},
};

constexpr std::array pool_table{
    Row<Options>{"mode", in_pool<&Options::mode>, {rule(Kind::word), reload,
        "How long a client keeps its server connection."}},
    Row<Options>{"size", in_pool<&Options::size>, {number(1, 10'000), reload,
        "Server connections of one pool (one database and user), all workers together."}},
    Row<Options>{"min_size", in_pool<&Options::min_size>, {number(0, 10'000), reload,
        "Server connections that stay open even when nobody asks."}},
    Row<Options>{"guaranteed_size", in_pool<&Options::guaranteed_size>, {number(0, 10'000), reload,
        "Server connections, of max_db_connections and max_user_connections, that no other pool may take."}},
    Row<Options>{"max_waiting", in_pool<&Options::max_waiting>, {number(0, 1'000'000), reload,
        "Clients in the queue for a server connection; one more is refused at once."}},
    Row<Options>{"connect_parallel_max", in_pool<&Options::connect_parallel_max>, {number(1, 1'000), reload,
        "Logins to PostgreSQL at the same time."}},
    Row<Options>{"quick_reserve", in_pool<&Options::quick_reserve>, {number(0, 10'000), reload,
        "Server connections that only transactions known to be quick may have; 0 is no difference."}},
    Row<Options>{"queue_target", in_pool<&Options::queue_target>, {duration(0s, hour), reload,
        "How long clients may wait, unless for something slow: when all do for longer and some give up, the newest go first; 0 is never."}},
    Row<Options>{"queue_interval", in_pool<&Options::queue_interval>, {duration(10ms, hour), reload,
        "How long that must last."}},
    Row<Options>{"queue_timeout", in_pool<&Options::queue_timeout>, {timeout, reload,
        "How long a client waits where the newest go first; 0 is query_wait_timeout."}},
    Row<Options>{"fair_by", in_pool<&Options::fair_by>, {rule(Kind::word), reload,
        "Whose clients share the servers of a pool as equals when they compete for them."}},
    Row<Options>{"fair_weights", in_pool<&Options::fair_weights>, {rule(Kind::names), reload,
        "Weights of those who are to have more than others, such as \"web=4\"; 1 for who is not listed."}},
    Row<Options>{"query_wait_timeout", in_pool<&Options::query_wait_timeout>, {timeout, reload,
        "How long a client waits for a server connection; 0 is for ever."}},
    Row<Options>{"query_timeout", in_pool<&Options::query_timeout>, {timeout, reload,
        "How long a query may run; 0 is for ever."}},
    Row<Options>{"transaction_timeout", in_pool<&Options::transaction_timeout>, {timeout, reload,
        "How long a transaction may last; 0 is for ever."}},
    Row<Options>{"idle_transaction_timeout", in_pool<&Options::idle_transaction_timeout>, {timeout, reload,
        "How long a client may leave a transaction open and idle; 0 is for ever."}},
    Row<Options>{"client_idle_timeout", in_pool<&Options::client_idle_timeout>, {timeout, reload,
        "How long a client may be idle outside a transaction; 0 is for ever."}},
    Row<Options>{"server_connect_timeout", in_pool<&Options::server_connect_timeout>, {deadline, reload,
        "How long opening a server connection may take, from DNS to ready."}},
    Row<Options>{"server_login_retry", in_pool<&Options::server_login_retry>, {deadline, reload,
        "The pause after a failed connection to PostgreSQL, a quarter more or less."}},
    Row<Options>{"failover_wait", in_pool<&Options::failover_wait>, {duration(0s, hour), reload,
        "How long clients wait for a PostgreSQL that was there and is gone; 0 is not at all."}},
    Row<Options>{"server_idle_timeout", in_pool<&Options::server_idle_timeout>, {timeout, reload,
        "A server connection that was idle for longer is closed; 0 is never."}},
    Row<Options>{"server_lifetime", in_pool<&Options::server_lifetime>, {timeout, reload,
        "A server connection that is older is closed when it is free; 0 is never."}},
    Row<Options>{"server_lifetime_jitter", in_pool<&Options::server_lifetime_jitter>, {number(0, 50), reload,
        "Percent of server_lifetime, more or less, so that not all of them are closed at once."}},
    Row<Options>{"server_check_delay", in_pool<&Options::server_check_delay>, {timeout, reload,
        "A server connection that was idle for longer is checked before use."}},
    Row<Options>{"cancel_wait_timeout", in_pool<&Options::cancel_wait_timeout>, {deadline, reload,
        "How long to wait for a cancelled query to end before its connection is closed."}},
    Row<Options>{"lazy_begin", in_pool<&Options::lazy_begin>, {rule(Kind::flag), reload,
        "In transaction mode, BEGIN takes a server connection only with its first statement."}},
    Row<Options>{"max_prepared_statements", in_pool<&Options::max_prepared_statements>, {number(0, 100'000), reload,
        "Prepared statements kept on each server connection."}},
    Row<Options>{"prepare_unnamed", in_pool<&Options::prepare_unnamed>, {rule(Kind::flag), reload,
        "Keep unnamed prepared statements whose text was seen before."}},
    Row<Options>{"pin", in_pool<&Options::pin>, {rule(Kind::word), reload,
        "Whether a client keeps its server for what no other can be given: temporary tables, held cursors, advisory locks."}},
    Row<Options>{"pin_functions", in_pool<&Options::pin_functions>, {rule(Kind::names), reload,
        "Functions that leave something behind in the session: a client that calls one keeps its server."}},
    Row<Options>{"server_reset_query", in_pool<&Options::server_reset_query>, {rule(Kind::text), reload,
        "What cleans a server connection that a client has used; empty for nothing."}},
};

constexpr std::array database_table{
    Row<DatabaseDraft>{"upstream", &member<DatabaseDraft, &DatabaseDraft::upstream>, {rule(Kind::upstream_url), reload,
        "Where this database is: a connection string as libpq reads it."}},
    Row<DatabaseDraft>{"max_db_connections", &member<DatabaseDraft, &DatabaseDraft::max_db_connections>, {number(0, 100'000), reload,
        "Server connections of this database, all its users together; 0 is no cap."}},
};

constexpr std::array user_table{
    Row<UserDraft>{"password", &member<UserDraft, &UserDraft::password>, {rule(Kind::secret), reload,
        "The password, or a verifier as in pg_authid: md5... or SCRAM-SHA-256$..."}},
    Row<UserDraft>{"password_file", &member<UserDraft, &UserDraft::password_file>, {rule(Kind::path), reload,
        "A file that holds the password and nothing else."}},
    Row<UserDraft>{"password_env", &member<UserDraft, &UserDraft::password_env>, {rule(Kind::text), reload,
        "The environment variable that holds the password."}},
    Row<UserDraft>{"max_user_connections", &member<UserDraft, &UserDraft::max_user_connections>, {number(0, 100'000), reload,
        "Server connections of this user, in all databases together; 0 is no cap."}},
};
// clang-format on

constexpr std::array<std::string_view, 7> tables{
    "log", "client_tls", "server_tls", "pool", "auth", "databases", "users"
};

template <class Owner>
std::optional<Slot> find(std::span<const Row<Owner>> rows, std::string_view key, Owner& owner)
{
    const auto row = std::ranges::find(rows, key, &Row<Owner>::key);
    if (row == rows.end()) return std::nullopt;
    return Slot{&row->setting, row->field(owner)};
}

std::optional<Slot> find_override(PoolOverride& pool, const std::string& key)
{
    const auto slot = find(pool_rows(), key, pool.values);
    if (slot) pool.keys.insert(key);
    return slot;
}

// In databases.NAME or users.NAME, whose own settings are `rows`.
template <class Owner>
std::optional<Slot> find_named(
    std::map<std::string, Owner>& owners, std::span<const Row<Owner>> rows, const Path& path
)
{
    const bool is_own = path.size() == 3
                        && std::ranges::find(rows, path[2], &Row<Owner>::key) != rows.end();
    const bool is_pool = path.size() == 4 && path[2] == "pool"
                         && std::ranges::find(pool_table, path[3], &Row<Options>::key)
                                != pool_table.end();
    if (is_own) return find(rows, path[2], owners[path[1]]);
    if (is_pool) return find_override(owners[path[1]].pool, path[3]);
    return std::nullopt;
}

bool has_names(const std::string& table) { return table == "databases" || table == "users"; }

} // namespace

std::span<const Row<Draft>> setting_rows() { return settings_table; }
std::span<const Row<Options>> pool_rows() { return pool_table; }
std::span<const Row<DatabaseDraft>> database_rows() { return database_table; }
std::span<const Row<UserDraft>> user_rows() { return user_table; }

std::optional<Slot> find_slot(Draft& draft, const Path& path)
{
    if (path.empty()) return std::nullopt;
    if (path[0] == "databases") return find_named(draft.databases, database_rows(), path);
    if (path[0] == "users") return find_named(draft.users, user_rows(), path);
    if (path.size() == 2 && path[0] == "pool") {
        return find(pool_rows(), path[1], draft.settings.pool);
    }
    return find(setting_rows(), to_key(path), draft);
}

bool is_table(const Path& path)
{
    if (path.empty() || std::ranges::find(tables, path[0]) == tables.end()) return false;
    if (path.size() == 1) return true;
    return has_names(path[0]) && (path.size() == 2 || (path.size() == 3 && path[2] == "pool"));
}

std::vector<std::string> all_keys(const std::string& name)
{
    std::vector<std::string> keys;
    for (const auto& row : setting_rows()) keys.emplace_back(row.key);
    for (const auto& row : pool_rows()) keys.push_back("pool." + std::string{row.key});
    if (name.empty()) return keys;

    const auto add = [&](const char* table, std::string_view key) {
        keys.push_back(to_key({table, name}) + "." + std::string{key});
    };
    for (const auto& row : database_rows()) add("databases", row.key);
    for (const auto& row : user_rows()) add("users", row.key);
    for (const auto& row : pool_rows()) {
        add("databases", "pool." + std::string{row.key});
        add("users", "pool." + std::string{row.key});
    }
    return keys;
}

std::vector<std::string> all_tables(const std::string& name)
{
    std::vector<std::string> names{tables.begin(), tables.end()};
    if (name.empty()) return names;
    for (const char* const table : {"databases", "users"}) {
        names.push_back(to_key({table, name}));
        names.push_back(to_key({table, name, "pool"}));
    }
    return names;
}

} // namespace pgweir::config
