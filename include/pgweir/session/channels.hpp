// The channels of LISTEN that a session has. Values that never change, as Settings.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::session {

using Channels = std::vector<std::string>; // sorted, each once
/// Never of none: that is null, and costs those who never LISTEN a comparison.
using ChannelsRef = std::shared_ptr<const Channels>;

[[nodiscard]] ChannelsRef make_channels(std::vector<std::string> names);
[[nodiscard]] const Channels& all_of(const ChannelsRef& channels);
[[nodiscard]] bool same_channels(const ChannelsRef& a, const ChannelsRef& b);

[[nodiscard]] bool contains(const Channels& channels, std::string_view name);
[[nodiscard]] bool contains_all(const Channels& channels, const Channels& others);
[[nodiscard]] Channels without(const Channels& channels, const Channels& others);
[[nodiscard]] Channels common(const Channels& channels, const Channels& others);
[[nodiscard]] Channels together(const Channels& channels, const Channels& others);

/// The SQL that turns a session with `from` into one with `to`. Empty: there is nothing to do.
[[nodiscard]] std::string listen_sql(const Channels& from, const Channels& to);

} // namespace pgweir::session
