// Structured log lines on stderr: one event a line, logfmt text or JSON. The only global state.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pgweir {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

/// One key=value of a line. Numbers stay numbers in JSON.
class LogField {
public:
    LogField(std::string_view key, std::string_view value) : key_{key}, value_{value} {}
    LogField(std::string_view key, const char* value) : key_{key}, value_{value} {}
    LogField(std::string_view key, const std::string& value) : key_{key}, value_{value} {}
    template <std::integral T>
    LogField(std::string_view key, T value)
        : key_{key}, value_{std::to_string(value)}, is_number_{true}
    {
    }

    [[nodiscard]] std::string_view key() const { return key_; }
    [[nodiscard]] std::string_view value() const { return value_; }
    [[nodiscard]] bool is_number() const { return is_number_; }

private:
    std::string_view key_; // a literal
    std::string value_;
    bool is_number_ = false;
};

/// May be called from any thread, also while others are logging.
void configure_log(LogLevel level, LogFormat format);
[[nodiscard]] bool log_enabled(LogLevel level) noexcept;

/// Writes one line with one write(2), so that lines of several threads never mix. `event` is a
/// snake_case word of a closed list; values are escaped. Never pass a secret or a parameter value.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

/// The line without its time, as log() would write it. For tests.
[[nodiscard]] std::string format_log_line(
    LogFormat format, LogLevel level, std::string_view event, std::initializer_list<LogField> fields
);

} // namespace pgweir
