// Which server of several is wanted: libpq's rules of host lists and target_session_attrs. Pure.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/session/settings.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::net {

/// What a server is, as far as it has said so. PostgreSQL says it at login since version 14.
struct ServerRole {
    std::optional<bool> is_standby;
    std::optional<bool> is_read_only; // transactions are, unless they say otherwise
};
[[nodiscard]] ServerRole read_role(const std::vector<session::Settings::Entry>& parameters);

/// What a server that has not said it must be asked. Empty: nothing. Its one value goes to `take`.
[[nodiscard]] std::string_view role_question(SessionAttrs wanted, const ServerRole& role);
void take_role(ServerRole& role, SessionAttrs wanted, std::string_view value);

/// Why it is not wanted, in libpq's words. Empty: it is. `prefer_standby` wants a standby here.
[[nodiscard]] std::string_view objection(SessionAttrs wanted, const ServerRole& role);

/// In which order the hosts are tried: as they were written, but first the one that was right the
/// last time; or in any, if load_balance_hosts says so.
[[nodiscard]] std::vector<HostPort> host_order(
    const Upstream& upstream, const std::optional<HostPort>& last, std::uint64_t seed
);

/// When to give one host (or address) up: it may use its share of what is left, so that the others
/// are tried, too, and connect_timeout at most. `count` of them are left, this one included.
[[nodiscard]] TimePoint share_of(
    TimePoint now, TimePoint deadline, std::size_t count, Duration connect_timeout = {}
);

/// Which host of an upstream was right the last time, for all its pools.
class HostMemory {
public:
    [[nodiscard]] std::optional<HostPort> last(const Upstream& upstream) const;
    /// True: it was another one before.
    bool note(const Upstream& upstream, const HostPort& host);

private:
    using Key = std::pair<std::vector<HostPort>, SessionAttrs>;
    std::vector<std::pair<Key, HostPort>> known_; // few
};

} // namespace pgweir::net
