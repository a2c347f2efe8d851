// Which statements one server connection has prepared, and which of them to drop first.
#pragma once

#include <pgweir/session/statement.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgweir::session {

class PreparedCache {
public:
    struct Entry {
        std::uint64_t last_used;
        bool is_confirmed;       // ParseComplete has come
        std::uint64_t sent_in;   // until then: the Sync segment in which Parse was sent
        std::string client_name; // until then: whose Parse it was; empty: ours
    };

    [[nodiscard]] Entry* find(const StatementId& id);
    void touch(Entry& entry) { entry.last_used = ++clock_; }

    void add(const StatementId& id, std::uint64_t segment, std::string_view client_name);
    void add_confirmed(const StatementId& id);
    void confirm(const StatementId& id);
    void remove(const StatementId& id) { entries_.erase(id); }
    void clear() { entries_.clear(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    /// The least recently used one that is certainly there, once there are more than `max`.
    [[nodiscard]] std::optional<StatementId> surplus(std::size_t max) const;

private:
    std::unordered_map<StatementId, Entry, StatementIdHash> entries_;
    std::uint64_t clock_ = 0;
};

} // namespace pgweir::session
