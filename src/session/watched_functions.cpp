#include <pgweir/session/watched_functions.hpp>

#include "sql_characters.hpp"

#include <algorithm>

namespace pgweir::session {

namespace {

// Whether a name, in lower case, stands before a word in any case.
bool is_before(std::string_view name, std::string_view word)
{
    const std::size_t size = std::min(name.size(), word.size());
    for (std::size_t i = 0; i < size; ++i) {
        const auto a = static_cast<unsigned char>(name[i]);
        const auto b = static_cast<unsigned char>(sql::lower(word[i]));
        if (a != b) return a < b;
    }
    return name.size() < word.size();
}

} // namespace

void WatchedFunctions::add(std::string_view name, Traits traits)
{
    if (name.empty()) return;
    std::string folded;
    for (const char c : name) folded += sql::lower(c);
    auto place = entries_.begin();
    while (place != entries_.end() && place->first < folded) ++place;
    if (place != entries_.end() && place->first == folded) {
        place->second |= traits;
        return;
    }
    endings_ |= ending_bit(folded.back());
    entries_.emplace(place, std::move(folded), traits);
}

Traits WatchedFunctions::find(std::string_view word) const
{
    std::size_t low = 0;
    std::size_t high = entries_.size();
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (is_before(entries_[middle].first, word)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == entries_.size() || !sql::same_word(word, entries_[low].first)) return {};
    return entries_[low].second;
}

} // namespace pgweir::session
