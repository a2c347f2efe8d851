#include <pgweir/config/checks.hpp>

#include <pgweir/config/files.hpp>
#include <pgweir/pool/grouping.hpp>

#include <utility>

namespace pgweir::config {

namespace {

using net::TlsMode;
using net::TlsOptions;

bool verifies(TlsMode mode) { return mode == TlsMode::verify_ca || mode == TlsMode::verify_full; }

void check_guarantee(const pool::Options& options, const std::string& table, Report& report)
{
    const auto check = [&](const char* name, std::uint32_t most) {
        if (options.guaranteed_size <= most) return;
        report.add_problem(
            table + ".guaranteed_size",
            "must be at most " + std::string{name} + ", which is " + std::to_string(most) + ", is "
                + std::to_string(options.guaranteed_size)
        );
    };
    check("size", options.size);
    if (options.max_db_connections > 0) check("max_db_connections", options.max_db_connections);
    if (options.max_user_connections > 0) {
        check("max_user_connections", options.max_user_connections);
    }
}

// Who logs in to which database is not known here, so it may be right.
void check_sum_of_guarantees(
    const Settings& settings, std::uint32_t cap, const std::string& key, Report& report
)
{
    std::uint64_t sum = 0;
    for (const auto& [name, user] : settings.users) {
        if (user.pool.keys.contains("guaranteed_size")) sum += user.pool.values.guaranteed_size;
    }
    if (cap == 0 || sum <= cap) return;
    report.add_warning(
        key,
        "is " + std::to_string(cap) + ", less than the guaranteed_size of all users together, "
            + std::to_string(sum) + ": those that log in last may not have theirs"
    );
}

void check_pool(const pool::Options& options, const std::string& table, Report& report)
{
    check_guarantee(options, table, report);
    const std::string problem = pool::problem_in_weights(options);
    const bool has_weights = report.places.contains(table + ".fair_weights"); // or only fair_by
    const std::string what = has_weights ? "" : "does not suit fair_weights: ";
    if (!problem.empty()) {
        report.add_problem(table + (has_weights ? ".fair_weights" : ".fair_by"), what + problem);
    }
    if (options.min_size <= options.size) return;
    // The one that was written here is the one to change.
    const bool size_is_here = report.places.contains(table + ".size");
    const std::string min_size = std::to_string(options.min_size);
    const std::string size = std::to_string(options.size);
    if (size_is_here && !report.places.contains(table + ".min_size")) {
        report.add_problem(
            table + ".size", "must be at least min_size, which is " + min_size + ", is " + size
        );
    } else {
        report.add_problem(
            table + ".min_size", "must be at most size, which is " + size + ", is " + min_size
        );
    }
}

void check_file(const std::string& path, const std::string& key, bool is_secret, Report& report)
{
    if (path.empty() || path == "system") return;
    const auto file = read_file(path);
    if (!file) {
        report.add_problem(key, path + " cannot be read: " + file.error().message());
    } else if (is_secret && file->is_open_to_others) {
        report.add_warning(key, path + " can be read by everybody: chmod 0600 it");
    }
}

void check_tls_files(const TlsOptions& tls, const std::string& table, Report& report)
{
    check_file(tls.cert_file, table + ".cert_file", false, report);
    check_file(tls.key_file, table + ".key_file", true, report);
    check_file(tls.ca_file, table + ".ca_file", false, report);
    check_file(tls.crl_file, table + ".crl_file", false, report);

    if (!tls.cert_file.empty() && tls.key_file.empty()) {
        report.add_problem(table + ".cert_file", "needs key_file as well");
    }
    if (!tls.key_file.empty() && tls.cert_file.empty()) {
        report.add_problem(table + ".key_file", "needs cert_file as well");
    }
}

bool is_only_local(const net::Upstream& upstream)
{
    for (const auto& host : upstream.hosts) {
        if (!host.host.starts_with('/')) return false;
    }
    return true;
}

void check_upstream_tls(
    const net::Upstream& upstream,
    const TlsOptions& defaults,
    const std::string& key,
    Report& report
)
{
    const TlsOptions& tls = upstream.tls;
    if (tls == defaults || is_only_local(upstream)) return; // said about server_tls already
    if (verifies(tls.mode) && tls.ca_file.empty()) {
        report.add_problem(
            key,
            "sslmode=" + std::string{tls.mode == TlsMode::verify_ca ? "verify-ca" : "verify-full"}
                + " needs sslrootcert or server_tls.ca_file: a file, or \"system\" for the "
                  "machine's own"
        );
    }
    if (tls.cert_file.empty() != tls.key_file.empty()) {
        report.add_problem(key, "sslcert and sslkey need each other");
    }
    if (tls.cert_file != defaults.cert_file) check_file(tls.cert_file, key, false, report);
    if (tls.key_file != defaults.key_file) check_file(tls.key_file, key, true, report);
    if (tls.ca_file != defaults.ca_file) check_file(tls.ca_file, key, false, report);
    if (tls.crl_file != defaults.crl_file) check_file(tls.crl_file, key, false, report);
}

} // namespace

Place Report::place_of(const std::string& key) const
{
    const auto found = places.find(key);
    if (found != places.end()) return found->second;
    return {.source = "settings", .line = 0, .key = key, .directory = {}};
}

void Report::add_problem(const std::string& key, std::string text)
{
    problems.push_back(place_of(key).problem(std::move(text)));
}

void Report::add_warning(const std::string& key, std::string text)
{
    warnings.push_back(place_of(key).problem(std::move(text)));
}

void check_pools(const Settings& settings, Report& report)
{
    pool::Options general = settings.pool;
    general.max_db_connections = settings.max_db_connections;
    general.max_user_connections = settings.max_user_connections;
    check_pool(general, "pool", report);
    check_sum_of_guarantees(settings, settings.max_db_connections, "max_db_connections", report);
    for (const auto& [name, database] : settings.databases) {
        pool::Options options = general;
        database.pool.apply_to(options);
        const bool has_cap = database.max_db_connections.has_value();
        options.max_db_connections = database.max_db_connections.value_or(options.max_db_connections
        );
        if (!database.pool.keys.empty() || has_cap) {
            check_pool(options, to_key({"databases", name, "pool"}), report);
        }
        if (has_cap) {
            const std::string key = to_key({"databases", name, "max_db_connections"});
            check_sum_of_guarantees(settings, *database.max_db_connections, key, report);
        }
    }
    for (const auto& [name, user] : settings.users) {
        pool::Options options = general;
        user.pool.apply_to(options);
        const bool has_cap = user.max_user_connections.has_value();
        options.max_user_connections = user.max_user_connections.value_or(
            options.max_user_connections
        );
        if (!user.pool.keys.empty() || has_cap) {
            check_pool(options, to_key({"users", name, "pool"}), report);
        }
    }
}

void check_tls(const Settings& settings, Report& report)
{
    const TlsOptions& client = settings.client_tls;
    check_tls_files(client, "client_tls", report);
    if (client.mode == TlsMode::disable && !client.cert_file.empty()) {
        report.add_warning(
            "client_tls.cert_file", "has no effect while client_tls.mode is disable"
        );
    }
    if (client.mode != TlsMode::disable && client.cert_file.empty() && client.key_file.empty()) {
        report.add_problem("client_tls.mode", "needs cert_file and key_file");
    }
    if (verifies(client.mode) && client.ca_file.empty()) {
        report.add_problem(
            "client_tls.mode", "needs ca_file, to verify the certificates of clients"
        );
    }

    const TlsOptions& server = settings.server_tls;
    check_tls_files(server, "server_tls", report);
    if (verifies(server.mode) && server.ca_file.empty()) {
        report.add_problem(
            "server_tls.mode", "needs ca_file: a file, or \"system\" for the machine's own"
        );
    }
    if (settings.upstream) check_upstream_tls(*settings.upstream, server, "upstream", report);
    for (const auto& [name, database] : settings.databases) {
        const std::string key = to_key({"databases", name, "upstream"});
        if (report.places.contains(key)) check_upstream_tls(database.upstream, server, key, report);
    }
}

void check_users(const Settings& settings, Report& report)
{
    for (const auto& [name, user] : settings.users) {
        const bool is_md5 = user.auth.password.starts_with("md5")
                            && user.auth.password.size() == 35;
        if (is_md5 && settings.auth_method == auth::Method::scram_sha_256) {
            report.add_warning(
                to_key({"users", name}),
                "has an md5 verifier, which auth.method scram-sha-256 cannot use"
            );
        }
        const bool is_scram = user.auth.password.starts_with("SCRAM-SHA-256$");
        if (is_scram && settings.auth_method == auth::Method::md5) {
            report.add_warning(
                to_key({"users", name}), "has a SCRAM verifier, which auth.method md5 cannot use"
            );
        }
    }
}

} // namespace pgweir::config
