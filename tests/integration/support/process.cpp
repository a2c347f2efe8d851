#include "integration/support/process.hpp"
#include "integration/support/temp_directory.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace pgweir::test {

namespace {

[[noreturn]] void fail(const std::string& what)
{
    throw std::system_error{errno, std::generic_category(), what};
}

// What a child may inherit. Anything else, PGHOST or DATABASE_URL above all, would let the
// machine's own setup decide what a test means.
constexpr std::array inherited{
    "PATH", "HOME", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"
};

std::vector<std::string> environment_of(const Command& command)
{
    std::map<std::string, std::string> all{{"LC_ALL", "C.UTF-8"}};
    for (const char* name : inherited) {
        // Nobody calls setenv in this program, so reading it from any thread is safe.
        const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
        if (value != nullptr) all[name] = value;
    }
    for (const auto& [name, value] : command.environment) all[name] = value;

    std::vector<std::string> lines;
    lines.reserve(all.size());
    for (const auto& [name, value] : all)
        lines.push_back(std::string{name}.append("=").append(value));
    return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings)
{
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (std::string& string : strings) pointers.push_back(string.data());
    pointers.push_back(nullptr);
    return pointers;
}

const passwd* user_to_become(const std::string& name)
{
    if (name.empty() || ::geteuid() != 0) return nullptr;
    const passwd* entry = ::getpwnam(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) throw std::runtime_error{"no such user: " + name};
    return entry;
}

// Runs in the child: only async-signal-safe calls, and no way back.
[[noreturn]] void become(const passwd* user, int output, char* const* arguments, char* const* env)
{
    const bool switched = user == nullptr
                          || (::setgroups(1, &user->pw_gid) == 0 && ::setgid(user->pw_gid) == 0
                              && ::setuid(user->pw_uid) == 0);
    // After setuid, which clears it: if a test crashes, the daemons it started go too.
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    // We ignore it, and exec would hand that down: a daemon has to cope by itself.
    static_cast<void>(std::signal(SIGPIPE, SIG_DFL));
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    if (switched) ::execvpe(arguments[0], arguments, env);
    constexpr std::string_view problem = "cannot be run: ";
    static_cast<void>(::write(STDERR_FILENO, problem.data(), problem.size()));
    static_cast<void>(::write(STDERR_FILENO, arguments[0], std::strlen(arguments[0])));
    constexpr int exec_failed = 127;
    ::_exit(exec_failed);
}

} // namespace

Process::Process(const Command& command)
{
    const passwd* user = user_to_become(command.user);
    std::vector<std::string> arguments = command.arguments;
    std::vector<std::string> environment = environment_of(command);
    const std::vector<char*> argument_pointers = pointers_to(arguments);
    const std::vector<char*> environment_pointers = pointers_to(environment);

    const char* path = command.output.empty() ? "/dev/null" : command.output.c_str();
    constexpr mode_t readable = 0644;
    const int output = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, readable);
    if (output < 0) fail("open " + command.output.string());

    pid_ = ::fork();
    if (pid_ == 0) become(user, output, argument_pointers.data(), environment_pointers.data());
    ::close(output);
    if (pid_ < 0) fail("fork");
}

Process::~Process()
{
    if (poll_exit()) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const
{
    if (::kill(pid_, number) != 0) fail("kill");
}

std::optional<ExitCode> Process::poll_exit()
{
    if (exit_) return exit_;

    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    constexpr int killed = 128;
    exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : killed + WTERMSIG(status);
    return exit_;
}

std::optional<ExitCode> Process::wait_exit(const Deadline& deadline)
{
    static_cast<void>(happens_before(deadline, [&] { return poll_exit().has_value(); }));
    return exit_;
}

void run(const Command& command)
{
    const TempDirectory directory;
    Command logged = command;
    if (logged.output.empty()) logged.output = directory / "output";
    const ExitCode code = run_status(logged);
    if (code == 0) return;
    throw std::runtime_error{
        logged.arguments[0] + " exited with " + std::to_string(code) + ":\n"
        + read_file(logged.output)
    };
}

ExitCode run_status(const Command& command)
{
    Process process{command};
    constexpr std::chrono::seconds commands_take_longer{120};
    const std::optional<ExitCode> code = process.wait_exit(Deadline{commands_take_longer});
    if (!code) throw std::runtime_error{command.arguments[0] + " does not end"};
    return *code;
}

std::size_t memory_of(pid_t pid, const std::string& key)
{
    std::istringstream lines{read_file("/proc/" + std::to_string(pid) + "/status")};
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key + ":")) continue;
        constexpr std::size_t kibibyte = 1'024;
        return std::stoul(line.substr(key.size() + 1)) * kibibyte;
    }
    throw std::runtime_error{"no " + key + " for this process"};
}

} // namespace pgweir::test
