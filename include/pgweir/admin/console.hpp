// The console: sessions that answer themselves instead of being relayed. Simple and extended
// protocol, so that any driver can ask; what is done is decided by command and show.
#pragma once

#include <pgweir/admin/command.hpp>
#include <pgweir/admin/show.hpp>
#include <pgweir/admin/stats_history.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/front_door.hpp>
#include <pgweir/net/inspection.hpp>
#include <pgweir/net/spawn.hpp>
#include <pgweir/wire/messages.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::admin {

/// What the daemon can do, called on the control thread. An error with an empty message: done.
struct ConsoleActions {
    using Database = std::optional<std::string>; // empty: all

    std::function<Access(std::string_view user)> access_of; // asked for each command
    /// Done when no server connection is in use any more, and those that were are closed.
    std::function<net::Task<wire::ErrorText>(Database)> pause;
    std::function<wire::ErrorText(Database)> resume;
    std::function<wire::ErrorText(Database)> reconnect;
    std::function<std::string()> reload; // problems as text; empty: none
    std::function<void()> shutdown;      // must only start it
    std::function<ConfigView()> config;
};

/// Lives on the control thread. All tasks must be over, or their context stopped for good, before
/// it goes.
class Consoles {
public:
    static constexpr std::size_t sessions_max = 100;

    Consoles(net::Tasks& tasks, net::Inspector& inspector, ConsoleActions actions);
    Consoles(const Consoles&) = delete;
    Consoles& operator=(const Consoles&) = delete;

    /// Begins to collect what SHOW STATS averages. Call once.
    void start();
    /// A client that has logged in, its ReadyForQuery sent.
    void open(net::ConsoleClient client);
    /// Ends all sessions and tasks soon.
    void close();
    [[nodiscard]] std::size_t session_count() const { return channels_.size(); }

    // For a session.
    [[nodiscard]] const ConsoleActions& actions() const { return actions_; }
    net::Task<Table> show_table(Show what);

private:
    net::Task<void> serve(net::ConsoleClient client);
    [[nodiscard]] wire::ErrorText refuse(const std::string& user) const;
    net::Task<void> run_session(net::Channel& channel, std::string user);
    net::Task<void> linger(net::Channel& channel);
    net::Task<void> keep_history();

    net::Tasks& tasks_;
    net::Inspector& inspector_;
    ConsoleActions actions_;
    StatsHistory history_;
    net::Timer timer_;
    std::list<net::Channel*> channels_; // each lives in the frame of its session's task
    bool is_closing_ = false;
};

} // namespace pgweir::admin
