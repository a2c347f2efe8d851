#include <pgweir/session/listening.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace pgweir::session {

Listening::Change Listening::want(const Channels& channels)
{
    Change change{without(channels, wanted_), without(wanted_, channels)};
    wanted_ = channels;
    taken_ = common(taken_, channels);
    heard_ = common(heard_, channels);
    for (Cut& cut : cuts_) cut.channels = common(cut.channels, channels);
    inbox.keep_only(channels);
    if (!change.more.empty()) {
        ++request_;
        is_granted_ = false;
    }
    return change;
}

std::string Listening::new_name()
{
    return std::to_string(static_cast<std::uint64_t>(client_)) + '.'
           + std::to_string(++name_count_);
}

// Nobody needs to wait until the disk has it.
std::string Listening::cut_sql()
{
    cut_name_ = new_name();
    return "SET LOCAL synchronous_commit TO off; LISTEN \"" + cut_channel_ + "\"; NOTIFY \""
           + cut_channel_ + "\", '" + cut_name_ + '\'';
}

std::string Listening::end_of_cut_sql() const { return "UNLISTEN \"" + cut_channel_ + '"'; }

std::string Listening::cut_here()
{
    std::string name = new_name();
    took_at(name);
    return name;
}

void Listening::took_at(std::string name)
{
    const bool was_first = name != listener_cut_name_;
    if (was_first) cuts_.push_back({std::move(name), without(wanted_, taken_)});
    taken_ = wanted_;
}

void Listening::take_all()
{
    taken_ = wanted_;
    heard_ = wanted_;
    cuts_.clear();
    cut_name_.clear();
    inbox.note_missed();
}

Listening::Hearing Listening::hear_server(std::string_view channel, std::string_view payload)
{
    if (channel == cut_channel_) {
        if (payload == cut_name_) took_at(std::exchange(cut_name_, {}));
        return Hearing::dropped;
    }
    return contains(taken_, channel) ? Hearing::dropped : Hearing::passed;
}

void Listening::cut_came(std::string_view name)
{
    if (!name.empty() && name == cut_name_) { // before the server: what follows waits in the inbox
        listener_cut_name_ = name;
        heard_ = together(heard_, wanted_);
        return;
    }
    const auto cut = std::ranges::find(cuts_, name, &Cut::name);
    if (cut == cuts_.end()) return;
    heard_ = together(heard_, cut->channels);
    cuts_.erase(cut);
}

void Listening::reopened()
{
    if (taken_.empty()) return;
    heard_ = taken_;
    cuts_.clear();
    inbox.note_missed();
}

ClientId client_of_cut(std::string_view name)
{
    std::uint64_t id = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), id);
    return read.ec == std::errc{} ? ClientId{id} : ClientId{};
}

} // namespace pgweir::session
