#include <pgweir/config/entry.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::config {

namespace {

bool is_bare(std::string_view part)
{
    constexpr std::string_view bare =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return !part.empty() && part.find_first_not_of(bare) == part.npos;
}

std::string_view trim(std::string_view text)
{
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// Takes the first part off `rest`, and its dot. Empty: there is none, or it is not well-formed.
std::string take_part(std::string_view& rest)
{
    const bool quoted = rest.starts_with('"');
    if (quoted) rest.remove_prefix(1);
    const auto end = rest.find(quoted ? '"' : '.');
    if (quoted && end == rest.npos) return {};

    std::string part{rest.substr(0, end)};
    rest.remove_prefix(std::min(rest.size(), part.size() + (quoted ? 1 : 0)));
    if (rest.empty()) return part;
    if (!rest.starts_with('.') || rest.size() == 1) return {};
    rest.remove_prefix(1);
    return part;
}

} // namespace

Problem Place::problem(std::string text) const
{
    return {.source = source, .line = line, .key = key, .text = std::move(text)};
}

std::string to_key(const Path& path)
{
    std::string key;
    for (const std::string& part : path) {
        if (!key.empty()) key += '.';
        key += is_bare(part) ? part : '"' + part + '"';
    }
    return key;
}

Path to_path(std::string_view key)
{
    Path path;
    while (!key.empty()) {
        std::string part = take_part(key);
        if (part.empty()) return {};
        path.push_back(std::move(part));
    }
    return path;
}

std::vector<std::string> split_list(std::string_view text)
{
    std::vector<std::string> parts;
    if (trim(text).empty()) return parts;
    for (;;) {
        const auto comma = text.find(',');
        parts.emplace_back(trim(text.substr(0, comma)));
        if (comma == text.npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

} // namespace pgweir::config
