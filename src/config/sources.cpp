#include <pgweir/config/sources.hpp>

#include <pgweir/config/rows.hpp>
#include <pgweir/config/suggest.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <set>
#include <string_view>

namespace pgweir::config {

namespace {

constexpr std::string_view prefix = "PGWEIR_";

// "databases.my-app.upstream" as a variable spells it: DATABASES_MY_APP_UPSTREAM.
std::string as_variable(std::string_view name)
{
    std::string out;
    for (const char c : name) {
        const auto code = static_cast<unsigned char>(c);
        out += std::isalnum(code) != 0 ? static_cast<char>(std::toupper(code)) : '_';
    }
    return out;
}

std::string to_lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

bool is_number(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// What follows the name of a Service in the variables that Kubernetes derives from it:
// SERVICE_HOST, SERVICE_PORT, SERVICE_PORT_<name>, PORT, PORT_<number>_TCP, …_TCP_ADDR and so on.
bool is_of_service(std::string_view rest)
{
    constexpr std::string_view service_port = "SERVICE_PORT_";
    if (rest == "SERVICE_HOST" || rest == "SERVICE_PORT" || rest == "PORT") return true;
    if (rest.starts_with(service_port)) return rest.size() > service_port.size();
    if (!rest.starts_with("PORT_")) return false;

    rest.remove_prefix(5);
    const auto digits = rest.find('_');
    if (digits == rest.npos || !is_number(rest.substr(0, digits))) return false;
    rest.remove_prefix(digits + 1);
    for (const std::string_view protocol : {"TCP", "UDP", "SCTP"}) {
        if (!rest.starts_with(protocol)) continue;
        const std::string_view what = rest.substr(protocol.size());
        if (what.empty() || what == "_PROTO" || what == "_PORT" || what == "_ADDR") return true;
    }
    return false;
}

// `name` without its prefix. For a Service called pgweir-metrics the variables begin with
// PGWEIR_METRICS_, which could be a misspelt setting: its address among the variables proves it.
bool is_from_kubernetes(std::string_view name, const Environment& environment)
{
    if (is_of_service(name)) return true;
    for (auto end = name.find('_'); end != name.npos; end = name.find('_', end + 1)) {
        const std::string service{name.substr(0, end)};
        if (is_of_service(name.substr(end + 1))
            && environment.contains(std::string{prefix} + service + "_SERVICE_HOST")) {
            return true;
        }
    }
    return false;
}

std::set<std::string> variables_of_passwords(const std::vector<Entry>& known)
{
    std::set<std::string> names;
    for (const Entry& entry : known) {
        if (entry.path.size() != 3 || entry.path[2] != "password_env") continue;
        if (const auto* text = std::get_if<std::string>(&entry.value)) names.insert(*text);
        if (const auto* text = std::get_if<Untyped>(&entry.value)) names.insert(text->text);
    }
    return names;
}

class VariableReader {
public:
    VariableReader(const std::vector<Entry>& known, std::vector<Problem>& problems)
        : known_{known}, problems_{problems}
    {
        for (const std::string& key : all_keys({})) fixed_.emplace(as_variable(key), to_path(key));
    }

    // Empty: no setting has that variable.
    Path find_path(const std::string& variable)
    {
        const auto fixed = fixed_.find(variable.substr(prefix.size()));
        if (fixed != fixed_.end()) return fixed->second;
        for (const char* const table : {"databases", "users"}) {
            Path path = find_named(table, variable);
            if (!path.empty()) return path;
        }
        return {};
    }

    void refuse(const std::string& variable)
    {
        std::vector<std::string> candidates;
        candidates.reserve(fixed_.size());
        for (const auto& [name, path] : fixed_) candidates.push_back(std::string{prefix} + name);
        problems_.push_back(
            {.source = "environment",
             .line = 0,
             .key = variable,
             .text = "is not a setting" + did_you_mean(variable, candidates)}
        );
    }

private:
    Path find_named(const std::string& table, const std::string& variable)
    {
        const std::string start = std::string{prefix} + as_variable(table) + "_";
        if (!variable.starts_with(start)) return {};
        const std::string_view rest = std::string_view{variable}.substr(start.size());

        // PASSWORD_FILE also ends like a setting called FILE would: the longest wins.
        Path path;
        std::size_t longest = 0;
        const std::string placeholder = table + ".x.";
        for (const std::string& key : all_keys("x")) {
            if (!key.starts_with(placeholder)) continue;
            const std::string ending = "_" + as_variable(key.substr(placeholder.size()));
            if (!rest.ends_with(ending) || rest.size() == ending.size()) continue;
            if (ending.size() <= longest) continue;
            longest = ending.size();
            path = to_path(key);
            path[1] = find_name(table, rest.substr(0, rest.size() - ending.size()), variable);
        }
        return path;
    }

    std::string find_name(
        const std::string& table, std::string_view name, const std::string& variable
    )
    {
        std::set<std::string> matching;
        for (const Entry& entry : known_) {
            const bool is_named = entry.path.size() >= 2 && entry.path[0] == table;
            if (is_named && as_variable(entry.path[1]) == as_variable(name)) {
                matching.insert(entry.path[1]);
            }
        }
        if (matching.empty()) return to_lower(name);
        if (matching.size() > 1) {
            problems_.push_back(
                {.source = "environment",
                 .line = 0,
                 .key = variable,
                 .text = "could mean " + to_key({table, *matching.begin()}) + " or "
                         + to_key({table, *std::next(matching.begin())}) + ": use the file"}
            );
        }
        return *matching.begin();
    }

    const std::vector<Entry>& known_;
    std::vector<Problem>& problems_;
    std::map<std::string, Path> fixed_; // without the prefix
};

// --listen may be given more than once.
bool is_list(const Path& path)
{
    constexpr std::array<std::string_view, 3> lists{"listen", "admin_users", "stats_users"};
    return path.size() == 1 && std::ranges::find(lists, path[0]) != lists.end();
}

} // namespace

std::vector<Entry> read_overrides(const Overrides& overrides, std::vector<Problem>& problems)
{
    std::vector<Entry> entries;
    for (const auto& [key, value] : overrides) {
        const Place place{.source = "command line", .line = 0, .key = key, .directory = {}};
        const Path path = to_path(key);
        if (path.empty()) {
            problems.push_back(place.problem("is not a key such as pool.size"));
            continue;
        }
        const auto earlier = std::ranges::find(entries, path, &Entry::path);
        if (earlier != entries.end() && is_list(path)) {
            std::get<Untyped>(earlier->value).text += "," + value;
        } else {
            entries.push_back({.path = path, .value = Untyped{value}, .place = place});
        }
    }
    return entries;
}

std::vector<Entry> read_environment(
    const Environment& environment, const std::vector<Entry>& known, std::vector<Problem>& problems
)
{
    std::vector<Entry> entries;
    VariableReader reader{known, problems};
    const auto passwords = variables_of_passwords(known);
    for (const auto& [name, value] : environment) {
        if (!name.starts_with(prefix) || name == "PGWEIR_CONFIG" || passwords.contains(name)) {
            continue;
        }
        Path path = reader.find_path(name);
        if (!path.empty()) {
            entries.push_back(
                {.path = std::move(path),
                 .value = Untyped{value},
                 .place = {.source = "environment", .line = 0, .key = name, .directory = {}}}
            );
        } else if (!is_from_kubernetes(name.substr(prefix.size()), environment)) {
            reader.refuse(name);
        }
    }
    return entries;
}

} // namespace pgweir::config
