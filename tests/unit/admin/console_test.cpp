#include <pgweir/admin/console.hpp>

#include <pgweir/net/channel.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/reader.hpp>
#include <pgweir/wire/writer.hpp>

#include "support/run_task.hpp"
#include "support/worker_rig.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <sys/socket.h>

using namespace pgweir;
using namespace pgweir::admin;
using namespace pgweir::test;
using net::Task;
using wire::ErrorText;

namespace {

std::array<net::Descriptor, 2> socket_pair()
{
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
    return {net::Descriptor{ends[0]}, net::Descriptor{ends[1]}};
}

// A message in a word or two; of a row its first value.
std::string described(const net::Channel::Message& message)
{
    wire::Reader reader{message.body};
    switch (message.type) {
    case wire::server_type::row_description: return "columns:" + std::to_string(reader.be16());
    case wire::server_type::data_row: {
        static_cast<void>(reader.be16());
        const std::size_t size = reader.be32();
        return "row:" + std::string{as_text(reader.bytes(size))};
    }
    case wire::server_type::command_complete: return std::string{reader.cstring()};
    case wire::server_type::ready_for_query:
        return std::string{"ready:"} + static_cast<char>(reader.u8());
    case wire::server_type::error: {
        const wire::ErrorFields error = wire::read_error(message.body);
        return std::string{error.severity} + ':' + std::string{error.sqlstate};
    }
    default: return {message.type};
    }
}

Task<std::string> read_until(net::Channel& channel, std::string end)
{
    std::string all;
    for (;;) {
        const auto message = co_await channel.read_message(wire::body_size_max);
        if (!message) co_return all + " closed";
        const std::string one = described(*message);
        all += all.empty() ? one : ' ' + one;
        if (one.starts_with(end)) co_return all;
    }
}

Task<bool> write(net::Channel& channel, Buffer bytes)
{
    const ErrorCode error = co_await channel.write(std::move(bytes));
    co_return !error;
}

/// Messages of a client, one after the other.
class Script {
public:
    Script& query(std::string_view text)
    {
        wire::append_query(bytes_, text);
        return *this;
    }
    Script& parse(std::string_view name, std::string_view text)
    {
        const std::array<std::byte, 2> no_types{};
        wire::append_parse(bytes_, name, text, no_types);
        return *this;
    }
    Script& bind(std::string_view portal, std::string_view statement, std::uint16_t parameters = 0)
    {
        wire::Writer message{bytes_, wire::client_type::bind};
        message.cstring(portal).cstring(statement).be16(0).be16(parameters);
        for (int i = 0; i < parameters; ++i) message.be32(0);
        message.be16(0).finish();
        return *this;
    }
    Script& target(char type, char kind, std::string_view name)
    {
        wire::append_target(bytes_, type, kind, name);
        return *this;
    }
    Script& execute(std::string_view portal, std::uint32_t rows_max = 0)
    {
        wire::Writer{bytes_, wire::client_type::execute}.cstring(portal).be32(rows_max).finish();
        return *this;
    }
    Script& empty(char type)
    {
        wire::append_empty(bytes_, type);
        return *this;
    }
    Script& sync() { return empty(wire::client_type::sync); }
    [[nodiscard]] Buffer take() { return std::move(bytes_); }

private:
    Buffer bytes_;
};

Task<ErrorText> pause_orders(std::string* log, ConsoleActions::Database database)
{
    *log += "pause " + database.value_or("all") + '\n';
    ErrorText error;
    if (database == "unknown") error = {"ERROR", "3D000", "no such database", {}, {}};
    co_return error;
}

/// One console session, from its client's end.
class Rig {
public:
    explicit Rig(Access access = Access::admin, Buffer early = {}) : access_{access}
    {
        for (net::Worker* const worker : workers_.workers) worker->start();
        static_cast<void>(workers_.pools.find_or_make({"orders", "app"}));
        static_cast<void>(workers_.pools.find_or_make({"orders", "report"}));
        static_cast<void>(workers_.pools.find_or_make({"other", "app"}));
        auto sockets = socket_pair();
        channel_ = std::make_unique<net::Channel>(io_.get_executor(), std::move(sockets[0]));
        net::ConsoleClient client;
        client.stream = net::Stream{std::move(sockets[1])};
        client.user = "operator";
        client.early = std::move(early);
        consoles_.open(std::move(client));
    }
    ~Rig()
    {
        channel_->close();
        consoles_.close();
        io_.restart();
        while (tasks_.count() > 0 && io_.run_one() > 0) {
        }
    }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    /// What is answered, up to the next message that starts so.
    std::string ask(Script& script, const std::string& end = "ready:")
    {
        REQUIRE(run_task(io_, write(*channel_, script.take())));
        return answers(end);
    }
    std::string answers(const std::string& end = "ready:")
    {
        return run_task(io_, read_until(*channel_, end));
    }
    std::string query(std::string_view text)
    {
        Script script;
        return ask(script.query(text));
    }
    [[nodiscard]] const std::string& done() const { return done_; }
    void set_access(Access access) { access_ = access; }

private:
    ConsoleActions make_actions()
    {
        const auto record = [this](std::string what) {
            return [this, what](ConsoleActions::Database database) {
                done_ += what + ' ' + database.value_or("all") + '\n';
                return ErrorText();
            };
        };
        ConsoleActions actions;
        actions.access_of = [this](std::string_view user) {
            return user == "operator" ? access_ : Access::none;
        };
        actions.pause = [this](ConsoleActions::Database database) {
            return pause_orders(&done_, std::move(database));
        };
        actions.resume = record("resume");
        actions.reconnect = record("reconnect");
        actions.reload = [this] {
            done_ += "reload\n";
            return std::string{"pgweir.toml:1: pool.size: must be a number\n"};
        };
        actions.shutdown = [this] { done_ += "shutdown\n"; };
        actions.config = [] {
            ConfigView view;
            view.version = "1.2.3";
            view.rows.push_back({"pool.size", "7", "20", true});
            return view;
        };
        return actions;
    }

    net::asio::io_context io_;
    WorkerRig workers_{1};
    net::Tasks tasks_{io_.get_executor()};
    Access access_;
    std::string done_;
    net::Inspector inspector_{
        io_.get_executor(), workers_.pools, workers_.workers, std::chrono::seconds{30}
    };
    Consoles consoles_{tasks_, inspector_, make_actions()};
    std::unique_ptr<net::Channel> channel_;
};

} // namespace

TEST_CASE("admin/console: a query is answered with its table")
{
    Rig rig;
    CHECK(rig.query("SHOW VERSION") == "columns:1 row:pgweir 1.2.3 SHOW ready:I");
    CHECK(rig.query("SHOW POOLS") == "columns:17 row:orders row:orders row:other SHOW ready:I");
    CHECK(rig.query("SHOW CONFIG") == "columns:4 row:pool.size SHOW ready:I");
}

TEST_CASE("admin/console: what came with the login is not lost")
{
    Script script;
    Rig rig{Access::admin, script.query("SHOW VERSION").take()};
    CHECK(rig.answers() == "columns:1 row:pgweir 1.2.3 SHOW ready:I");
}

TEST_CASE("admin/console: an error ends a query, and not the session")
{
    Rig rig;
    CHECK(rig.query("SELECT 1") == "ERROR:42601 ready:I");
    CHECK(rig.query("") == "I ready:I");
    CHECK(rig.query("RESUME; PAUSE unknown; RESUME") == "RESUME ERROR:3D000 ready:I");
    CHECK(rig.done() == "resume all\npause unknown\n");
}

TEST_CASE("admin/console: commands reach the daemon with their database")
{
    Rig rig;
    CHECK(rig.query("PAUSE; RESUME orders; RECONNECT") == "PAUSE RESUME RECONNECT ready:I");
    CHECK(rig.done() == "pause all\nresume orders\nreconnect all\n");
    CHECK(rig.query("RELOAD") == "ERROR:F0000 ready:I");
}

TEST_CASE("admin/console: SHUTDOWN is answered before it begins")
{
    Rig rig;
    CHECK(rig.query("SHUTDOWN") == "SHUTDOWN ready:I");
    CHECK(rig.query("SHOW VERSION") == "columns:1 row:pgweir 1.2.3 SHOW ready:I");
    CHECK(rig.done() == "shutdown\n");
}

TEST_CASE("admin/console: who may only look cannot command, in either protocol")
{
    Rig rig{Access::stats};
    CHECK(rig.query("SHUTDOWN") == "ERROR:42501 ready:I");
    Script script;
    CHECK(
        rig.ask(script.parse("", "PAUSE").bind("", "").execute("").sync())
        == "1 2 ERROR:42501 ready:I"
    );
    CHECK(rig.query("SHOW STATE").ends_with("SHOW ready:I"));
    CHECK(rig.done() == "");
}

TEST_CASE("admin/console: a right that is taken away is gone with the next command")
{
    Rig rig;
    CHECK(rig.query("RESUME") == "RESUME ready:I");
    rig.set_access(Access::stats);
    CHECK(rig.query("RESUME") == "ERROR:42501 ready:I");
}

TEST_CASE("admin/console: others are sent away with a word")
{
    Rig rig{Access::none};
    Script script;
    CHECK(rig.ask(script.query("SHOW VERSION")) == "FATAL:42501 closed");
}

TEST_CASE("admin/console: the extended protocol brings the same table")
{
    Rig rig;
    Script script;
    script.parse("s", "SHOW VERSION").target(wire::client_type::describe, 'S', "s");
    script.bind("", "s").target(wire::client_type::describe, 'P', "").execute("").sync();
    CHECK(rig.ask(script) == "1 t columns:1 2 columns:1 row:pgweir 1.2.3 SHOW ready:I");
    CHECK(rig.ask(script.bind("", "s").execute("").sync()) == "2 row:pgweir 1.2.3 SHOW ready:I");
}

TEST_CASE("admin/console: a command has no columns, an empty text no command")
{
    Rig rig;
    Script script;
    script.parse("", "RESUME")
        .target(wire::client_type::describe, 'S', "")
        .bind("", "")
        .execute("");
    CHECK(rig.ask(script.sync()) == "1 t n 2 RESUME ready:I");
    CHECK(rig.ask(script.parse("", " ").bind("", "").execute("").sync()) == "1 2 I ready:I");
}

TEST_CASE("admin/console: rows may be fetched a few at a time, and the rest left")
{
    Rig rig;
    Script script;
    script.parse("", "SHOW POOLS").bind("", "").execute("", 2).execute("", 2).sync();
    CHECK(rig.ask(script) == "1 2 row:orders row:orders s row:other SHOW ready:I");
    CHECK(rig.ask(script.bind("", "").execute("", 1).sync()) == "2 row:orders s ready:I");
}

TEST_CASE("admin/console: a portal lives as long as its transaction")
{
    Rig rig;
    Script script;
    CHECK(rig.ask(script.parse("", "SHOW POOLS").bind("p", "").sync()) == "1 2 ready:I");
    CHECK(rig.ask(script.execute("p").sync()) == "ERROR:34000 ready:I");
    CHECK(rig.query("BEGIN") == "BEGIN ready:T");
    CHECK(rig.ask(script.bind("p", "").execute("p", 1).sync()) == "2 row:orders s ready:T");
    CHECK(rig.ask(script.execute("p", 1).sync()) == "row:orders s ready:T");
    CHECK(rig.query("COMMIT") == "COMMIT ready:I");
}

TEST_CASE("admin/console: after an error everything up to Sync is passed over")
{
    Rig rig;
    Script script;
    script.parse("", "NONSENSE").bind("", "").execute("").sync();
    CHECK(rig.ask(script) == "ERROR:42601 ready:I");
    script.parse("s", "RESUME; RESUME").sync();
    CHECK(rig.ask(script) == "ERROR:42601 ready:I");
    CHECK(rig.ask(script.bind("", "s").sync()) == "ERROR:26000 ready:I");
    CHECK(
        rig.ask(script.parse("s", "RESUME").parse("s", "RESUME").sync()) == "1 ERROR:42P05 ready:I"
    );
    CHECK(rig.ask(script.bind("", "s", 1).sync()) == "ERROR:08P01 ready:I");
    CHECK(
        rig.ask(script.target(wire::client_type::close, 'S', "s").bind("", "s").sync())
        == "3 ERROR:26000 ready:I"
    );
    CHECK(rig.done() == "");
}

TEST_CASE("admin/console: DEALLOCATE drops what was prepared")
{
    Rig rig;
    Script script;
    CHECK(rig.ask(script.parse("a", "RESUME").parse("b", "RESUME").sync()) == "1 1 ready:I");
    CHECK(rig.query("DEALLOCATE a") == "DEALLOCATE ready:I");
    CHECK(rig.ask(script.bind("", "a").sync()) == "ERROR:26000 ready:I");
    CHECK(rig.ask(script.bind("", "b").sync()) == "2 ready:I");
    CHECK(rig.query("DEALLOCATE ALL") == "DEALLOCATE ALL ready:I");
    CHECK(rig.ask(script.bind("", "b").sync()) == "ERROR:26000 ready:I");
}

TEST_CASE("admin/console: statements of one session are bounded")
{
    Rig rig;
    Script script;
    for (int i = 0; i < 101; ++i) script.parse("s" + std::to_string(i), "RESUME");
    CHECK(rig.ask(script.sync()).ends_with("1 ERROR:54000 ready:I"));
}

TEST_CASE("admin/console: Flush brings what is there")
{
    Rig rig;
    Script script;
    CHECK(rig.ask(script.parse("", "RESUME").empty(wire::client_type::flush), "1") == "1");
}

TEST_CASE("admin/console: what no console takes ends the session, with a word")
{
    Rig rig;
    Script script;
    CHECK(rig.ask(script.empty(wire::client_type::function_call)) == "FATAL:08P01 closed");
}

TEST_CASE("admin/console: a broken message is an error")
{
    Rig rig;
    Script script;
    CHECK(rig.ask(script.empty(wire::client_type::query)) == "ERROR:08P01 ready:I");
    CHECK(rig.ask(script.empty(wire::client_type::bind).sync()) == "ERROR:08P01 ready:I");
    CHECK(rig.ask(script.empty(wire::client_type::execute).sync()) == "ERROR:08P01 ready:I");
}
