#include "integration/support/daemon.hpp"
#include "integration/support/failure_log.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>

namespace pgweir::test {

namespace {

const char* variable(const char* name)
{
    return std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody calls setenv here
}

// "127.0.0.1:6432", "[::1]:6432" or "/directory/.s.PGSQL.6432", as the log says it.
Target parse_address(const std::string& address)
{
    const std::string socket_name = "/.s.PGSQL.";
    const std::size_t socket_at = address.find(socket_name);
    const std::size_t host_end = socket_at == std::string::npos ? address.rfind(':') : socket_at;
    const std::size_t separator = socket_at == std::string::npos ? 1 : socket_name.size();
    std::string host = address.substr(0, host_end);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const int port = std::stoi(address.substr(host_end + separator));
    return {host, static_cast<std::uint16_t>(port)};
}

} // namespace

bool is_direct()
{
    const char* value = variable("PGWEIR_TEST_DIRECT");
    return value != nullptr && std::string{value} == "1";
}

Pgweir::Pgweir(Start start)
    : user_{start.user},
      config_file_{directory_ / "pgweir.toml"},
      log_file_{directory_ / "pgweir.log"}
{
    if (is_direct()) return;
    if (start.upstream.empty()) start.upstream = postgres().url(user_);
    if (!start.toml.empty()) write_config(start.toml);

    process_ = std::make_unique<Process>(command(start));
    const auto settled = [this] {
        return log().find(" event=ready") != std::string::npos || !process_->is_running();
    };
    const bool in_time = happens_before(Deadline{}, settled);
    if (in_time && process_->is_running()) return;
    throw std::runtime_error{"pgweir does not become ready:\n" + log()};
}

Pgweir::~Pgweir()
{
    if (!process_) return;
    try {
        if (!ended_) stop();
        // Whatever way it ended, PostgreSQL must not be left with its connections.
        const bool is_clean = happens_before(Deadline{}, [this] {
            return postgres().server_count(user_) == 0;
        });
        if (!is_clean) {
            FAIL_CHECK("server connections are left behind");
            postgres().disconnect(user_); // they are not the next test's fault
        }
    } catch (const std::exception& problem) {
        const std::string what = problem.what();
        FAIL_CHECK(what);
    }
    keep_for_failure("pgweir", log());
}

Command Pgweir::command(const Start& start) const
{
    Command command{
        .arguments = {program()}, .environment = start.environment, .output = log_file_
    };
    const auto add = [&](const std::string& flag, const std::string& value) {
        command.arguments.push_back(flag);
        command.arguments.push_back(value);
    };
    if (!start.toml.empty()) add("--config", config_file_);
    if (start.upstream != "-") add("--upstream", start.upstream);
    for (const std::string& address : start.listen) add("--listen", address);
    add("--http", "127.0.0.1:0");
    add("--set", "worker_load_max=0"); // clients on all workers: what goes between them is tested
    for (const std::string& flag : start.flags) command.arguments.push_back(flag);
    return command;
}

std::vector<Target> Pgweir::addresses(const std::string& event) const
{
    const std::string text = log();
    const std::string mark = " event=" + event + " address=";
    std::vector<Target> found;
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        at += mark.size();
        if (text.compare(at, 1, "\"") == 0) ++at;
        found.push_back(parse_address(text.substr(at, text.find_first_of(" \"\n", at) - at)));
    }
    if (found.empty()) throw std::runtime_error{"pgweir did not say event=" + event};
    return found;
}

Target Pgweir::target() const { return target(0); }

Target Pgweir::target(std::size_t index) const
{
    if (!process_) return {"127.0.0.1", postgres().port()};
    return addresses("listening").at(index);
}

Target Pgweir::http() const { return addresses("http_listening").at(0); }

std::string Pgweir::conninfo(const std::string& more) const
{
    const Target to = target();
    return "host=" + to.host + " port=" + std::to_string(to.port) + " dbname=app user=" + user_
           + " password=secret " + more;
}

Connection Pgweir::connect(const std::string& more) const { return Connection{conninfo(more)}; }

int Pgweir::pool_number(const std::string& column) const
{
    Connection admin = console();
    const Result pools = admin.query("SHOW POOLS");
    int sum = 0;
    for (int row = 0; row < pools.row_count(); ++row) {
        if (pools.value(row, "database") == "app") sum += std::stoi(pools.value(row, column));
    }
    return sum;
}

void Pgweir::wait_for_waiting(int clients) const
{
    wait_until(
        [&] { return pool_number("cl_waiting") == clients; },
        std::to_string(clients) + " clients wait for a server"
    );
}

std::optional<std::size_t> Pgweir::peak_memory() const
{
    constexpr std::size_t only_sanitizers_reserve = std::size_t{1} << 40U;
    const bool is_sanitized = process_
                              && memory_of(process_->pid(), "VmPeak") > only_sanitizers_reserve;
    if (process_ && !is_sanitized) return memory_of(process_->pid(), "VmHWM");
    MESSAGE("skipped: no memory of pgweir alone to look at");
    return std::nullopt;
}

void Pgweir::stop()
{
    if (!process_) return;
    signal(SIGTERM);
    expect_exit(0);
}

void Pgweir::expect_exit(ExitCode code)
{
    if (!process_) return;
    ended_ = true;
    const std::optional<ExitCode> exit = process_->wait_exit(Deadline{});
    if (!exit) {
        process_.reset();
        FAIL_CHECK("pgweir does not end");
        return;
    }
    CHECK(*exit == code);
    check_log();
}

void Pgweir::check_log() const
{
    const std::string text = log();
    std::string found;
    // "secret" is every password here.
    for (const std::string word : {"Sanitizer", "runtime error:", "assertion", "secret"}) {
        if (text.find(word) != std::string::npos) found += std::string{word} + " ";
    }
    if (!found.empty()) FAIL_CHECK("in the log of pgweir: ", found);
}

std::filesystem::path Pgweir::program()
{
    if (const char* chosen = variable("PGWEIR_TEST_BINARY")) return chosen;
    return PGWEIR_BINARY;
}

CommandOutcome run_pgweir(const std::vector<std::string>& arguments)
{
    const TempDirectory directory;
    Command command{.arguments = {Pgweir::program()}, .output = directory / "output"};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    const ExitCode code = run_status(command);
    return {code, read_file(command.output)};
}

Freeze::Freeze() { postgres().signal_all(SIGSTOP); }

Freeze::~Freeze() { postgres().signal_all(SIGCONT); }

} // namespace pgweir::test
