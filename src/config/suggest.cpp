#include <pgweir/config/suggest.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace pgweir::config {

namespace {

// Levenshtein: how many letters must be changed, added or removed.
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0U);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

} // namespace

std::string closest(std::string_view word, std::span<const std::string> candidates)
{
    constexpr std::size_t word_size_max = 200; // a typo is short; the work grows with the square
    if (word.size() > word_size_max) return {};

    std::string best;
    std::size_t best_distance = 1 + std::min<std::size_t>(3, 1 + word.size() / 6);
    for (const std::string& candidate : candidates) {
        const std::size_t d = distance(word, candidate);
        if (d >= best_distance) continue;
        best = candidate;
        best_distance = d;
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates)
{
    const std::string meant = closest(word, candidates);
    return meant.empty() ? "" : "; did you mean " + meant + "?";
}

} // namespace pgweir::config
