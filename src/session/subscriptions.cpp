#include <pgweir/session/subscriptions.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgweir::session {

void Subscriptions::add(const Channels& channels)
{
    for (const std::string& name : channels) ++counts_[name];
}

void Subscriptions::remove(const Channels& channels)
{
    for (const std::string& name : channels) {
        const auto found = counts_.find(name);
        if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    }
}

std::vector<std::string> Subscriptions::names() const
{
    std::vector<std::string> names;
    names.reserve(counts_.size());
    for (const auto& [name, count] : counts_) names.push_back(name);
    return names;
}

void Subscriptions::begin_round() { in_round_ = std::exchange(waiting_, {}); }

std::vector<Subscriber> Subscriptions::end_round() { return std::exchange(in_round_, {}); }

std::vector<Subscriber> Subscriptions::break_round()
{
    std::vector<Subscriber> all = std::exchange(in_round_, {});
    std::ranges::move(waiting_, std::back_inserter(all));
    waiting_.clear();
    std::vector<Subscriber> others;
    for (const Subscriber& each : all) (each.request != 0 ? waiting_ : others).push_back(each);
    return others;
}

} // namespace pgweir::session
