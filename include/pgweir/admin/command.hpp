// The text of an admin statement, and what it asks for. Knows who may ask; does nothing.
#pragma once

#include <pgweir/wire/messages.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgweir::admin {

enum class Access {
    none,
    stats, // may look
    admin, // may do all
};

enum class Show : std::uint8_t {
    classes,
    clients,
    config,
    databases,
    help,
    lists,
    pools,
    servers,
    state,
    stats,
    stats_averages,
    stats_totals,
    totals,
    users,
    version,
};

enum class Action : std::uint8_t { pause, reconnect, reload, resume, shutdown };

struct ShowCommand {
    Show what;
    friend bool operator==(const ShowCommand&, const ShowCommand&) = default;
};

struct ActionCommand {
    Action action;
    std::optional<std::string> database; // of pause, resume, reconnect; empty: all
    friend bool operator==(const ActionCommand&, const ActionCommand&) = default;
};

/// What drivers say unasked (BEGIN, SET application_name …): agreed to, and without effect here.
struct Courtesy {
    std::string tag;
    char status = 0; // of ReadyForQuery from now on; 0: as before
    friend bool operator==(const Courtesy&, const Courtesy&) = default;
};

/// DEALLOCATE and DISCARD ALL, with which drivers drop the statements that they have prepared.
struct Deallocate {
    std::string tag;
    std::optional<std::string> name; // empty: all
    friend bool operator==(const Deallocate&, const Deallocate&) = default;
};

using Command = std::variant<ShowCommand, ActionCommand, Courtesy, Deallocate>;

/// All statements of one text, or what is wrong with it: then none of them may be carried out.
struct Parsed {
    std::vector<Command> commands;
    std::optional<wire::ErrorText> error;
};
[[nodiscard]] Parsed parse_commands(std::string_view text);

/// "SHOW", "PAUSE": as CommandComplete has it.
[[nodiscard]] std::string tag_of(const Command& command);

/// Why somebody with this access may not do that. Empty: they may.
[[nodiscard]] std::optional<wire::ErrorText> refusal(const Command& command, Access access);

/// Each command with what it does, for SHOW HELP.
struct HelpRow {
    std::string command;
    std::string_view description;
};
[[nodiscard]] const std::vector<HelpRow>& help_rows();

} // namespace pgweir::admin
