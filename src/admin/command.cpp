#include <pgweir/admin/command.hpp>

#include <pgweir/session/settings.hpp>

#include "lexer.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace pgweir::admin {

using wire::ErrorText;

namespace {

using Tokens = std::span<const Token>;

struct ShowRow {
    std::string_view keyword;
    Show what;
    std::string_view description;
};

// In the order of SHOW HELP.
constexpr std::array show_table{
    ShowRow{"POOLS", Show::pools, "clients and servers of each pool, by state"},
    ShowRow{"STATS", Show::stats, "what was done for each database, and how much of it a second"},
    ShowRow{"STATS_TOTALS", Show::stats_totals, "the totals alone"},
    ShowRow{"STATS_AVERAGES", Show::stats_averages, "the averages alone"},
    ShowRow{"TOTALS", Show::totals, "the same for all databases together"},
    ShowRow{"CLIENTS", Show::clients, "each client"},
    ShowRow{"SERVERS", Show::servers, "each server connection"},
    ShowRow{
        "CLASSES",
        Show::classes,
        "kinds of transactions, by their first statement: how long they take, and in which lane"
    },
    ShowRow{"DATABASES", Show::databases, "where databases are, and their limits"},
    ShowRow{"USERS", Show::users, "users, and their limits"},
    ShowRow{"LISTS", Show::lists, "how many there are of what"},
    ShowRow{"CONFIG", Show::config, "every setting with its default"},
    ShowRow{"STATE", Show::state, "whether anything is paused"},
    ShowRow{"VERSION", Show::version, "the version"},
    ShowRow{"HELP", Show::help, "this"},
};

struct ActionRow {
    std::string_view keyword;
    Action action;
    bool takes_database;
    std::string_view usage;
    std::string_view description;
};

constexpr std::array action_table{
    ActionRow{
        "PAUSE",
        Action::pause,
        true,
        "PAUSE [database]",
        "let running transactions end, close server connections, hold new transactions"
    },
    ActionRow{"RESUME", Action::resume, true, "RESUME [database]", "end a PAUSE"},
    ActionRow{
        "RECONNECT",
        Action::reconnect,
        true,
        "RECONNECT [database]",
        "replace each server connection as soon as no transaction needs it"
    },
    ActionRow{"RELOAD", Action::reload, false, "RELOAD", "read the configuration again"},
    ActionRow{
        "SHUTDOWN",
        Action::shutdown,
        false,
        "SHUTDOWN",
        "let running transactions end, then stop pgweir"
    },
};

// What PgBouncer's console knows and ours does not: a different error than a slip of the pen.
constexpr std::array unsupported_commands{
    "DISABLE",
    "ENABLE",
    "KILL",
    "KILL_CLIENT",
    "SUSPEND",
    "WAIT_CLOSE",
};
constexpr std::array unsupported_tables{
    "ACTIVE_SOCKETS",
    "DNS_HOSTS",
    "DNS_ZONES",
    "FDS",
    "MEM",
    "PEERS",
    "PEER_POOLS",
    "SOCKETS",
};

// Settings that drivers set by themselves when they connect. The console has no session for them to
// change, and a driver that is refused here would not connect at all.
constexpr std::array courtesy_settings{
    "APPLICATION_NAME",
    "BYTEA_OUTPUT",
    "CLIENT_ENCODING",
    "CLIENT_MIN_MESSAGES",
    "DATESTYLE",
    "EXTRA_FLOAT_DIGITS",
    "INTERVALSTYLE",
    "SEARCH_PATH",
    "STANDARD_CONFORMING_STRINGS",
    "STATEMENT_TIMEOUT",
    "TIMEZONE",
};

struct CourtesyRow {
    std::string_view keyword;
    std::string_view tag;
    char status;
};

constexpr std::array transaction_words{
    CourtesyRow{"BEGIN", "BEGIN", 'T'},
    CourtesyRow{"START", "START TRANSACTION", 'T'},
    CourtesyRow{"COMMIT", "COMMIT", 'I'},
    CourtesyRow{"END", "COMMIT", 'I'},
    CourtesyRow{"ROLLBACK", "ROLLBACK", 'I'},
    CourtesyRow{"ABORT", "ROLLBACK", 'I'},
};

template <class Range>
bool is_any_of(const Token& token, const Range& keywords)
{
    return std::ranges::any_of(keywords, [&](std::string_view each) { return token.is(each); });
}

ErrorText syntax_error(std::string message)
{
    return {"ERROR", "42601", std::move(message), {}, "SHOW HELP lists the commands."};
}

ErrorText not_supported(std::string message)
{
    return {"ERROR", "0A000", std::move(message), {}, {}};
}

ErrorText error_near(const Token& token)
{
    return syntax_error("syntax error at or near \"" + token.text + '"');
}

/// One command, or what is wrong with it.
struct ParsedOne {
    std::optional<Command> command;
    ErrorText error;
};

ParsedOne parse_show(Tokens rest)
{
    if (rest.empty()) return {{}, syntax_error("SHOW needs to know what to show")};
    const Token& what = rest.front();
    if (rest.size() > 1) return {{}, error_near(rest[1])};
    const auto row = std::ranges::find_if(show_table, [&](const ShowRow& each) {
        return what.is(each.keyword);
    });
    if (row != show_table.end()) return {ShowCommand{row->what}, {}};
    if (is_any_of(what, unsupported_tables)) {
        return {{}, not_supported("SHOW " + what.text + " is not supported")};
    }
    return {{}, syntax_error("there is no SHOW " + what.text)};
}

ParsedOne parse_action(const ActionRow& row, Tokens rest)
{
    const std::size_t arguments_max = row.takes_database ? 1 : 0;
    if (rest.size() > arguments_max) return {{}, error_near(rest[arguments_max])};
    ActionCommand command{row.action, std::nullopt};
    if (!rest.empty()) {
        const Token& name = rest.front();
        const bool is_name = name.kind == Token::Kind::word || name.kind == Token::Kind::name;
        if (!is_name) return {{}, error_near(name)};
        command.database = name.text;
    }
    return {std::move(command), {}};
}

ParsedOne parse_set(Tokens rest)
{
    if (rest.size() > 1 && (rest.front().is("SESSION") || rest.front().is("LOCAL"))) {
        rest = rest.subspan(1);
    }
    if (rest.size() < 2) return {{}, syntax_error("SET needs a name and a value")};
    const bool is_time_zone = rest[0].is("TIME") && rest[1].is("ZONE");
    if (is_time_zone || is_any_of(rest.front(), courtesy_settings)) return {Courtesy{"SET"}, {}};
    ErrorText error = not_supported("the console cannot change \"" + rest.front().text + '"');
    error.hint = "Change the configuration file, then RELOAD.";
    return {{}, std::move(error)};
}

ParsedOne parse_deallocate(Tokens rest)
{
    if (rest.size() > 1 && rest.front().is("PREPARE")) rest = rest.subspan(1);
    if (rest.empty()) return {{}, syntax_error("DEALLOCATE needs a name, or ALL")};
    if (rest.size() > 1) return {{}, error_near(rest[1])};
    const Token& name = rest.front();
    if (name.is("ALL")) return {Deallocate{"DEALLOCATE ALL", {}}, {}};
    switch (name.kind) {
    case Token::Kind::word: return {Deallocate{"DEALLOCATE", session::lower_case(name.text)}, {}};
    case Token::Kind::name: return {Deallocate{"DEALLOCATE", name.text}, {}};
    case Token::Kind::literal:
    case Token::Kind::symbol: break;
    }
    return {{}, error_near(name)};
}

ParsedOne parse_discard(Tokens rest)
{
    if (rest.empty()) return {{}, syntax_error("DISCARD needs to know what to discard")};
    if (rest.size() > 1) return {{}, error_near(rest[1])};
    if (!rest.front().is("ALL")) return {{}, error_near(rest.front())};
    return {Deallocate{"DISCARD ALL", {}}, {}};
}

ParsedOne parse_one(const Statement& statement)
{
    const Token& first = statement.front();
    const Tokens rest = Tokens{statement}.subspan(1);
    if (first.is("SHOW")) return parse_show(rest);
    if (first.is("SET")) return parse_set(rest);
    if (first.is("DEALLOCATE")) return parse_deallocate(rest);
    if (first.is("DISCARD")) return parse_discard(rest);
    for (const ActionRow& row : action_table) {
        if (first.is(row.keyword)) return parse_action(row, rest);
    }
    for (const CourtesyRow& row : transaction_words) {
        if (first.is(row.keyword)) return {Courtesy{std::string{row.tag}, row.status}, {}};
    }
    if (is_any_of(first, unsupported_commands)) {
        return {{}, not_supported(first.text + " is not supported")};
    }
    return {{}, syntax_error("the console does not know \"" + first.text + '"')};
}

} // namespace

Parsed parse_commands(std::string_view text)
{
    Parsed parsed;
    const auto statements = split_statements(text);
    if (!statements) {
        parsed.error = syntax_error("a quoted string or a comment does not end");
        return parsed;
    }
    for (const Statement& statement : *statements) {
        ParsedOne one = parse_one(statement);
        if (!one.command) return {{}, std::move(one.error)};
        parsed.commands.push_back(std::move(*one.command));
    }
    return parsed;
}

std::string tag_of(const Command& command)
{
    if (std::holds_alternative<ShowCommand>(command)) return "SHOW";
    if (const auto* courtesy = std::get_if<Courtesy>(&command)) return courtesy->tag;
    if (const auto* deallocate = std::get_if<Deallocate>(&command)) return deallocate->tag;
    const Action action = std::get<ActionCommand>(command).action;
    return std::string{std::ranges::find(action_table, action, &ActionRow::action)->keyword};
}

std::optional<ErrorText> refusal(const Command& command, Access access)
{
    const bool only_looks = !std::holds_alternative<ActionCommand>(command);
    const bool may = access == Access::admin || (only_looks && access == Access::stats);
    if (may) return std::nullopt;
    ErrorText error{"ERROR", "42501", "permission denied for " + tag_of(command), {}, {}};
    error.hint = only_looks ? "Only admin_users and stats_users may look here."
                            : "Only admin_users may do that.";
    return error;
}

const std::vector<HelpRow>& help_rows()
{
    static const std::vector<HelpRow> rows = [] {
        std::vector<HelpRow> all;
        all.reserve(show_table.size() + action_table.size());
        for (const ShowRow& row : show_table) {
            all.push_back({"SHOW " + std::string{row.keyword}, row.description});
        }
        for (const ActionRow& row : action_table) {
            all.push_back({std::string{row.usage}, row.description});
        }
        return all;
    }();
    return rows;
}

} // namespace pgweir::admin
