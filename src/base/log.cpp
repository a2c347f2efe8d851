#include <pgweir/base/log.hpp>

#include <boost/locale/utf.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/stat.h>
#include <unistd.h>

namespace pgweir {

namespace {

std::atomic<LogLevel> log_level{LogLevel::info};
std::atomic<LogFormat> log_format{LogFormat::text};

constexpr std::string_view name_of(LogLevel level)
{
    constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
    return names.at(static_cast<std::size_t>(level));
}

// systemd names the file that stderr is when that leads to its journal (systemd.exec(5)).
bool writes_to_journal()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody calls setenv here
    const char* const journal = std::getenv("JOURNAL_STREAM");
    if (journal == nullptr) return false;
    struct stat file{};
    if (::fstat(STDERR_FILENO, &file) != 0) return false;
    return journal == std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
}

// The level for `journalctl -p`: the journal takes this off the line (sd-daemon(3)).
std::string_view journal_prefix(LogLevel level)
{
    static const bool is_wanted = writes_to_journal();
    constexpr std::array<std::string_view, 4> prefixes{"<7>", "<6>", "<4>", "<3>"};
    return is_wanted ? prefixes.at(static_cast<std::size_t>(level)) : "";
}

std::string timestamp()
{
    using std::chrono::milliseconds;
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto millis = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()) % 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 8> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(millis.count()));
    return std::string{text.data(), size} + fraction.data();
}

// JSON's escapes (RFC 8259, section 7) and its encoding (section 8.1); good for logfmt too. A name
// that a client has sent may be in any encoding: what is no UTF-8 becomes U+FFFD.
std::string quoted(std::string_view value)
{
    using Utf8 = boost::locale::utf::utf_traits<char>;

    std::string out = "\"";
    const char* at = value.data();
    const char* const end = at + value.size();
    while (at != end) {
        const char* const start = at;
        const auto code = Utf8::decode(at, end);
        if (!boost::locale::utf::is_valid_codepoint(code)) {
            out += "\\ufffd";
            at = start + 1;
        } else if (code == '"' || code == '\\') {
            out += '\\';
            out += static_cast<char>(code);
        } else if (code == '\n') {
            out += "\\n";
        } else if (code < 0x20 || code == 0x7f) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(code));
            out += escape.data();
        } else {
            out.append(start, at);
        }
    }
    return out + '"';
}

// In logfmt, quotes only where they are needed.
std::string quoted_if_needed(std::string_view value)
{
    std::string text = quoted(value);
    const bool is_escaped = text.size() != value.size() + 2;
    const bool is_split = value.empty() || value.find_first_of(" =") != value.npos;
    return is_escaped || is_split ? text : std::string{value};
}

void append_field(std::string& line, LogFormat format, const LogField& field)
{
    if (format == LogFormat::json) {
        line += ",\"";
        line += field.key();
        line += "\":";
        line += field.is_number() ? std::string{field.value()} : quoted(field.value());
    } else {
        line += ' ';
        line += field.key();
        line += '=';
        line += quoted_if_needed(field.value());
    }
}

} // namespace

void configure_log(LogLevel level, LogFormat format)
{
    log_level.store(level, std::memory_order_relaxed);
    log_format.store(format, std::memory_order_relaxed);
}

bool log_enabled(LogLevel level) noexcept
{
    return level >= log_level.load(std::memory_order_relaxed);
}

std::string format_log_line(
    LogFormat format, LogLevel level, std::string_view event, std::initializer_list<LogField> fields
)
{
    std::string line;
    if (format == LogFormat::json) {
        line = "\"level\":" + quoted(name_of(level)) + ",\"event\":" + quoted(event);
    } else {
        line.append("level=").append(name_of(level)).append(" event=").append(event);
    }
    for (const LogField& field : fields) append_field(line, format, field);
    return format == LogFormat::json ? line + '}' : line;
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields)
{
    if (!log_enabled(level)) return;
    const LogFormat format = log_format.load(std::memory_order_relaxed);
    const std::string line = format_log_line(format, level, event, fields);
    std::string out{journal_prefix(level)};
    out += format == LogFormat::json ? "{\"time\":\"" + timestamp() + "\","
                                     : "time=" + timestamp() + ' ';
    out += line + '\n';
    // A log that cannot be written has nobody to complain to.
    if (::write(STDERR_FILENO, out.data(), out.size()) < 0) return;
}

} // namespace pgweir
