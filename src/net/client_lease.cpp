// The part of ClientSession that borrows servers, and watches how long things take.
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/duration_text.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/pool/error.hpp>
#include <pgweir/session/fingerprint.hpp>
#include <pgweir/session/new_process.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::net {

namespace {

// A limit of zero is none.
TimePoint after(TimePoint start, Duration limit)
{
    return limit > Duration::zero() ? start + limit : TimePoint::max();
}

// An application that asked for currval() once does not do it after each INSERT. Others want the
// server, too.
constexpr Duration sequence_patience = std::chrono::seconds{5};

} // namespace

// True: go on, with a server or with a refusal.
bool ClientSession::acquire(Bytes input)
{
    const std::uint64_t hash = session::state_hash(
        *state_.wanted, state_.sql_prepared, state_.channels
    );
    const session::Glance glance = glance_at(input);
    is_plain_select_ = glance.is_plain_select;
    if (glance.fingerprint != noted_class_) note_class(input, glance.fingerprint);
    pool::Core::Request request{pool::ClassId{glance.fingerprint}, hash, last_server_};
    if (pool::Slot* const slot = pool_->core.take_idle_for(request, worker_->now())) {
        pool_->counters.wait_time.observe(Duration::zero());
        attach(static_cast<Server&>(*slot));
        return server_ != nullptr;
    }
    if (grouped_ != state_.wanted) look_at_group(); // its name may have changed
    if (const auto error = pool_->core.wait(*this, worker_->now(), request)) {
        worker_->obey(*pool_);
        refused(*error);
        return true;
    }
    await(Awaited::server);
    worker_->obey(*pool_);
    return false;
}

// A transaction's class is what its first message says; that of a replication client says nothing
// about the rest.
session::Glance ClientSession::glance_at(Bytes input) const
{
    if (!pool_->core.tells_apart() || replication_) return {};
    return session::glance_at_transaction(state_, input);
}

void ClientSession::granted(Server& server)
{
    has_come(Awaited::server);
    pool_->counters.wait_time.observe(worker_->now() - since());
    attach(server);
    if (server_ != nullptr) worker_->run_again(*this);
}

void ClientSession::attach(Server& server)
{
    if (replication_ && !server.is_replication()) return swap_for_new(server);
    server_ = &server;
    last_server_ = &server;
    server.client = this;
    server.use = ServerUse::lent;
    lent_at_ = worker_->now();
    quiet_at_ = lent_at_;
    query_at_ = {};
    cancel_at_ = TimePoint::max();
    is_transaction_timed_out_ = false;
    is_lease_new_ = true;
    pool_->counters.server_assignments.add();
    worker_->watch_leases();
}

// One that is opened for this client takes the place of the one that the pool has granted, so that
// the bound holds and the queue is fair: for replication, or because its process was used before.
[[gnu::noinline]] void ClientSession::swap_for_new(Server& server)
{
    server_ = nullptr;
    server.client = nullptr;
    is_lease_new_ = false;
    await(Awaited::server);
    auto pool = pool_->pool;
    pool_->core.park(server, worker_->now());
    worker_->obey(*pool_);
    server.say_good_bye();
    worker_->bury(server);
    std::vector<session::Settings::Entry> parameters;
    if (replication_) parameters = *replication_;
    worker_->front_door().open_for(std::move(pool), worker_->id(), id(), std::move(parameters));
}

// Makes the server's settings those of the client. False: they are sent alone first, because no
// server has ever taken them, and a statement must not run without them.
bool ClientSession::begin_lease(Bytes input)
{
    is_lease_new_ = false;
    server_->state.sender.lent_to(id());
    if (server_->is_replication()) return true; // its startup packet had them
    const bool may_look = !is_plain_select_ && !state_.is_counted;
    if (may_look && session::looks_at_sessions(input)) {
        state_.is_counted = true;
        swap_for_new(*server_);
        return false;
    }
    if (state_.wanted->makes_temp_schema() && !is_pinned()
        && !session::may_make_temp_schema(server_->state, state_)) {
        swap_for_new(*server_);
        return false;
    }
    if (session::fits(server_->state, state_)) return true;
    if (!session::reconcile_server(server_->state, state_, worker_->to_server())) return true;
    pool_->counters.settings_replays.add();
    server_->state_hash = session::state_hash(*state_.wanted, state_.sql_prepared, state_.channels);
    if (session::same_settings(pool_->proven, state_.wanted)) return true;
    if (pool_->pool->is_proven(*state_.wanted)) {
        pool_->proven = state_.wanted;
        return true;
    }
    await(Awaited::proof);
    send_to_server();
    return false;
}

void ClientSession::settings_proven()
{
    has_come(Awaited::proof);
    query_at_ = {};
    if (!server_->state.hidden_error) {
        pool_->pool->set_proven(*state_.wanted);
        pool_->proven = state_.wanted;
        return;
    }
    // Nothing was sent yet but the settings. At login that is refused; later, what asks for a
    // server.
    refusal_ = std::make_unique<wire::ErrorText>(
        *std::exchange(server_->state.hidden_error, std::nullopt)
    );
    refusal_->severity = "ERROR";
    give_server_back(false);
}

// SETs that a server has taken before have failed now, and the client's message was right behind
// them: it may have run without its settings, which must not go unsaid.
void ClientSession::settings_failed()
{
    wire::ErrorText error = *std::exchange(server_->state.hidden_error, std::nullopt);
    error.severity = "FATAL";
    end(ClientEnd::refused, error);
}

// Only who has a deadline is in the wheel: a pool without time-outs costs nothing here.
void ClientSession::update_deadline()
{
    const bool has_limit = is_waiting() || is_closing();
    if (!has_limit && !pool_->has_timeouts && state_.pins.empty()) return;
    const TimePoint time = deadline();
    if (time != TimePoint::max()) worker_->wheel().schedule(*this, time);
}

// Small: nearly always it waits for a server.
TimePoint ClientSession::deadline() const
{
    if (is_closing()) return close_at_;
    if (is_waiting()) return after(since(), pool_->options.query_wait_timeout);
    return open_deadline();
}

TimePoint ClientSession::open_deadline() const
{
    if (server_ != nullptr) return lease_deadline();
    if (state_.block) return after(active_at_, pool_->options.idle_transaction_timeout);
    return after(active_at_, pool_->options.client_idle_timeout);
}

TimePoint ClientSession::lease_deadline() const
{
    const pool::Options& options = pool_->options;
    if (cancel_at_ != TimePoint::max()) return after(cancel_at_, options.cancel_wait_timeout);

    TimePoint time = TimePoint::max();
    if (!server_->state.is_quiet()) {
        if (query_at_ != TimePoint{}) time = after(query_at_, options.query_timeout);
    } else if (server_->state.status != 'I') {
        time = after(quiet_at_, options.idle_transaction_timeout);
    } else if (keeps_server()) {
        const TimePoint idle = after(active_at_, options.client_idle_timeout);
        return waits_for_sequences() ? std::min(idle, active_at_ + sequence_patience) : idle;
    }
    if (is_transaction_timed_out_) return time;
    return std::min(time, after(lent_at_, options.transaction_timeout));
}

void ClientSession::on_deadline(TimePoint now)
{
    if (is_gone()) return;
    if (deadline() > now) return update_deadline();
    if (is_closing()) return leave(ClientEnd::gone);
    if (is_waiting()) {
        // False: a server or a refusal is on its way, and settles it.
        if (pool_->core.withdraw(*this)) refused(pool::Errc::wait_timed_out);
        return;
    }
    if (server_ != nullptr && !(keeps_server() && server_->state.is_idle())) {
        lease_timed_out(now);
        if (!is_gone()) update_deadline();
        return;
    }
    if (state_.block) return end_idle_transaction();
    if (waits_for_sequences() && now >= active_at_ + sequence_patience) return unpin();
    pool_->counters.client_idle_timeouts.add();
    end(ClientEnd::idle_timeout,
        {"FATAL",
         "57P05",
         "terminating connection due to client_idle_timeout",
         "The client was idle for " + duration_text(pool_->options.client_idle_timeout) + ".",
         {}});
}

void ClientSession::lease_timed_out(TimePoint now)
{
    const pool::Options& options = pool_->options;
    if (cancel_at_ != TimePoint::max()) {
        return end(
            ClientEnd::server_lost,
            {"FATAL",
             "57014",
             "the server did not react to a cancel request",
             "cancel_wait_timeout is " + duration_text(options.cancel_wait_timeout) + ".",
             {}}
        );
    }
    const bool is_busy = !server_->state.is_quiet();
    const bool is_transaction_over = !is_transaction_timed_out_
                                     && options.transaction_timeout > Duration::zero()
                                     && now - lent_at_ >= options.transaction_timeout;
    if (is_transaction_over) {
        is_transaction_timed_out_ = true;
        pool_->counters.transaction_timeouts.add();
        if (!is_busy) return abort_idle_transaction();
        return cancel_for("transaction_timeout", options.transaction_timeout);
    }
    if (is_busy) {
        pool_->counters.query_timeouts.add();
        return cancel_for("query_timeout", options.query_timeout);
    }
    end_idle_transaction();
}

void ClientSession::end_idle_transaction()
{
    const pool::Options& options = pool_->options;
    pool_->counters.idle_transaction_timeouts.add();
    end(ClientEnd::idle_transaction_timeout,
        {"FATAL",
         "25P03",
         "terminating connection due to idle_transaction_timeout",
         "The transaction was idle for " + duration_text(options.idle_transaction_timeout)
             + " and has been rolled back.",
         {}});
}

namespace {

wire::ErrorText timeout_error(const char* what, const char* setting, Duration limit)
{
    return {
        "ERROR",
        "57014",
        std::string{"canceling "} + what + " due to " + setting,
        std::string{setting} + " is " + duration_text(limit) + ".",
        {}
    };
}

} // namespace

void ClientSession::cancel_for(const char* setting, Duration limit)
{
    server_->state.cancel_reason = timeout_error("statement", setting, limit);
    cancel_at_ = worker_->now();
    server_->request_cancel();
}

// PostgreSQL gives up all locks of a failed transaction. The client learns why with its next
// statement, and ends the transaction itself.
void ClientSession::abort_idle_transaction()
{
    session::Gather& out = worker_->to_server();
    wire::append_query(out.own(), "ROLLBACK TO SAVEPOINT \"pgweir transaction_timeout\"");
    out.commit();
    server_->state.replies.push({.reply = session::Reply::query, .is_hidden = true});
    server_->state.abort_reason = timeout_error(
        "transaction", "transaction_timeout", pool_->options.transaction_timeout
    );
    send_to_server();
}

} // namespace pgweir::net
