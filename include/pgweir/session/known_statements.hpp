// Statements that PostgreSQL has parsed for this pool under certain settings: whoever only wants
// to prepare one of them needs no server for it.
#pragma once

#include <pgweir/session/statement.hpp>

#include <cstddef>
#include <cstdint>
#include <unordered_set>

namespace pgweir::session {

/// Forgets everything when a table, type or function may have changed.
class KnownStatements {
public:
    [[nodiscard]] bool contains(const StatementId& id, std::uint64_t settings_hash) const
    {
        return keys_.contains(mix(id, settings_hash));
    }

    void insert(const StatementId& id, std::uint64_t settings_hash)
    {
        constexpr std::size_t count_max = 20'000;

        if (keys_.size() >= count_max) keys_.clear();
        keys_.insert(mix(id, settings_hash));
    }

    void clear() { keys_.clear(); }

private:
    [[nodiscard]] static StatementId mix(const StatementId& id, std::uint64_t settings_hash)
    {
        return {id.high, id.low ^ settings_hash};
    }

    std::unordered_set<StatementId, StatementIdHash> keys_;
};

} // namespace pgweir::session
