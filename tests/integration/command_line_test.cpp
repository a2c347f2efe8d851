#include "support/daemon.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <map>
#include <sstream>
#include <string>
#include <sys/stat.h>

using namespace pgweir::test;

namespace {

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

// What `pgweir check` says about a file of this content.
CommandOutcome check_file(const std::string& toml)
{
    const TempDirectory directory;
    const std::filesystem::path file = directory / "pgweir.toml";
    write_file(file, toml);
    return run_pgweir({"check", "--config", file});
}

std::string configured_pool_size(const Pgweir& pgweir)
{
    Connection console = pgweir.console();
    const Result config = console.query("SHOW CONFIG");
    for (int row = 0; row < config.row_count(); ++row) {
        if (config.value(row, "key") == "pool.size") return config.value(row, "value");
    }
    return "";
}

std::string good_upstream() { return "upstream = \"" + postgres().url("app_scram") + "\"\n"; }

} // namespace

TEST_CASE("integration/command_line: --version and --help" * pooler_only())
{
    const CommandOutcome version = run_pgweir({"--version"});
    CHECK(version.code == 0);
    CHECK(version.output.starts_with("pgweir "));

    const CommandOutcome help = run_pgweir({"--help"});
    CHECK(help.code == 0);
    for (const std::string flag :
         {"--config",
          "--upstream",
          "--listen",
          "--http",
          "--pool-size",
          "--pool-mode",
          "--workers",
          "--set",
          "check"}) {
        CAPTURE(flag);
        CHECK(contains(help.output, flag));
    }
}

TEST_CASE("integration/command_line: an unknown flag is refused by name" * pooler_only())
{
    for (const std::string flag : {"--no-such-flag", "no-such-command"}) {
        const CommandOutcome outcome = run_pgweir({flag});
        CHECK(outcome.code != 0);
        CHECK(contains(outcome.output, flag));
    }
}

TEST_CASE(
    "integration/command_line: check accepts a good file and a reachable upstream" * pooler_only()
)
{
    const CommandOutcome outcome = check_file(good_upstream() + "[pool]\nsize = 3\n");
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    CHECK_FALSE(contains(outcome.output, "secret"));
}

TEST_CASE(
    "integration/command_line: check tells every problem with file, line and key" * pooler_only()
)
{
    const CommandOutcome outcome = check_file(
        good_upstream()
        + "[pool]\nsize = \"many\"\nmin_size = 999999\nquery_timeout = 5\nsizee = 1\n"
    );
    CAPTURE(outcome.output);
    CHECK(outcome.code == 1);
    for (const std::string problem :
         {"pgweir.toml:3: pool.size:",
          "pgweir.toml:4: pool.min_size:",
          "pgweir.toml:5: pool.query_timeout:",
          "pgweir.toml:6: pool.sizee:"}) {
        CAPTURE(problem);
        CHECK(contains(outcome.output, problem));
    }
}

TEST_CASE("integration/command_line: check refuses what is not TOML, or not there" * pooler_only())
{
    const CommandOutcome syntax = check_file("[pool\nsize = 3\n");
    CHECK(syntax.code == 1);
    CHECK(contains(syntax.output, "pgweir.toml:1"));

    const CommandOutcome missing = run_pgweir({"check", "--config", "/nonexistent/pgweir.toml"});
    CHECK(missing.code == 1);
    CHECK(contains(missing.output, "/nonexistent/pgweir.toml"));
}

TEST_CASE("integration/command_line: check tries the upstream" * pooler_only())
{
    const std::string port = std::to_string(free_port());
    const CommandOutcome absent = run_pgweir(
        {"check", "--upstream", "postgresql://app:secret@127.0.0.1:" + port + "/app"}
    );
    CHECK(absent.code == 1);
    CHECK(contains(absent.output, port));
    CHECK_FALSE(contains(absent.output, "secret"));

    std::string wrong = postgres().url("app_scram");
    wrong.replace(wrong.find(":secret@"), 8, ":mistaken@");
    const CommandOutcome refused = run_pgweir({"check", "--upstream", wrong});
    CHECK(refused.code == 1);
    CHECK(contains(refused.output, "password authentication failed"));
    CHECK_FALSE(contains(refused.output, "mistaken"));
}

TEST_CASE(
    "integration/command_line: a daemon with a bad configuration does not start" * pooler_only()
)
{
    const CommandOutcome outcome = run_pgweir(
        {"--upstream",
         postgres().url("app_scram"),
         "--listen",
         "127.0.0.1:0",
         "--set",
         "pool.size=none"}
    );
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.output, "pool.size"));
    CHECK_FALSE(contains(outcome.output, "secret"));
}

TEST_CASE("integration/command_line: without any upstream it says how to name one" * pooler_only())
{
    const CommandOutcome outcome = run_pgweir({"--listen", "127.0.0.1:0"});
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.output, "upstream"));
}

TEST_CASE("integration/command_line: an address in use is told and ends it" * pooler_only())
{
    const Pgweir first;
    const std::string address = "127.0.0.1:" + std::to_string(first.target().port);
    const CommandOutcome outcome = run_pgweir(
        {"--upstream", postgres().url("app_scram"), "--http", "127.0.0.1:0", "--listen", address}
    );
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.output, address));
}

TEST_CASE("integration/command_line: flags beat variables, variables beat the file" * pooler_only())
{
    const std::string toml = "[pool]\nsize = 3\n";
    const std::map<std::string, std::string> variable{{"PGWEIR_POOL_SIZE", "5"}};
    CHECK(configured_pool_size(Pgweir{Start{.toml = toml}}) == "3");
    CHECK(configured_pool_size(Pgweir{Start{.toml = toml, .environment = variable}}) == "5");
    const Start all{.flags = {"--pool-size", "7"}, .toml = toml, .environment = variable};
    CHECK(configured_pool_size(Pgweir{all}) == "7");
    CHECK(configured_pool_size(Pgweir{Start{.flags = {"--set", "pool.size=8"}}}) == "8");
}

TEST_CASE(
    "integration/command_line: an unknown variable of ours is refused by name" * pooler_only()
)
{
    const TempDirectory directory;
    const Command command{
        .arguments = {Pgweir::program(), "check", "--upstream", postgres().url("app_scram")},
        .environment = {{"PGWEIR_POOL_SIEZ", "3"}},
        .output = directory / "output",
    };
    CHECK(run_status(command) == 1);
    CHECK(contains(read_file(command.output), "PGWEIR_POOL_SIEZ"));
}

TEST_CASE("integration/command_line: the log can be JSON, one object a line" * pooler_only())
{
    // The harness reads the text format, so this one is started by hand.
    const TempDirectory directory;
    const std::filesystem::path config = directory / "pgweir.toml";
    write_file(config, good_upstream()); // a password for all to read: there is a warning
    std::filesystem::permissions(config, std::filesystem::perms{0644});
    Process process{Command{
        .arguments =
            {Pgweir::program(),
             "--config",
             config,
             "--listen",
             "127.0.0.1:0",
             "--http",
             "127.0.0.1:0",
             "--set",
             "log.format=json"},
        .output = directory / "log",
    }};
    wait_until(
        [&] { return contains(read_file(directory / "log"), "\"event\":\"ready\""); }, "it is ready"
    );
    process.signal(SIGTERM);
    CHECK(process.wait_exit(Deadline{}) == 0);

    const std::string log = read_file(directory / "log");
    CHECK(contains(log, "\"event\":\"config_warning\""));
    std::istringstream lines{log};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK((line.starts_with("{\"") && line.ends_with('}')));
    }
}

TEST_CASE("integration/command_line: systemd's journal is told the level of a line" * pooler_only())
{
    const TempDirectory directory;
    const std::filesystem::path log = directory / "log";
    write_file(log, "");
    struct stat file{};
    REQUIRE(::stat(log.c_str(), &file) == 0);
    const std::string here = std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
    for (const std::string& journal : {here, here + '0'}) {
        const Command command{
            .arguments =
                {Pgweir::program(),
                 "--upstream",
                 postgres().url("app_scram"),
                 "--listen",
                 "192.0.2.1:6432", // an address of nobody
                 "--http",
                 "127.0.0.1:0"},
            .environment = {{"JOURNAL_STREAM", journal}},
            .output = log,
        };
        CHECK(run_status(command) == 1);
    }
    std::istringstream lines{read_file(log)};
    for (const std::string start : {"<3>time=", "time="}) {
        std::string line;
        REQUIRE(std::getline(lines, line));
        CAPTURE(line);
        CHECK(line.starts_with(start));
        CHECK(contains(line, "level=error"));
    }
}

TEST_CASE("integration/command_line: status says in one word whether it is ready" * pooler_only())
{
    const Pgweir pgweir;
    const std::string http = "127.0.0.1:" + std::to_string(pgweir.http().port);
    const CommandOutcome ready = run_pgweir({"status", "--http", http});
    CHECK(ready.code == 0);
    CHECK(ready.output == "ready\n");

    const CommandOutcome absent = run_pgweir(
        {"status", "--http", "127.0.0.1:" + std::to_string(free_port())}
    );
    CHECK(absent.code == 1);
    CHECK(contains(absent.output, "does not answer"));
}
