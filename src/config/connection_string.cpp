#include <pgweir/config/connection_string.hpp>

#include <pgweir/config/suggest.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pgweir::config {

namespace {

constexpr std::array newer_options{
    "gssdelegation",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "require_auth",
    "scram_client_key",
    "scram_server_key",
    "servicefile",
    "sslcertmode",
    "sslkeylogfile",
    "sslnegotiation",
};

bool is_url(std::string_view text)
{
    return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

// The question mark behind which options begin: not one in a user's name or password.
std::size_t find_query(std::string_view url)
{
    const auto authority = url.find("://") + 3;
    const auto user_end = url.find_first_of("@/", authority);
    const bool has_user = user_end != url.npos && url[user_end] == '@';
    return url.find('?', has_user ? user_end : authority);
}

std::string cut_from_url(std::string& url, std::string_view key)
{
    const auto query = find_query(url);
    if (query == url.npos) return {};

    std::string value;
    std::string kept;
    std::string_view rest = std::string_view{url}.substr(query + 1);
    while (!rest.empty()) {
        const std::string_view option = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), option.size() + 1));
        if (option.starts_with(key) && option.substr(key.size()).starts_with('=')) {
            value = option.substr(key.size() + 1);
        } else {
            kept.append(kept.empty() ? "?" : "&").append(option);
        }
    }
    url = url.substr(0, query) + kept;
    return value;
}

constexpr std::string_view white_space = " \t\r\n\f\v";

// The end of a value, quoted or not, in which a backslash protects the next character.
std::size_t find_value_end(std::string_view text, std::size_t from)
{
    const bool quoted = from < text.size() && text[from] == '\'';
    for (std::size_t i = from + (quoted ? 1 : 0); i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (quoted && text[i] == '\'') {
            return i + 1;
        } else if (!quoted && white_space.find(text[i]) != white_space.npos) {
            return i;
        }
    }
    return text.size();
}

struct Pair {
    std::size_t begin;
    std::size_t value_begin;
    std::size_t end;
    std::string_view key;
};

std::optional<Pair> find_pair(std::string_view text, std::size_t from)
{
    const auto begin = text.find_first_not_of(white_space, from);
    if (begin == text.npos) return std::nullopt;
    const auto key_end = text.find_first_of(" \t\r\n\f\v=", begin);
    const auto equals = text.find_first_not_of(white_space, key_end);
    if (equals == text.npos || text[equals] != '=') return std::nullopt;

    const auto value_begin = std::min(text.find_first_not_of(white_space, equals + 1), text.size());
    return Pair{
        .begin = begin,
        .value_begin = value_begin,
        .end = find_value_end(text, value_begin),
        .key = text.substr(begin, key_end - begin),
    };
}

std::string cut_from_pairs(std::string& text, std::string_view key)
{
    std::size_t from = 0;
    while (const auto pair = find_pair(text, from)) {
        from = pair->end;
        if (pair->key != key) continue;

        std::string value = text.substr(pair->value_begin, pair->end - pair->value_begin);
        std::erase(value, '\'');
        text.erase(pair->begin, pair->end - pair->begin);
        return value;
    }
    return {};
}

std::vector<std::string> known_options()
{
    std::vector<std::string> names;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconndefaults(), &PQconninfoFree
    };
    for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr;
         ++option) {
        names.emplace_back(option->keyword);
    }
    return names;
}

// libpq quotes the string in its messages, and with it perhaps a part of the password. So its words
// only tell which of ours to use.
std::string explain(std::string_view message)
{
    const auto says = [message](std::string_view words) {
        return message.find(words) != message.npos;
    };
    if (says("percent-encoded") || says("%00")) {
        return "has a % that is not followed by two hexadecimal digits of a character: write %25 "
               "for a % itself";
    }
    if (says("unterminated quoted string")) return "has a quote that does not end";
    if (says("missing \"=\"")) {
        return "is not a connection string: expected postgresql://user@host:port/dbname, or "
               "key=value pairs with quotes around values that contain spaces";
    }
    if (says("invalid connection option") || says("invalid URI query parameter")) {
        const auto begin = message.find('"') + 1;
        const auto name = message.substr(begin, message.find('"', begin) - begin);
        const std::string meant = closest(name, known_options());
        return meant.empty() ? "has an option that libpq does not know"
                             : "has an unknown option; did you mean " + meant + "?";
    }
    if (says("IPv6")) return "has an IPv6 address whose brackets do not match";
    return "is not a connection string such as postgresql://user:password@host:port/dbname";
}

} // namespace

std::string cut_option(std::string& text, std::string_view key)
{
    return is_url(text) ? cut_from_url(text, key) : cut_from_pairs(text, key);
}

ConnectionString parse_connection_string(const std::string& text)
{
    ConnectionString result;
    std::string known = text;
    for (const char* const name : newer_options) {
        std::string value = cut_option(known, name);
        if (!value.empty()) result.options.emplace(name, std::move(value));
    }

    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(known.c_str(), &message), &PQconninfoFree
    };
    const std::unique_ptr<char, decltype(&PQfreemem)> message_owner{message, &PQfreemem};
    if (!options) {
        result.problem = explain(message == nullptr ? "" : message);
        return result;
    }
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) result.options.emplace(option->keyword, option->val);
    }
    return result;
}

} // namespace pgweir::config
