// The ParameterStatus messages at the end of a login, as the client's own settings make them.
#pragma once

#include <pgweir/session/settings.hpp>
#include <pgweir/wire/startup.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pgweir::net {

/// The name of an encoding without case and punctuation, as PostgreSQL compares it: "utf8" for
/// "UTF-8".
[[nodiscard]] std::string encoding_key(std::string_view name);

/// What a parameter that the server reports as `value` will be for a client with these settings,
/// spelt as PostgreSQL spells it.
[[nodiscard]] std::string welcome_value(
    std::string_view name, const std::string& value, const session::Settings& settings
);

/// What a client has asked for at its start, spelt as PostgreSQL will spell it: as the welcome
/// says. `reported`: what the server has reported of itself.
[[nodiscard]] session::SettingsRef as_spelt(
    session::SettingsRef settings, const std::vector<session::Settings::Entry>& reported
);

/// What a server of this server_version speaks: 3.2 came with PostgreSQL 18. Empty: it is not
/// known, and the newest that we speak.
[[nodiscard]] wire::ProtocolVersion protocol_of(std::string_view server_version);

/// What the console reports of itself: enough for every driver.
[[nodiscard]] const std::vector<session::Settings::Entry>& console_parameters();

} // namespace pgweir::net
