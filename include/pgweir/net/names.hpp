// What names of hosts mean. Names are asked on a thread of their own, by all connects together, and
// again and again: they may mean something else tomorrow.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/address.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/net/spawn.hpp>
#include <pgweir/net/waiters.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgweir::net {

struct Resolved {
    std::vector<Address> addresses;
    std::string problem;
};

/// Who is asked. May take as long as it likes, but must not block.
class NameSource {
public:
    NameSource() = default;
    virtual ~NameSource() = default;
    NameSource(const NameSource&) = delete;
    NameSource& operator=(const NameSource&) = delete;

    virtual Task<Resolved> look_up(HostPort host) = 0;
};

/// The system's resolver: /etc/hosts, DNS.
[[nodiscard]] std::unique_ptr<NameSource> system_names();

/// The directory of a unix socket, or an address: nobody need be asked. Empty: it is a name.
[[nodiscard]] std::optional<Resolved> resolve_literal(const HostPort& host);

/// All names that were ever asked for. Belongs to one io_context, and must outlive its tasks.
class Names {
public:
    /// A name means something else than it did: called after each look from then on, since who is
    /// told may have missed it.
    using Changed = std::function<void(const HostPort&, const std::vector<Address>&)>;

    Names(Executor executor, std::unique_ptr<NameSource> source)
        : tasks_{std::move(executor)}, source_{std::move(source)}
    {
    }

    void set_source(std::unique_ptr<NameSource> source) { source_ = std::move(source); }
    /// Zero: each connect asks.
    void set_ttl(Duration ttl) { ttl_ = ttl; }
    void set_changed(Changed changed) { changed_ = std::move(changed); }

    /// What is known, if it is not older than the ttl; else somebody is asked. When there is no
    /// answer, what was known before is still believed.
    Task<Resolved> find(HostPort host, TimePoint deadline);
    /// Asks now, without waiting for it.
    void look_again(const HostPort& host);
    /// False: the name means other addresses now.
    [[nodiscard]] bool is_current(const HostPort& host, const Address& address) const;

private:
    struct Entry {
        std::vector<Address> addresses; // of the last answer; empty: there was none
        std::string problem;            // of the last attempt
        TimePoint known_at{};
        bool is_asked = false; // right now
        bool has_changed = false;
        Waiters waiters;
    };

    void ask(const HostPort& host, Entry& entry);
    Task<void> look_up(HostPort host);
    void learn(const HostPort& host, Entry& entry, Resolved answer);

    Tasks tasks_;
    std::unique_ptr<NameSource> source_;
    Duration ttl_{};
    Changed changed_;
    std::map<std::pair<std::string, std::uint16_t>, Entry>
        entries_; // few; they stay where they are
};

} // namespace pgweir::net
