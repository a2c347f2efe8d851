// A conversation between clients and servers without sockets: bytes go in, messages come out as
// lines of text. Statements that pgweir names are shown by their text, as in "Bind - <SELECT 1>".
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/session/forward.hpp>
#include <pgweir/session/gather.hpp>
#include <pgweir/session/state.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pgweir::test {

template <class... Lines>
std::string lines(const Lines&... each)
{
    return (std::string{} + ... + (std::string{each} + "\n"));
}

/// What a client sends.
namespace say {
std::string message(char type, std::string_view body = {});
std::string query(std::string_view text);
std::string parse(std::string_view name, std::string_view text);
std::string bind(std::string_view statement, std::string_view values = {});
std::string describe(std::string_view statement);
std::string close(std::string_view statement);
std::string execute();
std::string sync();
std::string flush();
std::string copy_data(std::string_view data);
std::string copy_done();
std::string copy_fail();
std::string function_call();
std::string terminate();
} // namespace say

/// What PostgreSQL answers.
namespace reply {
std::string parsed();
std::string bound();
std::string closed();
std::string no_data();
std::string row(std::string_view text);
/// The shape of rows, which comes before them.
std::string shape();
/// A row of the answer to our question. Null: NULL.
std::string answer_row(const char* mark, const char* name, const char* value);
std::string complete(std::string_view tag);
std::string ready(char status = 'I');
std::string error(
    std::string_view sqlstate, std::string_view message, std::string_view severity = "ERROR"
);
std::string parameter(std::string_view name, std::string_view value);
std::string copy_in();
std::string notification(
    std::uint32_t process_id, std::string_view channel, std::string_view payload
);
} // namespace reply

/// One line a message, with its end; of what is no whole message, its size.
[[nodiscard]] std::string text_of_client_messages(std::string_view bytes);
[[nodiscard]] std::string text_of_server_messages(std::string_view bytes);

/// `<text>`: the name of a statement on a server, as it is shown. Registered by say::parse.
[[nodiscard]] std::string server_name(std::string_view text);

/// How many bytes of those at hand are shown next; at least one.
using Cut = std::function<std::size_t(std::size_t)>;

class SessionScript {
public:
    SessionScript();

    void client(std::string_view bytes);
    /// Nothing: what was held back is shown again.
    void server(std::string_view bytes);

    /// All that has gone out since the last time.
    [[nodiscard]] std::string to_server();
    [[nodiscard]] std::string to_client();
    void forget_output();

    void lend(std::size_t server);
    void take_back() { server_ = none; }
    void serve(std::size_t client) { client_ = client; }
    /// The server is gone. False: its client hears it with its next statement.
    [[nodiscard]] bool abandon(const wire::ErrorText& error);
    /// What the transaction has left in doubt is asked from the server, and …
    void ask();
    /// … what it has answered is taken.
    void take_answer();
    void leave_alone() { client_ = none; }

    [[nodiscard]] session::ClientState& client_state() { return clients_.at(client_); }
    [[nodiscard]] session::ServerState& server_state() { return servers_.at(server_); }
    [[nodiscard]] session::ServerState& server_state_of(std::size_t server)
    {
        return servers_.at(server);
    }

    session::ForwardOptions options;
    session::StatementTable table;
    session::Knowledge knowledge;
    const session::Clientele* clientele = nullptr;
    session::Stop client_stop = session::Stop::need_input;
    session::Stop server_stop = session::Stop::need_input;
    std::string problem;           // the message of the last violation
    session::ForwardCounts counts; // all calls together
    Cut cut;                       // empty: everything at once

private:
    static constexpr std::size_t none = 99;

    void show_client(Bytes input);
    void show_server(Bytes input);
    void run_client();
    void collect();

    std::array<session::ClientState, 3> clients_;
    std::array<session::ServerState, 3> servers_;
    std::size_t client_ = 0;
    std::size_t server_ = 0;
    std::string client_input_; // what was not used yet
    std::string server_input_;
    std::string sent_to_server_;
    std::string sent_to_client_;
    session::Gather to_server_;
    session::Gather to_client_;
};

/// One client on one server, which already has the statement A, as "a".
struct Prepared : SessionScript {
    Prepared()
    {
        client(say::parse("a", "A") + say::sync());
        server(reply::parsed() + reply::ready());
        forget_output();
    }
};

} // namespace pgweir::test
