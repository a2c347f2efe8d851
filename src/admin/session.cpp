#include <pgweir/base/log.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/reader.hpp>
#include <pgweir/wire/writer.hpp>

#include "session.hpp"

#include <algorithm>

namespace pgweir::admin {

using net::Task;
using wire::ErrorText;
namespace client_type = wire::client_type;
namespace server_type = wire::server_type;

namespace {

constexpr std::uint32_t message_size_max = 65'536;
constexpr std::size_t statements_max = 100; // of each kind: prepared ones, portals

const ErrorText broken_message{"ERROR", "08P01", "invalid message format", {}, {}};

ErrorText unknown(const char* sqlstate, const char* what, std::string_view name)
{
    return {
        "ERROR",
        sqlstate,
        std::string{what} + " \"" + std::string{name} + "\" does not exist",
        {},
        {}
    };
}

ErrorText too_many(const char* what)
{
    return {"ERROR", "54000", std::string{"too many "} + what + " in one console session", {}, {}};
}

// As many rows as are asked for, from `first` on. Zero: all.
std::size_t end_of_rows(const Table& table, std::size_t first, std::uint32_t rows_max)
{
    const std::size_t left = table.rows.size() - first;
    return first + (rows_max == 0 ? left : std::min<std::size_t>(left, rows_max));
}

} // namespace

Task<void> Session::run()
{
    for (;;) {
        const auto message = co_await channel_.read_message(message_size_max);
        if (!message) co_return;
        const bool goes_on = co_await take(*message);
        if (!goes_on) co_return;
        if (std::exchange(wants_shutdown_, false)) consoles_.actions().shutdown();
    }
}

// False: the session is over.
Task<bool> Session::take(net::Channel::Message message)
{
    if (message.type == client_type::terminate) co_return false;
    if (is_skipping_ && message.type != client_type::sync) co_return true;
    bool goes_on = true;
    switch (message.type) {
    case client_type::query: co_await query(message.body); break;
    case client_type::flush: break;
    case client_type::sync: sync(); break;
    default: // answered with the next Sync or Flush
        goes_on = co_await take_in_segment(message);
        if (goes_on) co_return true;
    }
    const bool is_sent = co_await flush();
    co_return is_sent&& goes_on;
}

// False: no such message may be sent to a console.
Task<bool> Session::take_in_segment(net::Channel::Message message)
{
    switch (message.type) {
    case client_type::parse: parse(message.body); co_return true;
    case client_type::bind: bind(message.body); co_return true;
    case client_type::describe: describe(message.body); co_return true;
    case client_type::execute: co_await execute(message.body); co_return true;
    case client_type::close: close(message.body); co_return true;
    default: break;
    }
    ErrorText error{"FATAL", "08P01", "the console does not take messages of type \"", {}, {}};
    error.message += message.type;
    error.message += '"';
    fail(error);
    co_return false;
}

void Session::sync()
{
    is_skipping_ = false;
    if (status_ == 'I') portals_.clear(); // the transaction is over, and so are they
    wire::append_ready(out_, status_);
}

Task<void> Session::query(Bytes body)
{
    wire::Reader reader{body};
    Parsed parsed = parse_commands(reader.cstring());
    if (!reader.ok()) parsed.error = broken_message;
    if (parsed.error) fail(*parsed.error);
    if (!parsed.error && parsed.commands.empty()) {
        wire::append_empty(out_, server_type::empty_query);
    }
    for (const Command& command : parsed.commands) {
        Outcome outcome = co_await carry_out(command);
        if (outcome.is_error()) {
            fail(outcome.error);
            break;
        }
        if (outcome.table) {
            wire::append_row_description(out_, outcome.table->columns);
            for (const Table::Row& row : outcome.table->rows) wire::append_row(out_, row);
        }
        wire::append_command_complete(out_, tag_of(command));
    }
    wire::append_ready(out_, status_);
}

Task<Session::Outcome> Session::carry_out(Command command)
{
    Outcome outcome;
    const Access access = consoles_.actions().access_of(user_);
    if (auto refused = refusal(command, access)) {
        outcome.error = std::move(*refused);
        co_return outcome;
    }
    if (const auto* show = std::get_if<ShowCommand>(&command)) {
        outcome.table = co_await consoles_.show_table(show->what);
    } else if (const auto* courtesy = std::get_if<Courtesy>(&command)) {
        if (courtesy->status != 0) status_ = courtesy->status;
    } else if (const auto* deallocate = std::get_if<Deallocate>(&command)) {
        drop_statements(deallocate->name);
    } else {
        log(LogLevel::info, "console_command", {{"user", user_}, {"command", tag_of(command)}});
        outcome.error = co_await act(std::get<ActionCommand>(command));
    }
    co_return outcome;
}

void Session::drop_statements(const std::optional<std::string>& name)
{
    if (name) {
        statements_.erase(*name);
    } else {
        statements_.clear();
    }
}

Task<ErrorText> Session::act(ActionCommand command)
{
    const ConsoleActions& actions = consoles_.actions();
    ErrorText error;
    switch (command.action) {
    case Action::pause: error = co_await actions.pause(command.database); break;
    case Action::resume: error = actions.resume(command.database); break;
    case Action::reconnect: error = actions.reconnect(command.database); break;
    case Action::shutdown: wants_shutdown_ = true; break;
    case Action::reload:
        error.detail = actions.reload();
        if (error.detail.empty()) break;
        error.severity = "ERROR";
        error.sqlstate = "F0000";
        error.message = "the configuration has problems; the old one stays in use";
        break;
    }
    co_return error;
}

void Session::parse(Bytes body)
{
    const auto parse = wire::read_parse(body);
    if (!parse) return fail_in_segment(broken_message);
    Parsed parsed = parse_commands(parse->query);
    if (parsed.error) return fail_in_segment(*parsed.error);
    if (parsed.commands.size() > 1) {
        return fail_in_segment(
            {"ERROR", "42601", "cannot insert multiple commands into a prepared statement", {}, {}}
        );
    }
    const std::string name{parse->name};
    const bool is_known = statements_.contains(name);
    if (is_known && !name.empty()) {
        return fail_in_segment(
            {"ERROR", "42P05", "prepared statement \"" + name + "\" already exists", {}, {}}
        );
    }
    if (!is_known && statements_.size() >= statements_max) {
        return fail_in_segment(too_many("prepared statements"));
    }
    Prepared prepared;
    if (!parsed.commands.empty()) prepared.command = std::move(parsed.commands.front());
    statements_.insert_or_assign(name, std::move(prepared));
    wire::append_empty(out_, server_type::parse_complete);
}

// Formats are not looked at: all values are text, and text is the same in both of them.
void Session::bind(Bytes body)
{
    const auto head = wire::read_bind_head(body);
    if (!head) return fail_in_segment(broken_message);
    wire::Reader reader{body.subspan(head->size)};
    static_cast<void>(reader.bytes(std::size_t{reader.be16()} * 2)); // formats of parameters
    const std::uint16_t parameter_count = reader.be16();
    if (!reader.ok()) return fail_in_segment(broken_message);
    if (parameter_count > 0) {
        return fail_in_segment(
            {"ERROR", "08P01", "commands of the console have no parameters", {}, {}}
        );
    }
    const auto statement = statements_.find(head->statement);
    if (statement == statements_.end()) {
        return fail_in_segment(unknown("26000", "prepared statement", head->statement));
    }
    const std::string name{head->portal};
    const bool is_known = portals_.contains(name);
    if (is_known && !name.empty()) {
        return fail_in_segment({"ERROR", "42P03", "portal \"" + name + "\" already exists", {}, {}}
        );
    }
    if (!is_known && portals_.size() >= statements_max) return fail_in_segment(too_many("portals"));
    Portal portal;
    portal.command = statement->second.command;
    portals_.insert_or_assign(name, std::move(portal));
    wire::append_empty(out_, server_type::bind_complete);
}

void Session::describe(Bytes body)
{
    const auto target = wire::read_target(body);
    if (!target) return fail_in_segment(broken_message);
    if (target->kind == 'S') {
        const auto statement = statements_.find(target->name);
        if (statement == statements_.end()) {
            return fail_in_segment(unknown("26000", "prepared statement", target->name));
        }
        wire::Writer{out_, server_type::parameter_description}.be16(0).finish();
        return describe_command(statement->second.command);
    }
    const auto portal = portals_.find(target->name);
    if (portal == portals_.end()) return fail_in_segment(unknown("34000", "portal", target->name));
    describe_command(portal->second.command);
}

void Session::describe_command(const std::optional<Command>& command)
{
    const auto* show = command ? std::get_if<ShowCommand>(&*command) : nullptr;
    if (show != nullptr) {
        wire::append_row_description(out_, columns_of(show->what));
    } else {
        wire::append_empty(out_, server_type::no_data);
    }
}

Task<void> Session::execute(Bytes body)
{
    wire::Reader reader{body};
    const std::string name{reader.cstring()};
    const std::uint32_t rows_max = reader.be32();
    if (!reader.ok() || !reader.at_end()) {
        fail_in_segment(broken_message);
        co_return;
    }
    const auto found = portals_.find(name);
    if (found == portals_.end()) {
        fail_in_segment(unknown("34000", "portal", name));
        co_return;
    }
    Portal& portal = found->second; // only this session changes the map, and it waits here
    if (!portal.command) {
        wire::append_empty(out_, server_type::empty_query);
        co_return;
    }
    if (!portal.table) {
        Outcome outcome = co_await carry_out(*portal.command);
        if (outcome.is_error()) {
            fail_in_segment(outcome.error);
            co_return;
        }
        if (!outcome.table) {
            wire::append_command_complete(out_, tag_of(*portal.command));
            co_return;
        }
        portal.table = std::move(outcome.table);
    }
    send_rows(portal, rows_max);
}

void Session::send_rows(Portal& portal, std::uint32_t rows_max)
{
    const Table& table = *portal.table;
    const std::size_t end = end_of_rows(table, portal.next_row, rows_max);
    for (; portal.next_row < end; ++portal.next_row) {
        wire::append_row(out_, table.rows[portal.next_row]);
    }
    if (end < table.rows.size()) {
        wire::append_empty(out_, server_type::portal_suspended);
    } else {
        wire::append_command_complete(out_, tag_of(*portal.command));
    }
}

// What is not there is closed as well, as in PostgreSQL.
void Session::close(Bytes body)
{
    const auto target = wire::read_target(body);
    if (!target) return fail_in_segment(broken_message);
    const std::string name{target->name};
    if (target->kind == 'S') {
        statements_.erase(name);
    } else {
        portals_.erase(name);
    }
    wire::append_empty(out_, server_type::close_complete);
}

void Session::fail(const ErrorText& error) { wire::append_error(out_, error); }

void Session::fail_in_segment(const ErrorText& error)
{
    is_skipping_ = true;
    fail(error);
}

// False: the client is gone.
Task<bool> Session::flush()
{
    const ErrorCode error = co_await channel_.write(std::exchange(out_, Buffer()));
    co_return !error;
}

} // namespace pgweir::admin
