#include <pgweir/session/prepared_cache.hpp>

namespace pgweir::session {

PreparedCache::Entry* PreparedCache::find(const StatementId& id)
{
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
}

void PreparedCache::add(
    const StatementId& id, std::uint64_t segment, std::string_view client_name
)
{
    entries_[id] = Entry{++clock_, false, segment, std::string{client_name}};
}

void PreparedCache::add_confirmed(const StatementId& id)
{
    entries_[id] = Entry{++clock_, true, 0, {}};
}

void PreparedCache::confirm(const StatementId& id)
{
    if (Entry* const entry = find(id)) {
        entry->is_confirmed = true;
        entry->client_name.clear();
    }
}

// A walk over the entries, but only when there is one too many: after a Parse, which costs the
// server a hundred times as much.
std::optional<StatementId> PreparedCache::surplus(std::size_t max) const
{
    if (entries_.size() <= max) return std::nullopt;
    std::optional<StatementId> oldest;
    std::uint64_t oldest_use = 0;
    for (const auto& [id, entry] : entries_) {
        if (!entry.is_confirmed || (oldest && entry.last_used >= oldest_use)) continue;
        oldest = id;
        oldest_use = entry.last_used;
    }
    return oldest;
}

} // namespace pgweir::session
