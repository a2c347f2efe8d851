#include <pgweir/session/settings.hpp>

#include <pgweir/session/sql.hpp>
#include <pgweir/session/sql_lexer.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

namespace pgweir::session {

namespace {

std::uint64_t mix(std::uint64_t hash, const Settings::Entry& entry)
{
    constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15U;
    hash = (hash ^ std::hash<std::string>{}(entry.first)) * golden_ratio;
    return (hash ^ std::hash<std::string>{}(entry.second)) * golden_ratio;
}

// SET takes lists for these; a quoted list would be one odd element.
bool is_list(std::string_view name)
{
    constexpr std::array<std::string_view, 6> lists{
        "search_path",
        "datestyle",
        "temp_tablespaces",
        "session_preload_libraries",
        "local_preload_libraries",
        "unix_socket_directories",
    };
    return std::ranges::find(lists, name) != lists.end();
}

// A custom parameter "class.name" is two identifiers to SET and RESET.
void append_name(std::string& sql, std::string_view name)
{
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return append_identifier(sql, name);
    append_identifier(sql, name.substr(0, dot));
    sql += '.';
    append_identifier(sql, name.substr(dot + 1));
}

unsigned as_unsigned(char c) { return static_cast<unsigned char>(c); }

bool is_ascii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return (as_unsigned(c) & 0x80U) == 0; });
}

// Its bytes, and what they are to be read as.
void append_converted(std::string& sql, std::string_view value, std::string_view encoding)
{
    sql += "pg_catalog.convert_from(pg_catalog.decode('";
    for (const char c : value) {
        constexpr std::string_view digits = "0123456789abcdef";
        sql += digits[as_unsigned(c) >> 4U];
        sql += digits[as_unsigned(c) & 0xfU];
    }
    sql += "','hex'),";
    append_literal(sql, encoding);
    sql += ')';
}

// `encoding`: of the value, where that is not the one of the text. Empty: it is.
void append_set(std::string& sql, const Settings::Entry& entry, std::string_view encoding)
{
    if (!encoding.empty() && !is_ascii(entry.second)) {
        sql += "SELECT pg_catalog.set_config(";
        append_literal(sql, entry.first);
        sql += ',';
        append_converted(sql, entry.second, encoding);
        sql += ",false);";
    } else if (is_list(entry.first)) {
        // It takes the text as it would stand in a startup packet.
        sql += "SELECT pg_catalog.set_config(";
        append_literal(sql, entry.first);
        sql += ',';
        append_literal(sql, entry.second);
        sql += ",false);";
    } else {
        sql += "SET ";
        append_name(sql, entry.first);
        sql += " TO ";
        append_literal(sql, entry.second);
        sql += ';';
    }
}

void append_reset(std::string& sql, std::string_view name)
{
    sql += "RESET ";
    append_name(sql, name);
    sql += ';';
}

std::string_view encoding_of(const Settings& settings, const Settings& defaults)
{
    const std::string* value = settings.find("client_encoding");
    if (value == nullptr) value = defaults.find("client_encoding");
    return value == nullptr ? std::string_view{} : *value;
}

// Who the session acts as.
constexpr std::array<std::string_view, 2> identity_names{"session_authorization", "role"};

bool is_identity(std::string_view name)
{
    return std::ranges::find(identity_names, name) != identity_names.end();
}

// Splits at white space; a backslash keeps the next character as it is.
std::vector<std::string> split_options(std::string_view options)
{
    std::vector<std::string> words;
    std::size_t at = 0;
    for (;;) {
        while (at < options.size() && is_space(options[at])) ++at;
        if (at == options.size()) return words;
        std::string& word = words.emplace_back();
        for (; at < options.size() && !is_space(options[at]); ++at) {
            if (options[at] == '\\' && at + 1 < options.size()) ++at;
            word += options[at];
        }
    }
}

// "name=value"; in names '-' stands for '_'.
std::optional<Settings::Entry> split_assignment(std::string_view word)
{
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
    std::string name = lower_case(word.substr(0, equals));
    std::ranges::replace(name, '-', '_');
    return Settings::Entry{std::move(name), std::string{word.substr(equals + 1)}};
}

std::string read_options(std::string_view options, std::vector<Settings::Entry>& entries)
{
    const std::vector<std::string> words = split_options(options);
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        if (word == "-c" && i + 1 < words.size()) {
            word = words[++i];
        } else if (word.starts_with("-c") || word.starts_with("--")) {
            word.remove_prefix(2);
        } else {
            return "invalid command-line argument for server process: " + words[i];
        }
        auto entry = split_assignment(word);
        if (!entry) return "-c " + std::string{word} + " requires a value";
        entries.push_back(std::move(*entry));
    }
    return {};
}

} // namespace

// Many clients set these, each its own way.
bool matters_to_parse(std::string_view name)
{
    constexpr std::array<std::string_view, 6> indifferent{
        "application_name",
        "client_min_messages",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "lock_timeout",
        "statement_timeout",
    };
    return std::ranges::find(indifferent, name) == indifferent.end();
}

std::string lower_case(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return out;
}

namespace {

// The first name of a list, quoted or not.
bool begins_with_temp(std::string_view search_path)
{
    const std::size_t begin = search_path.find_first_not_of(" \t\"");
    if (begin == std::string_view::npos) return false;
    const std::string_view name = search_path.substr(begin);
    return name.substr(0, name.find_first_of(" \t\",")) == "pg_temp";
}

} // namespace

Settings::Settings(std::vector<Entry> entries)
{
    for (auto& [name, value] : entries) {
        name = lower_case(name);
        const auto place = std::ranges::lower_bound(entries_, name, {}, &Entry::first);
        const bool is_there = place != entries_.end() && place->first == name;
        if (is_there) {
            place->second = std::move(value); // of equal names the last one counts
        } else {
            entries_.emplace(place, std::move(name), std::move(value));
        }
    }
    for (const Entry& entry : entries_) {
        hash_ = mix(hash_, entry);
        if (matters_to_parse(entry.first)) parse_hash_ = mix(parse_hash_, entry);
        std::uint64_t& rest = entry.first == "application_name" ? application_hash_ : proof_hash_;
        rest = mix(rest, entry);
        if (entry.first == "search_path") makes_temp_schema_ = begins_with_temp(entry.second);
    }
}

const std::string* Settings::find(std::string_view name) const
{
    const auto found = std::ranges::lower_bound(entries_, name, {}, [](const Entry& entry) {
        return std::string_view{entry.first};
    });
    return found != entries_.end() && found->first == name ? &found->second : nullptr;
}

const SettingsRef& no_settings()
{
    static const SettingsRef none = std::make_shared<const Settings>();
    return none;
}

SettingsRef with_setting(const Settings& base, std::string_view name, std::string_view value)
{
    std::vector<Settings::Entry> entries = base.entries();
    entries.emplace_back(name, value);
    return std::make_shared<const Settings>(std::move(entries));
}

SettingsRef without_setting(const Settings& base, std::string_view name)
{
    std::vector<Settings::Entry> entries = base.entries();
    std::erase_if(entries, [&](const Settings::Entry& entry) { return entry.first == name; });
    if (entries.empty()) return no_settings();
    return std::make_shared<const Settings>(std::move(entries));
}

bool same_settings(const SettingsRef& a, const SettingsRef& b) { return a == b || *a == *b; }

// Somebody else's rights must not stand in the way of the other settings: they are given up first,
// and taken last. A session authorization ends the role, so that comes after it.
std::string reconcile(const Settings& from, const Settings& to, const Settings& defaults)
{
    if (from == to) return {};
    std::string sql;
    std::string_view encoding = encoding_of(to, defaults);
    if (encoding == encoding_of(from, defaults)) encoding = {};
    for (const std::string_view name : identity_names) {
        if (from.find(name) != nullptr) append_reset(sql, name);
    }
    for (const auto& [name, value] : from.entries()) {
        if (!is_identity(name) && to.find(name) == nullptr) append_reset(sql, name);
    }
    for (const Settings::Entry& entry : to.entries()) {
        if (is_identity(entry.first)) continue;
        const std::string* const present = from.find(entry.first);
        if (present == nullptr || *present != entry.second) append_set(sql, entry, encoding);
    }
    for (const std::string_view name : identity_names) {
        if (const std::string* const value = to.find(name)) {
            append_set(sql, {std::string{name}, *value}, encoding);
        }
    }
    return sql;
}

StartupSettings read_startup_settings(
    const std::vector<std::pair<std::string, std::string>>& parameters
)
{
    std::vector<Settings::Entry> entries;
    std::string problem;
    for (const auto& [name, value] : parameters) {
        if (name == "options") problem = read_options(value, entries);
        if (!problem.empty()) return {no_settings(), problem};
    }
    for (const auto& [name, value] : parameters) {
        const bool is_ours = name == "user" || name == "database" || name == "replication"
                             || name == "options" || name.starts_with("_pq_.");
        if (!is_ours) entries.emplace_back(name, value);
    }
    if (entries.empty()) return {no_settings(), {}};
    return {std::make_shared<const Settings>(std::move(entries)), {}};
}

} // namespace pgweir::session
