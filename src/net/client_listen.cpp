// The part of ClientSession that hears notifications from the listener of its pool, so that it
// needs no server of its own for them.
#include <pgweir/base/log.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/listener.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/welcome.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/forward.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir::net {

using session::Listening;
using session::Part;

namespace {

// "utf8" and "UTF-8" are one.
std::string encoding_of(const session::Settings& settings)
{
    const std::string* const value = settings.find("client_encoding");
    std::string name = value != nullptr ? encoding_key(*value) : std::string{};
    return name == "unicode" ? "utf8" : name;
}

} // namespace

// The listener's servers speak the default encoding.
bool ClientSession::can_share_listener() const
{
    if (pool_->pool->shared().size() < 2) return false; // the only server is for those who work
    const std::string wanted = encoding_of(*state_.wanted);
    return wanted.empty() || wanted == encoding_of(*server_->state.defaults);
}

// What its last transaction has left it with.
void ClientSession::follow_channels()
{
    if (!state_.channels && !state_.listening) return;
    if (!state_.listening) {
        if (!can_share_listener()) return; // it keeps its server
        state_.listening = std::make_unique<Listening>(id(), pool_->pool->cut_channel());
        pool_->audience.join(*state_.listening);
    }
    Listening& listening = *state_.listening;
    Listening::Change change = listening.want(session::all_of(state_.channels));
    pool_->audience.update(listening);
    if (!change.less.empty()) {
        worker_->tell_listener(*pool_, [less = std::move(change.less)](Listener& listener) {
            listener.unsubscribe(less);
        });
    }
    if (!change.more.empty()) {
        const session::Subscriber subscriber{worker_->id(), id(), listening.request()};
        worker_->tell_listener(
            *pool_,
            [subscriber, more = std::move(change.more)](Listener& listener) {
                listener.subscribe(subscriber, more);
            }
        );
    }
    const bool is_handed_over = listening.is_handed_over();
    state_.pins = is_handed_over ? state_.pins.without(Part::channels)
                                 : state_.pins | Part::channels;
}

void ClientSession::stop_listening()
{
    if (!state_.listening) return;
    worker_->tell_listener(*pool_, [channels = state_.listening->wanted()](Listener& listener) {
        listener.unsubscribe(channels);
    });
    pool_->audience.leave(*state_.listening);
    state_.listening = nullptr;
}

bool ClientSession::waits_for_listener() const
{
    return state_.listening && state_.pins.has(Part::channels) && !owns_server();
}

void ClientSession::listening_granted(std::uint64_t request)
{
    if (is_over() || !state_.listening) return;
    Listening& listening = *state_.listening;
    listening.granted(request);
    if (!listening.is_granted() || listening.is_handed_over()) return;
    if (server_ != nullptr) return release_if_idle();
    listening.take_all(); // the server was lost that has heard for it until now
    pool_->audience.update(listening);
    deliver_notifications();
}

// Between two transactions. From the listener, while it is needed, comes nothing more.
void ClientSession::continue_handover()
{
    Listening& listening = *state_.listening;
    if (!listening.is_granted()) {
        const session::Subscriber subscriber{worker_->id(), id(), listening.request()};
        worker_->tell_listener(*pool_, [subscriber](Listener& listener) {
            listener.offer(subscriber);
        });
        return;
    }
    await(Awaited::handover);
    reopenings_ = pool_->audience.reopenings();
    session::Gather& out = worker_->to_server();
    for (const std::string& sql : {listening.cut_sql(), listening.end_of_cut_sql()}) {
        session::append_hidden_query(server_->state, sql, false, out);
    }
    send_to_server();
}

void ClientSession::handed_over()
{
    has_come(Awaited::handover);
    query_at_ = {};
    Listening& listening = *state_.listening;
    auto error = std::exchange(server_->state.hidden_error, std::nullopt);
    if (error || !listening.is_handed_over()) {
        log(LogLevel::warning,
            "listening_not_shared",
            {{"client", static_cast<std::uint64_t>(id())},
             {"pool", pool_->pool->label()},
             {"reason", error ? error->message : std::string{"the server did not tell it"}}});
        listening.give_up();
        return;
    }
    // The listener may not have heard of it: it was lost on the way.
    if (reopenings_ != pool_->audience.reopenings()) listening.take_all();
    pool_->audience.update(listening);
    state_.pins = state_.pins.without(Part::channels);
    if (state_.pins.empty()) give_server_back(false);
    deliver_notifications();
    if (is_draining_) drain();
}

// The listener asks for its server.
void ClientSession::donate()
{
    const bool is_at_rest = !is_over() && waits_for_listener() && state_.pins == Part::channels
                            && server_ != nullptr && (awaits_ & our_work).empty()
                            && state_.stream.remaining == 0 && server_->state.doubts.empty()
                            && server_->can_follow_client();
    if (!is_at_rest) {
        worker_->tell_listener(*pool_, [](Listener& listener) { listener.declined(); });
        return;
    }
    Server& server = *std::exchange(server_, nullptr);
    server.client = nullptr;
    is_lease_new_ = false;
    has_come(Awaited::replies);
    state_.pins = {};
    std::string cut = state_.listening->cut_here();
    worker_->give_to_listener(server, std::move(cut));
    if (is_draining_) drain();
}

// What its own transaction has sent comes before that is said to be over, and what others have sent
// before that.
void ClientSession::hold_for_news()
{
    await(Awaited::news);
    const session::Subscriber subscriber{worker_->id(), id()};
    worker_->tell_listener(*pool_, [subscriber](Listener& listener) {
        listener.catch_up(subscriber);
    });
}

void ClientSession::caught_up()
{
    if (is_over() || !awaits_.has(Awaited::news)) return;
    has_come(Awaited::news);
    const std::uint32_t own = std::exchange(server_->state.own_notifications, 0);
    if (state_.listening) {
        state_.listening->inbox.claim(own, server_->state.process_id, process_id_of(id()));
        state_.listening->has_caught_up = true;
    }
    if (!tell_news()) return leave(ClientEnd::gone);
    process_replies(server_->input.kept());
    if (!is_over()) advance();
}

// PostgreSQL, too, says nothing within a transaction. Who does not read gets no more to read.
void ClientSession::deliver_notifications()
{
    if (!state_.listening || is_over() || !output_.empty()) return;
    if (state_.block) return; // it has begun a transaction, though no server knows of it yet
    const bool is_at_work = !(awaits_ & our_work).empty();
    const bool is_between = server_ == nullptr
                            || (!is_at_work && keeps_server() && server_->state.is_idle()
                                && server_->state.doubts.empty());
    if (is_between && !tell_news()) leave(ClientEnd::gone);
}

// False: the client is gone.
bool ClientSession::tell_news()
{
    if (!state_.listening || state_.listening->inbox.empty()) return true;
    session::Gather& out = worker_->to_client();
    Listening& listening = *state_.listening;
    listening.told += listening.inbox.drain(out.own(), process_id_of(id()));
    out.commit();
    pool_->counters.listen_delivered.add(std::exchange(listening.told, 0));
    return send_to_client();
}

} // namespace pgweir::net
