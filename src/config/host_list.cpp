#include <pgweir/config/host_list.hpp>

#include <charconv>
#include <memory>
#include <netdb.h>
#include <system_error>
#include <utility>

namespace pgweir::config {

namespace {

// "a,,b" has three parts, and "" has one: places that libpq fills with defaults.
std::vector<std::string> split(const std::string& list)
{
    std::vector<std::string> parts(1);
    for (const char c : list) {
        if (c == ',') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

std::uint16_t read_port(const std::string& text, std::vector<std::string>& problems)
{
    if (text.empty()) return net::HostPort{}.port;
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc{} || rest != end || port == 0) {
        problems.emplace_back("port must be between 1 and 65535");
    }
    return port;
}

// Also with a zone, as in fe80::1%eth0, which inet_pton() does not know.
bool is_address(const std::string& text)
{
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    addrinfo* results = nullptr;
    if (::getaddrinfo(text.c_str(), nullptr, &hints, &results) != 0) return false;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{results, &::freeaddrinfo};
    return true;
}

std::string count(std::size_t number, const char* what)
{
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

} // namespace

std::vector<net::HostPort> read_host_lists(
    const HostLists& lists, std::vector<std::string>& problems
)
{
    const auto addresses = split(lists.hostaddr);
    const auto ports = split(lists.port);
    auto names = split(lists.host);
    const bool has_addresses = !lists.hostaddr.empty();
    if (lists.host.empty()) names.resize(addresses.size());
    if (has_addresses && names.size() != addresses.size()) {
        problems.push_back(
            "has " + count(names.size(), "host") + ", but " + std::to_string(addresses.size())
            + " in hostaddr"
        );
        return {};
    }
    if (ports.size() > 1 && ports.size() != names.size()) {
        problems.push_back(
            "has " + count(names.size(), "host") + ", but " + count(ports.size(), "port")
        );
        return {};
    }
    std::vector<net::HostPort> hosts;
    for (std::size_t i = 0; i < names.size(); ++i) {
        net::HostPort& host = hosts.emplace_back();
        host.port = read_port(ports.size() > 1 ? ports[i] : ports[0], problems);
        host.address = has_addresses ? addresses[i] : "";
        host.host = std::move(names[i]);
        if (host.host.starts_with('@')) {
            problems.emplace_back("abstract unix sockets are not supported");
        }
        if (!host.address.empty() && !is_address(host.address)) {
            problems.push_back("hostaddr must be an address, is \"" + host.address + '"');
        }
        if (host.host.empty()) host.host = std::exchange(host.address, {});
        if (host.host.empty()) host.host = default_host;
    }
    return hosts;
}

} // namespace pgweir::config
