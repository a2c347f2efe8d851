#include <pgweir/app/arguments.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace pgweir::app {

namespace {

constexpr std::string_view help = R"(pgweir: a PostgreSQL connection pooler

Usage:
  pgweir [--upstream URL] [options]     run, in the foreground
  pgweir check [options]                validate the configuration and try the upstream
  pgweir status [options]               ask a running pgweir whether it is ready (exit code 0: yes)
  pgweir --version | --help

Options:
  --config FILE        a TOML file; without it flags, variables and defaults do
  --upstream URL       where PostgreSQL is: postgresql://user:password@host:5432/database
                       (DATABASE_URL when nothing else names one)
  --listen ADDR        host:port, or a directory for a unix socket; may be given several times
  --http ADDR          metrics, health and the status page
  --pool-size N        server connections for each database and user
  --pool-mode MODE     transaction, session or statement
  --workers N          threads; by default one for each core
  --set KEY=VALUE      any setting of the configuration file, such as pool.query_wait_timeout=5s

Every setting is also a variable: PGWEIR_POOL_SIZE=30 is pool.size. Flags beat variables, and
variables beat the file.
)";

// Flags that are another way to write a setting.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> flags{{
    {"--upstream", "upstream"},
    {"--listen", "listen"},
    {"--http", "http"},
    {"--pool-size", "pool.size"},
    {"--pool-mode", "pool.mode"},
    {"--workers", "worker_threads"},
}};

std::optional<Verb> verb_of(std::string_view word)
{
    if (word == "check") return Verb::check;
    if (word == "status") return Verb::status;
    if (word == "--version" || word == "-V") return Verb::version;
    if (word == "--help" || word == "-h") return Verb::help;
    return std::nullopt;
}

/// Takes "--flag value" and "--flag=value" apart.
class Reader {
public:
    explicit Reader(const std::vector<std::string>& words) : words_{words} {}

    bool next()
    {
        if (at_ == words_.size()) return false;
        const std::string& word = words_[at_++];
        const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
        flag_ = word.substr(0, equals);
        attached_.reset();
        if (equals != std::string::npos) attached_ = word.substr(equals + 1);
        return true;
    }

    [[nodiscard]] const std::string& flag() const { return flag_; }

    std::optional<std::string> value()
    {
        if (attached_) return attached_;
        if (at_ == words_.size()) return std::nullopt;
        return words_[at_++];
    }

private:
    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    std::string flag_;
    std::optional<std::string> attached_;
};

std::string read_flag(Reader& reader, Arguments& out)
{
    const std::string& flag = reader.flag();
    const auto* const known = std::ranges::find(flags, flag, [](const auto& entry) {
        return entry.first;
    });
    const bool takes_value = known != flags.end() || flag == "--config" || flag == "--set";
    if (!takes_value) return "unknown argument \"" + flag + "\" (see pgweir --help)";

    auto value = reader.value();
    if (!value) return flag + " needs a value";
    if (flag == "--config") {
        out.config_file = *value;
    } else if (flag == "--set") {
        const std::size_t equals = value->find('=');
        if (equals == 0 || equals == std::string::npos) {
            return "--set needs KEY=VALUE, such as pool.size=30";
        }
        out.overrides.emplace_back(value->substr(0, equals), value->substr(equals + 1));
    } else {
        out.overrides.emplace_back(known->second, *value);
    }
    return {};
}

} // namespace

Arguments read_arguments(const std::vector<std::string>& arguments)
{
    Arguments out;
    Reader reader{arguments};
    bool is_first = true;
    while (out.problem.empty() && reader.next()) {
        const auto verb = verb_of(reader.flag());
        const bool is_word = !reader.flag().starts_with('-');
        if (verb && (is_first || !is_word)) {
            out.verb = *verb;
        } else {
            out.problem = read_flag(reader, out);
        }
        is_first = false;
    }
    return out;
}

std::string_view help_text() { return help; }

} // namespace pgweir::app
