#include <pgweir/net/listener.hpp>

#include <pgweir/base/log.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/forward.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace pgweir::net {

using session::Event;
using session::Subscriber;

Listener::Listener(Worker& worker, WorkerPool& pool) : worker_{worker}, pool_{pool} {}

Listener::~Listener()
{
    if (is_waiting_) static_cast<void>(pool_.core.withdraw(waiter_)); // the process ends
}

void Listener::subscribe(const Subscriber& subscriber, const session::Channels& channels)
{
    subscriptions_.add(channels);
    subscriptions_.wait(subscriber);
    work();
    if (server_ == nullptr) offer(subscriber);
}

void Listener::unsubscribe(const session::Channels& channels)
{
    subscriptions_.remove(channels);
    work();
}

// Who waits in the queue leaves it first: two servers would be one too many.
void Listener::offer(const Subscriber& subscriber)
{
    if (server_ != nullptr || is_asked_ || subscriptions_.empty()) return;
    if (is_waiting_ && !pool_.core.withdraw(waiter_)) return; // one is on its way
    is_waiting_ = false;
    is_asked_ = true;
    worker_.tell_client(
        pool_,
        subscriber,
        [](ClientSession& client) { client.donate(); },
        [](Listener& listener) { listener.declined(); }
    );
}

void Listener::declined()
{
    is_asked_ = false;
    work();
}

// What it says from here on, it says to all.
void Listener::donated(Server& server, std::string_view cut)
{
    is_asked_ = false;
    Event event;
    event.kind = Event::Kind::cut;
    event.notification.payload = cut;
    broadcast({std::move(event)});
    begin(server);
}

void Listener::granted(Server& server)
{
    is_waiting_ = false;
    begin(server);
}

void Listener::refused() { is_waiting_ = false; }

void Listener::catch_up(const Subscriber& subscriber)
{
    if (server_ == nullptr) return reply(subscriber);
    subscriptions_.wait(subscriber);
    work();
}

void Listener::begin(Server& server)
{
    server_ = &server;
    is_open_ = false;
    pool_.core.park(server, worker_.now());
    worker_.obey(pool_);
    server.become_listener();
    work();
}

void Listener::work()
{
    if (server_ == nullptr) return acquire();
    const bool is_at_rest = server_->state.is_idle() && server_->output.empty();
    if (!is_at_rest) return; // it comes by again
    const session::ChannelsRef& has = server_->state.channels;
    if (subscriptions_.empty() && !has) return give_back();
    begin_round();
}

void Listener::acquire()
{
    const bool may_have = pool_.pool->shared().size() > 1; // the only one is for those who work
    if (subscriptions_.empty() || is_waiting_ || is_asked_ || !may_have) return;
    const auto answer = pool_.core.acquire(waiter_, worker_.now(), {});
    if (answer.slot != nullptr) return begin(static_cast<Server&>(*answer.slot));
    is_waiting_ = !answer.error; // else the next tick tries again
    worker_.obey(pool_);
}

// One at a time, for all that has come together meanwhile.
void Listener::begin_round(bool is_due)
{
    std::vector<std::string> names = subscriptions_.names();
    if (!names.empty()) names.push_back(pool_.pool->cut_channel());
    session::ChannelsRef wanted = session::make_channels(std::move(names));
    if (!session::same_channels(wanted, self_.channels)) self_.channels = std::move(wanted);
    const bool is_needed = !session::same_channels(self_.channels, server_->state.channels)
                           || subscriptions_.has_waiting() || !is_open_ || is_due;
    if (!is_needed) return;
    session::Gather& out = worker_.to_server();
    if (!session::reconcile_server(server_->state, self_, out)) {
        session::append_hidden_query(server_->state, "", false, out);
    }
    subscriptions_.begin_round();
    heard_of_ = worker_.now();
    server_->send_round();
}

void Listener::answered()
{
    publish();
    if (server_->state.hidden_error) {
        const std::string reason = std::move(server_->state.hidden_error->message);
        return server_->fail(reason);
    }
    if (!server_->state.is_idle() || !server_->output.empty()) return;
    server_->end_round();
    end_round();
    work();
}

void Listener::end_round()
{
    if (!std::exchange(is_open_, true)) {
        log(LogLevel::info,
            "listener_opened",
            {{"pool", pool_.pool->label()},
             {"server_pid", server_->cancel_target().process_id},
             {"again", was_lost_}});
        if (std::exchange(was_lost_, false)) {
            Event event;
            event.kind = Event::Kind::reopened;
            broadcast({std::move(event)});
        }
    }
    for (const Subscriber& each : subscriptions_.end_round()) reply(each);
}

void Listener::give_back()
{
    is_open_ = false;
    was_lost_ = false;
    log(LogLevel::info, "listener_closed", {{"pool", pool_.pool->label()}});
    Server& server = *std::exchange(server_, nullptr);
    server.state.heard = nullptr;
    server.give_back(false, false);
}

// The server goes its own way. Another one is looked for with the next tick, so that a database
// that is going down is not asked in a circle.
void Listener::lost(std::string_view reason)
{
    publish(); // what it still has said
    server_ = nullptr;
    was_lost_ = true;
    pool_.counters.listen_losses.add();
    log(LogLevel::warning,
        "listener_lost",
        {{"pool", pool_.pool->label()},
         {"channels", static_cast<std::uint64_t>(subscriptions_.size())},
         {"reason", reason}});
    for (const Subscriber& each : subscriptions_.break_round()) reply(each);
}

void Listener::tick()
{
    if (subscriptions_.empty()) was_lost_ = false; // there is nobody to be told
    if (server_ == nullptr) return work();
    if (!server_->state.is_idle()) return;
    const bool is_doubtful = server_->is_unwanted || !server_->state.chores.empty();
    if (is_doubtful) return server_->fail("it is to be replaced");
    const Duration delay = pool_.options.server_check_delay;
    if (delay <= Duration::zero() || worker_.now() - heard_of_ < delay) return;
    begin_round(true); // is it still there?
}

void Listener::publish()
{
    std::vector<session::Notification>& heard = *server_->state.heard;
    if (heard.empty()) return;
    session::Events events;
    for (session::Notification& each : heard) {
        const bool is_cut = each.channel == pool_.pool->cut_channel();
        const Event::Kind kind = is_cut ? Event::Kind::cut : Event::Kind::notification;
        each.sender = pool_.pool->senders().find(each.process_id);
        events.push_back({kind, 0, std::move(each)});
    }
    heard.clear();
    heard_of_ = worker_.now();
    broadcast(std::move(events));
}

void Listener::broadcast(session::Events events)
{
    for (Event& event : events) event.number = ++event_count_;
    worker_.tell_audiences(pool_, std::make_shared<const session::Events>(std::move(events)));
}

void Listener::reply(const Subscriber& subscriber)
{
    worker_.tell_client(
        pool_,
        subscriber,
        [request = subscriber.request](ClientSession& client) {
            if (request != 0) return client.listening_granted(request);
            client.caught_up();
        },
        {}
    );
}

} // namespace pgweir::net
