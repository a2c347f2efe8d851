#include <pgweir/session/knowledge.hpp>

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

// True: it is new. There is an end to what is kept.
bool add_name(std::vector<std::string>& names, std::string_view name)
{
    constexpr std::size_t count_max = 200;
    const bool is_known = std::ranges::find(names, name) != names.end();
    if (is_known || names.size() >= count_max) return false;
    names.emplace_back(name);
    return true;
}

} // namespace

void FunctionParts::add(std::string_view name, Parts parts)
{
    if (name.empty()) return;
    std::string folded;
    for (const char c : name) folded += sql::lower(c);
    const auto place = std::ranges::lower_bound(entries_, folded, {}, [](const auto& entry) {
        return std::string_view{entry.first};
    });
    if (place != entries_.end() && place->first == folded) {
        place->second |= parts;
    } else {
        entries_.emplace(place, std::move(folded), parts);
    }
}

Parts FunctionParts::find(std::string_view word) const
{
    const auto place = std::partition_point(
        entries_.begin(),
        entries_.end(),
        [&](const auto& entry) { return is_before(entry.first, word); }
    );
    if (place == entries_.end() || !sql::same_word(word, place->first)) return {};
    return place->second;
}

const std::string* Catalog::find_custom_default(std::string_view name) const
{
    const auto found = std::ranges::find(custom_defaults, name, &Settings::Entry::first);
    return found != custom_defaults.end() ? &found->second : nullptr;
}

void Knowledge::add_custom(std::string_view name)
{
    const auto may_be_in_name = [](char c) { return c == '.' || sql::is(c, sql::word); };
    if (!std::ranges::all_of(name, may_be_in_name)) return;
    if (add_name(customs, name)) has_news = true;
}

void Knowledge::add_sequence_reader(std::string_view application)
{
    if (add_name(sequence_readers, application)) has_news = true;
}

bool Knowledge::reads_sequences(std::string_view application) const
{
    return std::ranges::find(sequence_readers, application) != sequence_readers.end();
}

} // namespace pgweir::session
