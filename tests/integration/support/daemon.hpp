// The pgweir under test, as an operator runs it: flags, a file, variables, signals, a log.
#pragma once

#include "integration/support/http.hpp"
#include "integration/support/postgres.hpp"
#include "integration/support/wire_client.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgweir::test {

/// How to start one. By default: on 127.0.0.1, in front of the cluster, as app_scram.
struct Start {
    std::vector<std::string> flags{};
    std::string user = "app_scram"; // of the upstream URL, and of conninfo()
    std::string upstream{};         // a URL instead; "-": no --upstream at all
    std::string toml{};             // content of a file for --config; empty: none
    std::map<std::string, std::string> environment{};
    std::vector<std::string> listen{"127.0.0.1:0"};
};

/// With PGWEIR_TEST_DIRECT=1 nothing is started, and every address is PostgreSQL's own: what the
/// tests expect of pgweir is then proven to be what PostgreSQL does.
[[nodiscard]] bool is_direct();
/// For test cases that only make sense with a pooler: `* pooler_only()`.
[[nodiscard]] inline doctest::skip pooler_only() { return doctest::skip{is_direct()}; }

class Pgweir {
public:
    /// Returns when it is ready. Throws, with its log, when it ends before.
    explicit Pgweir(Start start = {});
    /// Stops it, unless the test did, and checks how it ended and what it left behind.
    ~Pgweir();
    Pgweir(const Pgweir&) = delete;
    Pgweir& operator=(const Pgweir&) = delete;

    [[nodiscard]] Target target() const;
    /// The address of a later one of Start::listen.
    [[nodiscard]] Target target(std::size_t index) const;
    [[nodiscard]] Target http() const;
    /// For libpq. `more` is appended, so it can override: "dbname=other user=other".
    [[nodiscard]] std::string conninfo(const std::string& more = "") const;
    [[nodiscard]] Connection connect(const std::string& more = "") const;
    /// The console, as the user of the upstream URL.
    [[nodiscard]] Connection console() const { return connect("dbname=pgweir"); }

    /// A number of SHOW POOLS, such as "cl_waiting", over all pools of the database app.
    [[nodiscard]] int pool_number(const std::string& column) const;
    void wait_for_waiting(int clients) const;

    [[nodiscard]] std::string metrics() const { return http_get(http(), "/metrics").body; }
    [[nodiscard]] std::string log() const { return read_file(log_file_); }
    /// Rewrites the file of --config. A SIGHUP or RELOAD makes it count.
    void write_config(const std::string& toml) const { write_file(config_file_, toml); }

    /// The most memory that it ever held. Empty, and a message, where that says nothing: without a
    /// pgweir, or with the shadow memory of a sanitizer.
    [[nodiscard]] std::optional<std::size_t> peak_memory() const;
    [[nodiscard]] Process& process() const { return *process_; }
    void signal(int number) const { process_->signal(number); }
    /// Waits until it has ended by itself, or because of a signal, and checks how.
    void expect_exit(ExitCode code);
    /// SIGTERM, then expect_exit(0).
    void stop();

    [[nodiscard]] static std::filesystem::path program();

private:
    [[nodiscard]] Command command(const Start& start) const;
    [[nodiscard]] std::vector<Target> addresses(const std::string& event) const;
    void check_log() const;

    std::string user_;
    TempDirectory directory_;
    std::filesystem::path config_file_;
    std::filesystem::path log_file_;
    std::unique_ptr<Process> process_; // none when direct
    bool ended_ = false;
};

/// `pgweir` with these arguments, run to its end: what it wrote and how it exited.
struct CommandOutcome {
    ExitCode code = 0;
    std::string output;
};
[[nodiscard]] CommandOutcome run_pgweir(const std::vector<std::string>& arguments);

/// Stops every process of the cluster for as long as it lives.
class Freeze {
public:
    Freeze();
    ~Freeze();
    Freeze(const Freeze&) = delete;
    Freeze& operator=(const Freeze&) = delete;
};

} // namespace pgweir::test
