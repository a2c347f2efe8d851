#include <pgweir/auth/key_cache.hpp>

#include <pgweir/auth/crypto.hpp>
#include <pgweir/base/assert.hpp>

namespace pgweir::auth {

namespace {

Digest make_id(std::string_view password, Bytes salt, std::uint32_t iterations)
{
    Buffer text(2 * sizeof(std::uint32_t));
    store_be32(text.data(), iterations);
    // The size, so that salt and password cannot trade bytes.
    store_be32(text.data() + sizeof(std::uint32_t), static_cast<std::uint32_t>(salt.size()));
    append(text, salt);
    append(text, as_bytes(password));
    return sha256(text);
}

} // namespace

KeyCache::KeyCache(std::size_t entries_max) : entries_max_{entries_max}
{
    PGWEIR_ASSERT(entries_max > 0);
}

ScramKeys KeyCache::get(std::string_view password, Bytes salt, std::uint32_t iterations)
{
    const Digest id = make_id(password, salt, iterations);
    if (const auto known = find(id)) return *known;

    const ScramKeys keys = derive_scram_keys(password, salt, iterations);
    keep(id, keys);
    return keys;
}

KeyCache::Stats KeyCache::stats() const
{
    const std::scoped_lock lock{mutex_};
    Stats stats = stats_;
    stats.entries = entries_.size();
    return stats;
}

std::optional<ScramKeys> KeyCache::find(const Digest& id)
{
    const std::scoped_lock lock{mutex_};
    const auto found = index_.find(id);
    if (found == index_.end()) {
        ++stats_.misses;
        return std::nullopt;
    }

    ++stats_.hits;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->keys;
}

void KeyCache::keep(const Digest& id, const ScramKeys& keys)
{
    const std::scoped_lock lock{mutex_};
    if (index_.contains(id)) return; // another thread was faster

    if (entries_.size() == entries_max_) {
        index_.erase(entries_.back().id);
        entries_.pop_back();
    }
    entries_.push_front({.id = id, .keys = keys});
    index_.emplace(id, entries_.begin());
}

} // namespace pgweir::auth
