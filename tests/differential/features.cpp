#include "differential/features.hpp"

#include <algorithm>
#include <stdexcept>

namespace pgweir::differential {

FeatureSet FeatureSet::all()
{
    FeatureSet set;
    set.bits_.set();
    return set;
}

FeatureSet FeatureSet::parse(std::string_view text)
{
    FeatureSet set;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(','), text.size());
        std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const bool taken_out = word.starts_with('-');
        if (taken_out) word.remove_prefix(1);
        if (word == "all") {
            set = all();
            continue;
        }
        const auto* const found = std::ranges::find(feature_names, word);
        if (found == feature_names.end()) {
            throw std::runtime_error{"not a feature: " + std::string{word}};
        }
        set.bits_.set(static_cast<std::size_t>(found - feature_names.begin()), !taken_out);
    }
    if (set.empty()) throw std::runtime_error{"no features are left"};
    return set;
}

std::vector<Feature> FeatureSet::list() const
{
    std::vector<Feature> features;
    for (std::size_t i = 0; i < bits_.size(); ++i) {
        if (bits_[i]) features.push_back(static_cast<Feature>(i));
    }
    return features;
}

std::string FeatureSet::text() const
{
    if (bits_.all()) return "all";
    std::string names;
    for (std::size_t i = 0; i < bits_.size(); ++i) {
        if (!bits_[i]) continue;
        if (!names.empty()) names += ',';
        names += feature_names.at(i);
    }
    return names;
}

} // namespace pgweir::differential
