#include <pgweir/session/audience.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::session {

void Audience::join(Listening& listening)
{
    members_.emplace(listening.client(), &listening);
    if (std::exchange(listening.has_joined, true)) catch_up(listening);
    listening.seen = std::max(listening.seen, seen_);
    update(listening);
}

void Audience::leave(Listening& listening)
{
    forget(listening);
    members_.erase(listening.client());
    listening.seen = std::max(listening.seen, seen_);
}

void Audience::forget(Listening& listening)
{
    for (const std::string& channel : listening.indexed) {
        const auto found = by_channel_.find(channel);
        std::erase(found->second, &listening);
        if (found->second.empty()) by_channel_.erase(found);
    }
    listening.indexed.clear();
}

void Audience::update(Listening& listening)
{
    if (listening.indexed == listening.heard()) return;
    forget(listening);
    listening.indexed = listening.heard();
    for (const std::string& channel : listening.indexed) {
        by_channel_[channel].push_back(&listening);
    }
}

Audience::Result Audience::take(const EventsRef& events)
{
    Result result;
    for (const Event& event : *events) {
        seen_ = event.number;
        switch (event.kind) {
        case Event::Kind::notification: tell(events, event, result); break;
        case Event::Kind::cut: tell_cut(event); break;
        case Event::Kind::reopened: tell_all(result); break;
        }
    }
    keep(events);
    std::ranges::sort(result.clients);
    const auto [first, last] = std::ranges::unique(result.clients);
    result.clients.erase(first, last);
    return result;
}

void Audience::tell(const EventsRef& events, const Event& event, Result& result)
{
    const auto found = by_channel_.find(event.notification.channel);
    if (found == by_channel_.end()) return;
    for (Listening* const listening : found->second) {
        if (event.number <= listening->seen) continue; // its last worker has told it
        result.dropped += listening->inbox.push({events, &event.notification});
        result.clients.push_back(listening->client());
    }
}

void Audience::tell_cut(const Event& event)
{
    const auto found = members_.find(client_of_cut(event.notification.payload));
    if (found == members_.end()) return;
    found->second->cut_came(event.notification.payload);
    update(*found->second);
}

void Audience::tell_all(Result& result)
{
    ++reopenings_;
    for (const auto& [client, listening] : members_) {
        if (seen_ <= listening->seen) continue;
        listening->reopened();
        update(*listening);
        result.clients.push_back(client);
    }
}

// It has no cut under way: whoever has does not move.
void Audience::catch_up(Listening& listening)
{
    const bool has_gap = kept_.empty() ? seen_ > listening.seen
                                       : kept_.front()->front().number > listening.seen + 1;
    if (has_gap) listening.inbox.note_missed();
    for (const EventsRef& events : kept_) {
        for (const Event& event : *events) {
            if (event.number <= listening.seen) continue;
            if (event.kind == Event::Kind::reopened) listening.reopened();
            const bool concerns_it = event.kind == Event::Kind::notification
                                     && contains(listening.heard(), event.notification.channel);
            if (concerns_it) listening.inbox.push({events, &event.notification});
        }
    }
}

void Audience::keep(const EventsRef& events)
{
    kept_.push_back(events);
    kept_count_ += events->size();
    while (kept_count_ > kept_max && kept_.size() > 1) {
        kept_count_ -= kept_.front()->size();
        kept_.pop_front();
    }
}

} // namespace pgweir::session
