// A child process that dies with us: started with its own environment, output kept in a file.
#pragma once

#include "integration/support/wait.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pgweir::test {

struct Command {
    std::vector<std::string> arguments;               // the first is the program
    std::map<std::string, std::string> environment{}; // on top of a clean one
    std::filesystem::path output{};                   // both stdout and stderr, appended
    std::string user{};                               // run as, when we are root; empty: as we are
};

/// How a process ended: its exit status, or 128 + the signal that killed it, as a shell says it.
using ExitCode = int;

class Process {
public:
    explicit Process(const Command& command);
    /// Kills without asking. Whoever wants a clean end asks for it before.
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] bool is_running() { return !poll_exit(); }
    void signal(int number) const;
    /// Empty: still running.
    [[nodiscard]] std::optional<ExitCode> poll_exit();
    /// Empty: still running when the deadline passed.
    [[nodiscard]] std::optional<ExitCode> wait_exit(const Deadline& deadline);

private:
    pid_t pid_ = -1;
    std::optional<ExitCode> exit_;
};

/// Runs to the end; throws with the output when it fails.
void run(const Command& command);
/// Runs to the end and says how it went; throws only when it hangs.
[[nodiscard]] ExitCode run_status(const Command& command);

/// A line of /proc/PID/status that is a size, e.g. "VmRSS", in bytes.
[[nodiscard]] std::size_t memory_of(pid_t pid, const std::string& key);

} // namespace pgweir::test
