#include <pgweir/admin/console.hpp>

#include <pgweir/base/log.hpp>
#include <pgweir/net/channel.hpp>

#include "session.hpp"

#include <utility>

namespace pgweir::admin {

using net::Task;
using wire::ErrorText;

Consoles::Consoles(net::Tasks& tasks, net::Inspector& inspector, ConsoleActions actions)
    : tasks_{tasks}, inspector_{inspector}, actions_{std::move(actions)}, timer_{tasks.executor()}
{
}

void Consoles::start() { tasks_.spawn("stats_history", keep_history()); }

void Consoles::open(net::ConsoleClient client)
{
    if (is_closing_) return;
    tasks_.spawn("console", serve(std::move(client)));
}

void Consoles::close()
{
    is_closing_ = true;
    timer_.cancel();
    for (net::Channel* const channel : channels_) channel->close();
}

Task<void> Consoles::serve(net::ConsoleClient client)
{
    net::Channel channel{tasks_.executor(), std::move(client.stream), std::move(client.early)};
    ErrorText refused = refuse(client.user);
    if (refused.message.empty()) {
        log(LogLevel::info, "console_opened", {{"user", client.user}, {"address", client.address}});
        co_await run_session(channel, client.user);
        log(LogLevel::info, "console_closed", {{"user", client.user}, {"address", client.address}});
    } else {
        log(LogLevel::warning,
            "console_refused",
            {{"user", client.user}, {"address", client.address}, {"reason", refused.message}});
        Buffer out;
        wire::append_error(out, refused);
        if (co_await channel.write(std::move(out))) co_return;
    }
    co_await linger(channel);
}

// Empty message: it may enter.
ErrorText Consoles::refuse(const std::string& user) const
{
    if (actions_.access_of(user) == Access::none) {
        return {"FATAL", "42501", "only admin_users and stats_users may use the console", {}, {}};
    }
    if (channels_.size() >= sessions_max) {
        return {"FATAL", "53300", "too many console sessions", {}, {}};
    }
    return {};
}

// The list is changed by statements and not by a destructor: when the context is stopped for good,
// frames die after the consoles.
Task<void> Consoles::run_session(net::Channel& channel, std::string user)
{
    channels_.push_back(&channel);
    Session session{*this, channel, std::move(user)};
    co_await session.run();
    channels_.remove(&channel);
}

// The last word must arrive: closing with bytes unread would reset the connection and lose it.
Task<void> Consoles::linger(net::Channel& channel)
{
    if (is_closing_) co_return;
    channel.stream().shut_down_sending();
    channel.set_deadline(net::Inspector::now() + net::linger_max);
    for (;;) {
        const auto byte = co_await channel.read_single_byte();
        if (!byte) co_return;
    }
}

Task<Table> Consoles::show_table(Show what)
{
    View view;
    view.inspection = co_await inspector_.inspect(detail_of(what));
    view.config = actions_.config();
    Table table = show(what, view, history_);
    for (const WorkerId worker : view.inspection.silent) {
        log(LogLevel::warning, "worker_silent", {{"worker", index_of(worker)}});
    }
    co_return table;
}

Task<void> Consoles::keep_history()
{
    while (!is_closing_) {
        metrics::TotalsByDatabase totals;
        for (const auto& pool : inspector_.pools().all()) metrics::add_to(totals, *pool);
        history_.sample(net::Inspector::now(), std::move(totals));
        timer_.expires_after(StatsHistory::sample_interval);
        co_await timer_.async_wait(net::use_task);
    }
}

} // namespace pgweir::admin
