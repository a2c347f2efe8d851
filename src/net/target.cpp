#include <pgweir/net/target.hpp>

#include <algorithm>
#include <random>

namespace pgweir::net {

namespace {

constexpr bool is_yes(std::string_view value) { return value == "on" || value == "t"; }

bool is_about_read_only(SessionAttrs wanted)
{
    return wanted == SessionAttrs::read_write || wanted == SessionAttrs::read_only;
}

} // namespace

ServerRole read_role(const std::vector<session::Settings::Entry>& parameters)
{
    ServerRole role;
    std::optional<bool> is_default;
    for (const auto& [name, value] : parameters) {
        if (name == "in_hot_standby") role.is_standby = is_yes(value);
        if (name == "default_transaction_read_only") is_default = is_yes(value);
    }
    if (role.is_standby && is_default) role.is_read_only = *role.is_standby || *is_default;
    return role;
}

std::string_view role_question(SessionAttrs wanted, const ServerRole& role)
{
    if (wanted == SessionAttrs::any) return {};
    if (is_about_read_only(wanted)) return role.is_read_only ? "" : "SHOW transaction_read_only";
    return role.is_standby ? "" : "SELECT pg_catalog.pg_is_in_recovery()";
}

void take_role(ServerRole& role, SessionAttrs wanted, std::string_view value)
{
    (is_about_read_only(wanted) ? role.is_read_only : role.is_standby) = is_yes(value);
}

std::string_view objection(SessionAttrs wanted, const ServerRole& role)
{
    switch (wanted) {
    case SessionAttrs::any: return {};
    case SessionAttrs::read_write:
        return role.is_read_only.value_or(false) ? "session is read-only" : "";
    case SessionAttrs::read_only:
        return role.is_read_only.value_or(false) ? "" : "session is not read-only";
    case SessionAttrs::primary:
        return role.is_standby.value_or(false) ? "server is in hot standby mode" : "";
    case SessionAttrs::standby:
    case SessionAttrs::prefer_standby:
        return role.is_standby.value_or(false) ? "" : "server is not in hot standby mode";
    }
    return {};
}

std::vector<HostPort> host_order(
    const Upstream& upstream, const std::optional<HostPort>& last, std::uint64_t seed
)
{
    std::vector<HostPort> hosts = upstream.hosts;
    if (upstream.balances_hosts) {
        std::ranges::shuffle(hosts, std::mt19937_64{seed});
    } else if (last) {
        const auto found = std::ranges::find(hosts, *last);
        if (found != hosts.end()) std::rotate(hosts.begin(), found, std::next(found));
    }
    return hosts;
}

TimePoint share_of(TimePoint now, TimePoint deadline, std::size_t count, Duration connect_timeout)
{
    const Duration left = std::max(deadline - now, Duration::zero());
    const Duration share = left / static_cast<Duration::rep>(std::max<std::size_t>(count, 1));
    const bool is_limited = connect_timeout > Duration::zero();
    return now + (is_limited ? std::min(share, connect_timeout) : share);
}

std::optional<HostPort> HostMemory::last(const Upstream& upstream) const
{
    for (const auto& [key, host] : known_) {
        if (key.first == upstream.hosts && key.second == upstream.target_session_attrs) return host;
    }
    return std::nullopt;
}

bool HostMemory::note(const Upstream& upstream, const HostPort& host)
{
    for (auto& [key, known] : known_) {
        if (key.first != upstream.hosts || key.second != upstream.target_session_attrs) continue;
        const bool is_other = known != host;
        known = host;
        return is_other;
    }
    known_.push_back({{upstream.hosts, upstream.target_session_attrs}, host});
    return false;
}

} // namespace pgweir::net
