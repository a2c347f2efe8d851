#include <pgweir/session/prepared_cache.hpp>

#include <algorithm>

namespace pgweir::session {

PreparedCache::Entry* PreparedCache::find(const StatementId& id)
{
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
}

PreparedCache::Entry& PreparedCache::add(
    const StatementId& id, std::uint64_t segment, std::string_view client_name
)
{
    return entries_[id] = Entry{++clock_, false, segment, std::string{client_name}, epoch_};
}

void PreparedCache::add_confirmed(const StatementId& id)
{
    closed(id);
    entries_[id] = Entry{++clock_, true, 0, {}, epoch_};
}

void PreparedCache::close(const StatementId& id, std::uint64_t segment)
{
    entries_.erase(id);
    closing_.emplace_back(id, segment);
}

void PreparedCache::closed(const StatementId& id)
{
    const auto found = std::ranges::find(closing_, id, [](const auto& one) { return one.first; });
    if (found != closing_.end()) closing_.erase(found);
}

bool PreparedCache::is_closing(const StatementId& id, std::uint64_t segment) const
{
    return std::ranges::any_of(closing_, [&](const auto& one) {
        return one.first == id && one.second != segment;
    });
}

void PreparedCache::suspect(const StatementId& id)
{
    if (!is_suspect(id)) suspects_.push_back(id);
}

bool PreparedCache::is_suspect(const StatementId& id) const
{
    return std::ranges::find(suspects_, id) != suspects_.end();
}

void PreparedCache::forget(const StatementId& id)
{
    entries_.erase(id);
    std::erase(suspects_, id);
}

std::vector<StatementId> PreparedCache::ids() const
{
    std::vector<StatementId> ids;
    ids.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) ids.push_back(id);
    return ids;
}

void PreparedCache::confirm(const StatementId& id)
{
    std::erase(suspects_, id);
    if (Entry* const entry = find(id)) {
        entry->is_confirmed = true;
        entry->client_name.clear();
    }
}

// A walk over the entries, but only when there is one too many: after a Parse, which costs the
// server a hundred times as much.
std::optional<StatementId> PreparedCache::surplus(std::size_t max, const StatementId* used) const
{
    if (entries_.size() <= max) return std::nullopt;
    std::optional<StatementId> oldest;
    std::uint64_t oldest_use = 0;
    for (const auto& [id, entry] : entries_) {
        if (!entry.is_confirmed || (used != nullptr && id == *used)) continue;
        if (oldest && entry.last_used >= oldest_use) continue;
        oldest = id;
        oldest_use = entry.last_used;
    }
    return oldest;
}

} // namespace pgweir::session
