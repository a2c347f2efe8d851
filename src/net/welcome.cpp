#include <pgweir/net/welcome.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace pgweir::net {

namespace {

using session::lower_case;

// pg_encoding_to_char(): PostgreSQL takes many spellings and reports one.
std::string encoding_name(std::string_view asked)
{
    const std::string key = encoding_key(asked);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> known{{
        {"utf8", "UTF8"},
        {"unicode", "UTF8"},
        {"sqlascii", "SQL_ASCII"},
        {"latin1", "LATIN1"},
        {"iso88591", "LATIN1"},
        {"latin9", "LATIN9"},
        {"win1252", "WIN1252"},
        {"windows1252", "WIN1252"},
        {"eucjp", "EUC_JP"},
    }};
    for (const auto& [spelling, name] : known) {
        if (key == spelling) return std::string{name};
    }
    std::string upper{asked};
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    });
    return upper;
}

// "iso" alone keeps the server's order of day and month.
std::string date_style(const std::string& asked, const std::string& reported)
{
    constexpr std::array<std::string_view, 4> styles{"ISO", "SQL", "Postgres", "German"};
    const std::size_t comma = reported.find(',');
    for (const std::string_view style : styles) {
        if (lower_case(asked) != lower_case(style)) continue;
        if (style == "German") return "German, DMY"; // brings its order along
        return std::string{style} + (comma != std::string::npos ? reported.substr(comma) : "");
    }
    return asked;
}

} // namespace

std::string encoding_key(std::string_view name)
{
    std::string key;
    for (const char c : lower_case(name)) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) key += c;
    }
    return key;
}

std::string welcome_value(
    std::string_view name, const std::string& value, const session::Settings& settings
)
{
    const std::string key = lower_case(name);
    const std::string* const asked = settings.find(key);
    if (asked == nullptr) return value;
    if (key == "client_encoding") return encoding_name(*asked);
    if (key == "datestyle") return date_style(*asked, value);
    return *asked;
}

session::SettingsRef as_spelt(
    session::SettingsRef settings, const std::vector<session::Settings::Entry>& reported
)
{
    for (const auto& [name, value] : reported) {
        const std::string* const asked = settings->find(lower_case(name));
        if (asked == nullptr) continue;
        const std::string spelt = welcome_value(name, value, *settings);
        if (spelt != *asked) settings = session::with_setting(*settings, name, spelt);
    }
    return settings;
}

// "15.4 (Debian 15.4-1)", "18beta1": the number in front counts.
wire::ProtocolVersion protocol_of(std::string_view server_version)
{
    constexpr int first_with_long_keys = 18;
    int major = first_with_long_keys;
    std::from_chars(server_version.data(), server_version.data() + server_version.size(), major);
    return major < first_with_long_keys ? wire::ProtocolVersion{3, 0} : wire::protocol_version_max;
}

const std::vector<session::Settings::Entry>& console_parameters()
{
    static const std::vector<session::Settings::Entry> parameters{
        {"server_version", "15.0 (pgweir)"},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"DateStyle", "ISO, MDY"},
        {"TimeZone", "UTC"},
        {"integer_datetimes", "on"},
        {"standard_conforming_strings", "on"},
        {"application_name", ""},
        {"is_superuser", "off"},
    };
    return parameters;
}

} // namespace pgweir::net
