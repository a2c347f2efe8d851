// One console session: messages in, tables and tags out. Knows the protocol; what the commands
// mean is known elsewhere.
#pragma once

#include <pgweir/admin/console.hpp>
#include <pgweir/net/channel.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir::admin {

class Session {
public:
    /// All of them outlive the session.
    Session(Consoles& consoles, net::Channel& channel, std::string user)
        : consoles_{consoles}, channel_{channel}, user_{std::move(user)}
    {
    }

    /// Until the client leaves, or breaks the protocol.
    net::Task<void> run();

private:
    /// A statement of Parse. Empty text is a statement, too: it has no command.
    struct Prepared {
        std::optional<Command> command;
    };
    struct Portal {
        std::optional<Command> command;
        std::optional<Table> table; // once it has run
        std::size_t next_row = 0;
    };
    /// What a command has brought: a table, a tag, or an error.
    struct Outcome {
        std::optional<Table> table;
        wire::ErrorText error;

        [[nodiscard]] bool is_error() const { return !error.message.empty(); }
    };

    net::Task<bool> take(net::Channel::Message message);
    net::Task<bool> take_in_segment(net::Channel::Message message);
    net::Task<void> query(Bytes body);
    void sync();
    net::Task<Outcome> carry_out(Command command);
    net::Task<wire::ErrorText> act(ActionCommand command);
    void drop_statements(const std::optional<std::string>& name);
    void parse(Bytes body);
    void bind(Bytes body);
    void describe(Bytes body);
    net::Task<void> execute(Bytes body);
    void close(Bytes body);
    void describe_command(const std::optional<Command>& command);
    void send_rows(Portal& portal, std::uint32_t rows_max);
    void fail(const wire::ErrorText& error);
    void fail_in_segment(const wire::ErrorText& error);
    net::Task<bool> flush();

    Consoles& consoles_;
    net::Channel& channel_;
    std::string user_;
    Buffer out_;
    std::map<std::string, Prepared, std::less<>> statements_;
    std::map<std::string, Portal, std::less<>> portals_;
    char status_ = 'I';           // of ReadyForQuery
    bool is_skipping_ = false;    // after an error, up to the next Sync
    bool wants_shutdown_ = false; // once the answer is out
};

} // namespace pgweir::admin
