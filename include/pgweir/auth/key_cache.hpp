// Remembers what PBKDF2 made of a password, so that a pool pays for it once and not per connection.
#pragma once

#include <pgweir/auth/verifier.hpp>
#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace pgweir::auth {

/// Least recently used goes first. May be used from any thread. Holds keys, never passwords.
class KeyCache {
public:
    struct Stats {
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::size_t entries = 0;

        friend bool operator==(const Stats&, const Stats&) = default;
    };

    explicit KeyCache(std::size_t entries_max = 1'024);

    /// What derive_scram_keys() returns. A miss takes milliseconds, with the lock not held: two
    /// threads that miss together both work, and neither waits for the other.
    /// Only for passwords that are ours: guesses of strangers would push out the real ones.
    [[nodiscard]] ScramKeys get(std::string_view password, Bytes salt, std::uint32_t iterations);

    [[nodiscard]] Stats stats() const;

private:
    struct Entry {
        Digest id;
        ScramKeys keys;
    };
    struct IdHash {
        std::size_t operator()(const Digest& id) const noexcept
        {
            std::size_t hash = 0; // of a SHA-256: any part is as good as the whole
            std::memcpy(&hash, id.data(), sizeof hash);
            return hash;
        }
    };

    [[nodiscard]] std::optional<ScramKeys> find(const Digest& id);
    void keep(const Digest& id, const ScramKeys& keys);

    const std::size_t entries_max_;
    mutable std::mutex mutex_; // guards everything below
    std::list<Entry> entries_; // most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator, IdHash> index_;
    Stats stats_;
};

} // namespace pgweir::auth
