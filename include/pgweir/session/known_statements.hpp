// Statements that PostgreSQL has parsed for this pool: whoever only wants to prepare one of them
// needs no server for it.
#pragma once

#include <pgweir/session/statement.hpp>

#include <cstddef>
#include <unordered_set>

namespace pgweir::session {

/// Forgets everything when a table, type or function may have changed.
class KnownStatements {
public:
    [[nodiscard]] bool contains(const StatementId& id) const { return ids_.contains(id); }

    void insert(const StatementId& id)
    {
        constexpr std::size_t count_max = 20'000;

        if (ids_.size() >= count_max) ids_.clear();
        ids_.insert(id);
    }

    void clear() { ids_.clear(); }

private:
    std::unordered_set<StatementId, StatementIdHash> ids_;
};

} // namespace pgweir::session
