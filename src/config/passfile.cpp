#include <pgweir/config/passfile.hpp>

#include <array>
#include <utility>

namespace pgweir::config {

namespace {

std::optional<std::string_view> next_line(std::string_view& text)
{
    if (text.empty()) return std::nullopt;
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view trim_blanks(std::string_view text)
{
    constexpr std::string_view blank = " \t";
    const auto first = text.find_first_not_of(blank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// host:port:database:user:password, where a backslash protects a colon or a backslash.
std::optional<std::array<std::string, 5>> split_fields(std::string_view line)
{
    std::array<std::string, 5> fields;
    std::size_t field = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == ':' && field + 1 < fields.size()) {
            ++field;
            continue;
        }
        if (line[i] == '\\' && i + 1 < line.size()) ++i;
        fields.at(field) += line[i];
    }
    if (field + 1 < fields.size()) return std::nullopt;
    return fields;
}

bool matches(const std::string& field, const std::string& wanted)
{
    return field == "*" || field == wanted;
}

} // namespace

std::optional<std::string> find_password(std::string_view passfile, const PassfileQuery& query)
{
    while (const auto line = next_line(passfile)) {
        if (line->empty() || line->starts_with('#')) continue;
        auto fields = split_fields(*line);
        if (!fields) continue;
        auto& [host, port, dbname, user, password] = *fields;
        if (matches(host, query.host) && matches(port, query.port) && matches(dbname, query.dbname)
            && matches(user, query.user)) {
            return std::move(password);
        }
    }
    return std::nullopt;
}

std::optional<std::map<std::string, std::string>> find_service(
    std::string_view service_file, std::string_view service
)
{
    const std::string header = "[" + std::string{service} + "]";
    std::optional<std::map<std::string, std::string>> options;
    while (const auto raw = next_line(service_file)) {
        const std::string_view line = trim_blanks(*raw);
        if (line.empty() || line.starts_with('#')) continue;
        if (line.starts_with('[')) {
            if (options) break;
            if (line == header) options.emplace();
            continue;
        }
        const auto equals = line.find('=');
        if (!options || equals == line.npos) continue;
        options->emplace(trim_blanks(line.substr(0, equals)), trim_blanks(line.substr(equals + 1)));
    }
    return options;
}

} // namespace pgweir::config
