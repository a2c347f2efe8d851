#include <pgweir/config/address.hpp>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace pgweir::config {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return port;
}

net::ListenAddress parse_directory(std::string_view text)
{
    net::ListenAddress address;
    const auto colon = text.rfind(':');
    const auto port = colon == text.npos ? std::nullopt : parse_port(text.substr(colon + 1));
    if (port) address.port = *port;
    address.directory = text.substr(0, port ? colon : text.npos);
    return address;
}

} // namespace

std::optional<net::ListenAddress> parse_address(std::string_view text)
{
    if (text.starts_with('/')) return parse_directory(text);

    const auto colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;

    std::string_view host = text.substr(0, colon);
    const bool in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets) host = host.substr(1, host.size() - 2);
    if (host.empty() || host.find_first_of("[]*/ ") != host.npos) return std::nullopt;
    // Without brackets nobody can tell where an IPv6 address ends.
    if (!in_brackets && host.find(':') != host.npos) return std::nullopt;
    return net::ListenAddress{.host = std::string{host}, .port = *port, .directory = {}};
}

std::string format_address(const net::ListenAddress& address)
{
    const std::string port = ":" + std::to_string(address.port);
    if (!address.directory.empty()) {
        return address.port == net::ListenAddress{}.port ? address.directory
                                                         : address.directory + port;
    }
    const bool is_ipv6 = address.host.find(':') != address.host.npos;
    return is_ipv6 ? "[" + address.host + "]" + port : address.host + port;
}

} // namespace pgweir::config
