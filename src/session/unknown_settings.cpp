#include <pgweir/session/unknown_settings.hpp>

#include <algorithm>
#include <functional>

namespace pgweir::session {

namespace {

constexpr std::uint64_t mix_state(std::uint64_t hash, std::uint64_t value)
{
    constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15U;
    hash = (hash ^ value) * golden_ratio;
    return hash ^ hash >> 29U;
}

} // namespace

SettingsChange operator|(SettingsChange a, SettingsChange b)
{
    const auto [least, most] = std::minmax(a, b);
    const bool is_mixed = least == SettingsChange::ends_transaction
                          && most == SettingsChange::as_said;
    return is_mixed ? SettingsChange::unknown : most;
}

void UnknownSettings::change(
    SettingsChange change, std::string_view text, std::uint64_t server, std::uint64_t segment
)
{
    if (change == SettingsChange::none) return;
    if (change == SettingsChange::ends_transaction && are_known()) return;
    const bool follows_unsettled = is_unsettled_ && segment_ != segment;
    if (change == SettingsChange::as_said && !follows_unsettled) {
        hash_ = mix_state(hash_, std::hash<std::string_view>{}(text)) | 1U;
    } else {
        become_private(server);
    }
    segment_ = segment;
    is_unsettled_ = true;
}

void UnknownSettings::become_known()
{
    hash_ = 0;
    is_private_ = false;
    is_unsettled_ = false;
}

void UnknownSettings::fail(std::uint64_t server)
{
    if (!are_known()) become_private(server);
}

std::uint64_t UnknownSettings::parse_hash(
    std::uint64_t known, std::uint64_t server, std::uint64_t segment
)
{
    if (are_known()) return known;
    if (is_unsettled_ && segment_ != segment) { // it may have failed
        become_private(server);
        segment_ = segment;
    }
    return mix_state(known, hash_);
}

void UnknownSettings::become_private(std::uint64_t server)
{
    hash_ = mix_state(mix_state(0, server), ++count_) | 1U;
    is_private_ = true;
}

} // namespace pgweir::session
