// Which statements one server connection has prepared, and which of them to drop first.
#pragma once

#include <pgweir/session/shape.hpp>
#include <pgweir/session/statement.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgweir::session {

class PreparedCache {
public:
    struct Entry {
        std::uint64_t last_used;
        bool is_confirmed;            // ParseComplete has come
        std::uint64_t sent_in;        // until then: the Sync segment in which Parse was sent
        std::string client_name;      // until then: whose Parse it was; empty: ours
        std::uint64_t epoch;          // of the schema that it was parsed under
        Shape shape = shape_untold;   // of its rows, as the server has told it
        std::uint64_t checked_in = 0; // the segment in which we have asked for that
    };

    [[nodiscard]] Entry* find(const StatementId& id);
    void touch(Entry& entry) { entry.last_used = ++clock_; }

    Entry& add(const StatementId& id, std::uint64_t segment, std::string_view client_name);
    void add_confirmed(const StatementId& id);
    void confirm(const StatementId& id);
    void remove(const StatementId& id) { entries_.erase(id); }

    /// Close is sent for it, in this Sync segment.
    void close(const StatementId& id, std::uint64_t segment);
    void closed(const StatementId& id);
    /// A Close was sent in an earlier segment, and may yet be skipped.
    [[nodiscard]] bool is_closing(const StatementId& id, std::uint64_t segment) const;

    /// Something of its name may stand on the server though it is not here: close it first.
    void suspect(const StatementId& id);
    [[nodiscard]] bool is_suspect(const StatementId& id) const;
    /// Nothing of its name stands there.
    void forget(const StatementId& id);

    /// What stands there, or may.
    [[nodiscard]] std::vector<StatementId> ids() const;
    [[nodiscard]] const std::vector<StatementId>& suspects() const { return suspects_; }

    /// DEALLOCATE ALL is answered. What is not confirmed by then was parsed behind it, and stays.
    void clear()
    {
        std::erase_if(entries_, [](const auto& each) { return each.second.is_confirmed; });
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    /// Tables or the like have changed: what is there may have another result type now.
    void schema_changed() { ++epoch_; }
    [[nodiscard]] bool is_stale(const Entry& entry) const { return entry.epoch != epoch_; }

    /// The least recently used one that is certainly there, once there are more than `max`. Never
    /// `used`: the message that needs it is still to be sent.
    [[nodiscard]] std::optional<StatementId> surplus(
        std::size_t max, const StatementId* used = nullptr
    ) const;

private:
    std::unordered_map<StatementId, Entry, StatementIdHash> entries_;
    std::vector<std::pair<StatementId, std::uint64_t>> closing_; // and the segment of the Close
    std::vector<StatementId> suspects_;
    std::uint64_t clock_ = 0;
    std::uint64_t epoch_ = 0;
};

} // namespace pgweir::session
