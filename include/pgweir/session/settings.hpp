// The session settings that a client believes in, or that a server connection really has. Values
// that never change: a new one is made for each difference, so that equal ones can be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::session {

/// Sorted by name, in lower case, each once: `(name, value)`.
class Settings {
public:
    using Entry = std::pair<std::string, std::string>;

    Settings() = default;
    explicit Settings(std::vector<Entry> entries);

    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    /// Of those that may change what PostgreSQL makes of a statement's text when it parses it:
    /// nearly all (search_path, DateStyle, TimeZone …). Zero: there are none.
    [[nodiscard]] std::uint64_t parse_hash() const { return parse_hash_; }
    /// Of those that PostgreSQL may refuse: all but application_name. Zero: there are none.
    [[nodiscard]] std::uint64_t proof_hash() const { return proof_hash_; }
    /// Of application_name alone. Zero: there is none.
    [[nodiscard]] std::uint64_t application_hash() const { return application_hash_; }
    /// search_path begins with pg_temp: even to ask for the schema makes a temporary one.
    [[nodiscard]] bool makes_temp_schema() const { return makes_temp_schema_; }
    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    [[nodiscard]] const std::string* find(std::string_view name) const;

    friend bool operator==(const Settings& a, const Settings& b)
    {
        return a.hash_ == b.hash_ && a.entries_ == b.entries_;
    }

private:
    std::vector<Entry> entries_;
    std::uint64_t hash_ = 0;
    std::uint64_t parse_hash_ = 0;
    std::uint64_t proof_hash_ = 0;
    std::uint64_t application_hash_ = 0;
    bool makes_temp_schema_ = false;
};

/// Never null. Shared between threads, therefore const.
using SettingsRef = std::shared_ptr<const Settings>;

[[nodiscard]] const SettingsRef& no_settings();

/// `base` with one value changed or added.
[[nodiscard]] SettingsRef with_setting(
    const Settings& base, std::string_view name, std::string_view value
);

/// … or without it. `name` in lower case.
[[nodiscard]] SettingsRef without_setting(const Settings& base, std::string_view name);

/// Whether texts may be parsed or planned differently for it. `name` in lower case.
[[nodiscard]] bool matters_to_parse(std::string_view name);

/// Names of settings do not tell upper from lower case.
[[nodiscard]] std::string lower_case(std::string_view text);

[[nodiscard]] bool same_settings(const SettingsRef& a, const SettingsRef& b);

/// The SQL that turns a session with `from` into one with `to`: SET and RESET, nothing else.
/// Empty when there is nothing to do. Values are quoted so that no setting can end the statement,
/// and arrive as they are in the client_encoding of `to`, though that of `from` is still in force
/// while they are read. `defaults`: what a session without that setting has.
[[nodiscard]] std::string reconcile(
    const Settings& from, const Settings& to, const Settings& defaults
);

/// The settings in a startup packet: everything but user, database, replication and protocol
/// options; `options` is taken apart (-c name=value, --name=value; backslash escapes).
/// Source: PostgreSQL's process_startup_options and pg_split_opts.
struct StartupSettings {
    SettingsRef settings;
    std::string problem; // a sentence for the client when `options` cannot be understood
};
[[nodiscard]] StartupSettings read_startup_settings(
    const std::vector<std::pair<std::string, std::string>>& parameters
);

} // namespace pgweir::session
