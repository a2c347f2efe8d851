#include <pgweir/net/names.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstring>
#include <netdb.h>

namespace pgweir::net {

using Clock = std::chrono::steady_clock;

namespace {

class SystemNames final : public NameSource {
public:
    Task<Resolved> look_up(HostPort host) override
    {
        using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
        Resolver resolver{co_await asio::this_coro::executor};
        const auto [error, results] = co_await resolver.async_resolve(
            host.host, std::to_string(host.port), use_task
        );
        Resolved resolved;
        if (error) resolved.problem = error.message();
        for (const auto& entry : results) {
            const auto endpoint = entry.endpoint();
            Address address;
            address.size = static_cast<socklen_t>(endpoint.size());
            std::memcpy(&address.storage, endpoint.data(), endpoint.size());
            resolved.addresses.push_back(address);
        }
        co_return resolved;
    }
};

bool has(const std::vector<Address>& addresses, const Address& one)
{
    return std::ranges::find(addresses, one) != addresses.end();
}

bool are_same(const std::vector<Address>& some, const std::vector<Address>& others)
{
    const auto are_in = [](const auto& these, const auto& those) {
        return std::ranges::all_of(these, [&](const Address& each) { return has(those, each); });
    };
    return are_in(some, others) && are_in(others, some);
}

} // namespace

std::unique_ptr<NameSource> system_names() { return std::make_unique<SystemNames>(); }

std::optional<Resolved> resolve_literal(const HostPort& host)
{
    Resolved resolved;
    if (host.address.empty() && host.host.starts_with('/')) {
        const Address address = Address::unix_socket(host.host, host.port);
        if (address.size > 0) {
            resolved.addresses.push_back(address);
        } else {
            resolved.problem = "the path of unix socket directory \"" + host.host
                               + "\" is too long";
        }
        return resolved;
    }
    const std::string& text = host.address.empty() ? host.host : host.address;
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* results = nullptr;
    const std::string port = std::to_string(host.port);
    if (::getaddrinfo(text.c_str(), port.c_str(), &hints, &results) != 0) return std::nullopt;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{results, &::freeaddrinfo};
    Address& address = resolved.addresses.emplace_back();
    address.size = results->ai_addrlen;
    std::memcpy(&address.storage, results->ai_addr, results->ai_addrlen);
    return resolved;
}

Task<Resolved> Names::find(HostPort host, TimePoint deadline)
{
    if (auto literal = resolve_literal(host)) co_return std::move(*literal);
    Entry& entry = entries_[{host.host, host.port}];
    const TimePoint started = Clock::now();
    const bool is_known = !entry.addresses.empty();
    if (is_known && started < entry.known_at + ttl_) co_return Resolved{entry.addresses, {}};

    if (!entry.is_asked) ask(host, entry);
    // Time must be left to connect to what was known before.
    if (is_known) deadline = started + (deadline - started) / 2;
    while (entry.is_asked && Clock::now() < deadline) {
        co_await entry.waiters.wait(tasks_.executor(), deadline);
    }
    Resolved resolved{entry.addresses, {}};
    if (resolved.addresses.empty()) {
        const std::string why = entry.is_asked ? "no answer in time" : entry.problem;
        resolved.problem = "could not translate host name \"" + host.host + "\": " + why;
    }
    co_return resolved;
}

void Names::look_again(const HostPort& host)
{
    if (resolve_literal(host)) return;
    Entry& entry = entries_[{host.host, host.port}];
    if (!entry.is_asked) ask(host, entry);
}

bool Names::is_current(const HostPort& host, const Address& address) const
{
    const auto found = entries_.find({host.host, host.port});
    if (!host.address.empty() || found == entries_.end()) return true;
    const std::vector<Address>& addresses = found->second.addresses;
    return addresses.empty() || has(addresses, address);
}

void Names::ask(const HostPort& host, Entry& entry)
{
    entry.is_asked = true;
    tasks_.spawn("look_up", look_up(host));
}

Task<void> Names::look_up(HostPort host)
{
    Resolved answer = co_await source_->look_up(host);
    Entry& entry = entries_[{host.host, host.port}];
    entry.is_asked = false;
    learn(host, entry, std::move(answer));
    entry.waiters.wake();
}

// A look that has failed changes nothing: it is DNS that is ill then, and not the database.
void Names::learn(const HostPort& host, Entry& entry, Resolved answer)
{
    entry.problem = std::move(answer.problem);
    if (answer.addresses.empty()) return;
    entry.known_at = Clock::now();
    if (!entry.addresses.empty() && !are_same(entry.addresses, answer.addresses)) {
        entry.has_changed = true;
    }
    entry.addresses = std::move(answer.addresses);
    if (entry.has_changed && changed_) changed_(host, entry.addresses);
}

} // namespace pgweir::net
