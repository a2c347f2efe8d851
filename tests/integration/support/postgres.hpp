// A PostgreSQL of our own: a cluster that is made, started and removed by the test that needs it.
#pragma once

#include "integration/support/certificates.hpp"
#include "integration/support/libpq.hpp"
#include "integration/support/process.hpp"
#include "integration/support/temp_directory.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pgweir::test {

/// Users app_scram, app_md5, app_plain, app_tls (scram, and refused without TLS), app_trust and
/// app_cert, each authenticated as its name says; the password of all is "secret". app_scram may
/// replicate; app_lookup (scram) may read pg_authid. Everybody may create tables in the database
/// app. postgres is the superuser. For tests that make roles: anna is authenticated by scram, or
/// by md5 as a member of md5_roles.
class Postgres {
public:
    Postgres();
    /// A streaming standby of it, with all that it has.
    explicit Postgres(Postgres& primary);
    ~Postgres();
    Postgres(const Postgres&) = delete;
    Postgres& operator=(const Postgres&) = delete;

    void start();
    /// Disconnects everybody first, as `pg_ctl stop -m fast` does.
    void stop();
    void restart();
    /// Leaves nobody time to say anything, as `kill -9` does.
    void kill();
    /// A standby becomes a primary. Returns when it takes writes.
    void promote();
    /// A standby has all that its primary has now.
    void catch_up(Postgres& primary);
    /// Signals every process of the cluster: SIGSTOP makes it a machine that does not answer.
    void signal_all(int number);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::filesystem::path& socket_directory() const
    {
        return socket_directory_;
    }
    [[nodiscard]] const Certificates& certificates() const { return certificates_; }
    [[nodiscard]] static std::filesystem::path program(const std::string& name);

    /// As libpq wants it, for a user of the list above, over TCP.
    [[nodiscard]] std::string conninfo(const std::string& user) const;
    /// As --upstream wants it: postgresql://user:secret@127.0.0.1:port/app
    [[nodiscard]] std::string url(const std::string& user, const std::string& host = "") const;

    /// As the superuser, past everything that is tested. The value, or the rows as text.
    std::string sql(const std::string& statement);

    /// The client connections of a user that PostgreSQL sees right now.
    int server_count(const std::string& user);
    /// Ends all of them, whatever they do.
    void disconnect(const std::string& user);
    void wait_for_server_count(const std::string& user, int count);
    /// So many queries are at pg_sleep(): before that a cancel could come before its query.
    void wait_for_sleepers(int count);

    /// What PostgreSQL has logged.
    [[nodiscard]] std::string log() const { return read_file(log_file_); }

private:
    void make_directories();
    [[nodiscard]] std::vector<pid_t> children() const;
    void create();
    void write_hba() const;
    bool try_start();
    void create_users();
    Connection& superuser();

    TempDirectory directory_;
    Certificates certificates_;
    std::filesystem::path data_;
    std::filesystem::path socket_directory_;
    std::filesystem::path log_file_;
    std::uint16_t port_ = 0;
    bool is_known_ = false; // somebody may remember the port: keep it
    std::string superuser_database_ = "postgres";
    std::unique_ptr<Process> process_;
    std::unique_ptr<Connection> superuser_;
};

/// The one cluster of this program, started by the first test that asks.
Postgres& postgres();
/// Called once, by main, when all tests are over.
void remove_postgres();

/// A port of 127.0.0.1 on which nobody listens at the moment.
[[nodiscard]] std::uint16_t free_port();

[[nodiscard]] bool host_has_ipv6();

} // namespace pgweir::test
