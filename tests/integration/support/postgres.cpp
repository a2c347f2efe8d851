#include "integration/support/postgres.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <netinet/in.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace pgweir::test {

namespace fs = std::filesystem;

namespace {

constexpr const char* server_user = "postgres"; // PostgreSQL refuses to run as root

fs::path newest_programs()
{
    const fs::path root{"/usr/lib/postgresql"};
    int newest = 0;
    for (const auto& entry : fs::directory_iterator{root}) {
        const std::string name = entry.path().filename().string();
        int version = 0;
        std::from_chars(name.data(), name.data() + name.size(), version);
        if (fs::exists(entry.path() / "bin" / "initdb")) newest = std::max(newest, version);
    }
    return root / std::to_string(newest) / "bin";
}

fs::path find_programs()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody calls setenv here
    if (const char* chosen = std::getenv("PGWEIR_TEST_PG_BINDIR")) return chosen;

    const TempDirectory directory;
    const Command ask{.arguments = {"pg_config", "--bindir"}, .output = directory / "bindir"};
    if (run_status(ask) == 0) {
        const std::string answer = read_file(ask.output);
        const fs::path programs = answer.substr(0, answer.find('\n'));
        if (fs::exists(programs / "initdb")) return programs;
    }
    return newest_programs();
}

void give_to_server_user(const fs::path& path)
{
    if (::geteuid() != 0) return;
    const passwd* entry = ::getpwnam(server_user); // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr || ::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
        throw std::runtime_error{"cannot give " + path.string() + " to " + server_user};
    }
}

// Fast and small: nothing here has to survive a power failure.
constexpr const char* configuration = R"(
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
shared_buffers = 32MB
max_connections = 200
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
ssl = on
logging_collector = off
log_min_messages = warning
log_connections = on
log_timezone = UTC
timezone = UTC
)";

} // namespace

Postgres::Postgres()
    : certificates_{directory_.path()},
      data_{directory_ / "data"},
      socket_directory_{directory_ / "sock"},
      log_file_{directory_ / "postgres.log"}
{
    create();
    start();
    create_users();
}

Postgres::~Postgres()
{
    try {
        superuser_.reset();
        if (process_) stop();
    } catch (const std::exception&) {
        process_.reset(); // kills; there is nothing left to save
    }
}

void Postgres::make_directories()
{
    fs::create_directory(data_);
    fs::create_directory(socket_directory_);
    write_file(log_file_, "");
    for (const fs::path& path : {data_, socket_directory_, log_file_}) give_to_server_user(path);
}

void Postgres::create()
{
    make_directories();
    run({
        .arguments =
            {program("initdb"),
             "--no-sync",
             "--no-instructions",
             "--auth=trust",
             "--username=postgres",
             "--encoding=UTF8",
             "--locale=C.UTF-8",
             "--pgdata=" + data_.string()},
        .user = server_user,
    });
    write_hba();

    const fs::path key = data_ / "server.key";
    fs::copy(certificates_.server().key_file, key);
    fs::copy(certificates_.server().cert_file, data_ / "server.crt");
    fs::copy(certificates_.authority(), data_ / "root.crt");
    give_to_server_user(key);
    fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
}

void Postgres::write_hba() const
{
    constexpr std::array<std::pair<const char*, const char*>, 4> methods{{
        {"app_scram", "scram-sha-256"},
        {"app_md5", "md5"},
        {"app_plain", "password"},
        {"app_trust", "trust"},
    }};
    std::ostringstream hba;
    hba << "local all,replication postgres trust\n"
        << "hostssl all app_cert all cert\n"
        << "hostssl all app_tls all scram-sha-256\n"
        << "host all +md5_roles all md5\n"
        << "host all app_lookup,anna all scram-sha-256\n";
    for (const auto& [user, method] : methods) {
        hba << "local all " << user << ' ' << method << '\n'
            << "host all,replication " << user << " all " << method << '\n';
    }
    write_file(data_ / "pg_hba.conf", hba.str());
}

void Postgres::start()
{
    constexpr int attempts_max = 20;
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        // A restart keeps its port: whoever is tested knows it by then.
        if (port_ == 0) port_ = free_port();
        if (try_start()) {
            is_known_ = true;
            return;
        }
        const bool collided = log().find("could not bind") != std::string::npos;
        if (!collided || is_known_) break;
        port_ = 0; // somebody else was quicker to take it
        write_file(log_file_, "");
    }
    throw std::runtime_error{"PostgreSQL does not start:\n" + log()};
}

bool Postgres::try_start()
{
    const std::string addresses = host_has_ipv6() ? "127.0.0.1,127.0.0.2,::1"
                                                  : "127.0.0.1,127.0.0.2";
    std::ostringstream conf;
    conf << configuration << "ssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n"
         << "ssl_ca_file = 'root.crt'\nlisten_addresses = '" << addresses << "'\nport = " << port_
         << "\nunix_socket_directories = '" << socket_directory().string() << "'\n";
    write_file(data_ / "postgresql.conf", conf.str());

    process_ = std::make_unique<Process>(Command{
        .arguments = {program("postgres"), "-D", data_.string()},
        .output = log_file_,
        .user = server_user,
    });
    // postmaster.pid says "ready" only when connections are taken, and then it also has the port.
    const auto settled = [&] {
        const bool ready = read_file(data_ / "postmaster.pid").find("ready") != std::string::npos;
        return ready || !process_->is_running();
    };
    wait_until(settled, "PostgreSQL is ready");
    return process_->is_running() && log().find("could not bind") == std::string::npos;
}

void Postgres::create_users()
{
    sql("CREATE DATABASE app");
    superuser_database_ = "app";
    superuser_.reset();
    for (const char* user : {"app_scram", "app_plain", "app_tls", "app_cert", "app_trust"}) {
        sql("CREATE ROLE " + std::string{user} + " LOGIN PASSWORD 'secret'");
    }
    sql("SET password_encryption = 'md5'; CREATE ROLE app_md5 LOGIN PASSWORD 'secret'; "
        "RESET password_encryption");
    sql("ALTER ROLE app_scram REPLICATION");
    sql("CREATE ROLE app_lookup LOGIN PASSWORD 'secret'; CREATE ROLE md5_roles; "
        "GRANT SELECT ON pg_authid TO app_lookup");
    sql("GRANT ALL ON SCHEMA public TO PUBLIC");
}

void Postgres::stop()
{
    superuser_.reset();
    process_->signal(SIGINT);
    if (!process_->wait_exit(Deadline{})) throw std::runtime_error{"PostgreSQL does not stop"};
    process_.reset();
}

void Postgres::restart()
{
    stop();
    start();
}

void Postgres::signal_all(int number)
{
    process_->signal(number);
    for (const pid_t child : children()) ::kill(child, number);
}

// They have process groups of their own, so they are found by their parent.
std::vector<pid_t> Postgres::children() const
{
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator{"/proc"}) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        std::from_chars(name.data(), name.data() + name.size(), pid);
        if (pid <= 0) continue;
        const std::string status = read_file(entry.path() / "status");
        const std::string parent = "\nPPid:\t" + std::to_string(process_->pid()) + "\n";
        if (status.find(parent) != std::string::npos) found.push_back(pid);
    }
    return found;
}

fs::path Postgres::program(const std::string& name)
{
    static const fs::path programs = find_programs();
    return programs / name;
}

std::string Postgres::conninfo(const std::string& user) const
{
    return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=app user=" + user
           + " password=secret";
}

std::string Postgres::url(const std::string& user, const std::string& host) const
{
    return "postgresql://" + user + ":secret@" + (host.empty() ? "127.0.0.1" : host) + ":"
           + std::to_string(port_) + "/app";
}

Connection& Postgres::superuser()
{
    if (superuser_ && !superuser_->is_lost()) return *superuser_;
    superuser_ = std::make_unique<Connection>(
        "host=" + socket_directory().string() + " port=" + std::to_string(port_)
        + " user=postgres dbname=" + superuser_database_
    );
    return *superuser_;
}

std::string Postgres::sql(const std::string& statement)
{
    const Result result = superuser().query(statement);
    if (!result.is_error()) return result.text();
    throw std::runtime_error{statement + ": " + result.message()};
}

int Postgres::server_count(const std::string& user)
{
    return std::stoi(
        sql("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = '"
            + user + "'")
    );
}

void Postgres::disconnect(const std::string& user)
{
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + user + "'");
    wait_for_server_count(user, 0);
}

void Postgres::wait_for_server_count(const std::string& user, int count)
{
    wait_until(
        [&] { return server_count(user) == count; },
        std::to_string(count) + " server connections of " + user
    );
}

void Postgres::wait_for_sleepers(int count)
{
    const std::string sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'";
    wait_until(
        [&] { return sql(sleeping) == std::to_string(count); },
        std::to_string(count) + " queries sleep"
    );
}

namespace {

std::unique_ptr<Postgres>& the_postgres()
{
    static std::unique_ptr<Postgres> cluster;
    return cluster;
}

} // namespace

Postgres& postgres()
{
    std::unique_ptr<Postgres>& cluster = the_postgres();
    if (cluster) return *cluster;
    remove_abandoned_directories();
    cluster = std::make_unique<Postgres>();
    return *cluster;
}

void remove_postgres() { the_postgres().reset(); }

std::uint16_t free_port()
{
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    void* raw = &address;
    const bool known = ::bind(socket, static_cast<sockaddr*>(raw), size) == 0
                       && ::getsockname(socket, static_cast<sockaddr*>(raw), &size) == 0;
    ::close(socket);
    if (!known) throw std::runtime_error{"no free port on 127.0.0.1"};
    return ntohs(address.sin_port);
}

bool host_has_ipv6()
{
    static const bool has = [] {
        const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
        void* raw = &address;
        const bool bound = socket >= 0
                           && ::bind(socket, static_cast<sockaddr*>(raw), sizeof address) == 0;
        if (socket >= 0) ::close(socket);
        return bound;
    }();
    return has;
}

} // namespace pgweir::test
