// What the classes of a pool's transactions look like, for people.
#pragma once

#include <pgweir/pool/lanes.hpp>

#include <cstddef>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::net {

/// Noted when a worker meets one that it has not met, or has forgotten: hence a lock. Bounded: the
/// oldest goes.
class ClassNotes {
public:
    struct Note {
        pool::ClassId id{};
        std::string application;
        std::string statement; // without its literals
    };

    static constexpr std::size_t size_max = 1'024;

    [[nodiscard]] bool contains(pool::ClassId id, std::string_view application) const;
    void add(Note note);
    [[nodiscard]] std::vector<Note> read() const;

private:
    using Key = std::pair<pool::ClassId, std::string>;

    mutable std::mutex mutex_;
    std::deque<Note> notes_; // in the order of their coming
    std::set<Key> known_;
};

} // namespace pgweir::net
