// The part of ClientSession that ends it.
#include <pgweir/base/log.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/abandon.hpp>
#include <pgweir/wire/messages.hpp>

#include <optional>
#include <utility>

namespace pgweir::net {

const char* name_of(ClientEnd end)
{
    switch (end) {
    case ClientEnd::terminated: return "terminated";
    case ClientEnd::gone: return "gone";
    case ClientEnd::refused: return "refused";
    case ClientEnd::server_lost: return "server_lost";
    case ClientEnd::idle_transaction_timeout: return "idle_transaction_timeout";
    case ClientEnd::idle_timeout: return "client_idle_timeout";
    case ClientEnd::shutting_down: return "shutting_down";
    case ClientEnd::killed: return "killed";
    }
    return "unknown";
}

void ClientSession::on_server_lost(const char* reason)
{
    Server& lost = *server_;
    const bool has_said_why = lost.state.last_words.has_value();
    server_ = nullptr;
    lost.client = nullptr;
    log(LogLevel::warning,
        "server_lost",
        {{"pool", pool_->pool->label()},
         {"server_pid", lost.cancel_target().process_id},
         {"reason", has_said_why ? lost.state.last_words->message : std::string{reason}}});
    const bool is_unread = has_left_unread(lost);
    worker_->server_lost(lost);
    if (has_lost_nothing(lost)) return;
    if (is_unread) return say_again(session::take_back(lost.state, state_));
    wire::ErrorText error{
        "FATAL",
        "08006",
        std::string{reason} + " unexpectedly",
        "The server connection was lost while it served this client.",
        "Try the transaction again."
    };
    if (has_said_why) error = *lost.state.last_words;
    if (can_go_on_without(lost)) return go_on_without(lost, std::move(error));
    const bool is_in_answer = lost.state.stream.remaining > 0 && !lost.state.stream.is_dropped;
    if (is_in_answer) error = {}; // there is no place for it
    end(ClientEnd::server_lost, error);
}

// Only the transaction is lost: its session has nothing there.
bool ClientSession::can_go_on_without(const Server& lost) const
{
    const bool is_held_up = !(awaits_ & (our_work | held_back)).empty();
    return !is_held_up && !owns_server() && !is_logging_in_ && !is_draining_
           && session::may_abandon(lost.state, state_);
}

void ClientSession::go_on_without(Server& lost, wire::ErrorText error)
{
    has_come(Awaited::replies);
    query_at_ = {};
    is_lease_new_ = false;
    error.severity = "ERROR";
    pool_->counters.transactions_lost.add();
    pool_->pool->errors().add(error.sqlstate);
    const bool is_told = session::abandon(lost.state, state_, error, worker_->to_client());
    if (!is_told) refusal_ = std::make_unique<wire::ErrorText>(std::move(error));
    if (!send_to_client()) return leave(ClientEnd::gone);
    worker_->run_again(*this);
}

// PostgreSQL was gone before it could see anything of this client's: it says so when it ends an
// idle connection, and its system says that what has come was not read.
bool ClientSession::has_left_unread(const Server& lost) const
{
    const session::ServerState& state = lost.state;
    const bool may_be = state.rerun.is_unheard && !keeps_server()
                        && state_.reruns < session::Rerun::count_max;
    if (!may_be) return false;
    return lost.has_failed_to_send || (state.last_words && lost.stream.was_reset());
}

// The server was at work for us only, in front of the client's transaction or behind it.
bool ClientSession::has_lost_nothing(const Server& lost)
{
    constexpr auto ours = Flags{Awaited::proof} | Awaited::answer;
    constexpr auto carried = session::Parts{session::Part::settings}
                             | session::Part::prepared_statements | session::Part::channels;
    const bool has_been_changed = !(lost.state.changes & carried).empty(); // how, nobody knows
    const bool was_ours = !(awaits_ & ours).empty();
    if (!was_ours || !state_.pins.empty() || owns_server()) return false;
    if (awaits_.has(Awaited::answer) && has_been_changed) return false;
    has_come(ours | Awaited::replies);
    query_at_ = {};
    worker_->run_again(*this);
    if (is_draining_) drain();
    return true;
}

// What PostgreSQL says to who is ended by pg_terminate_backend(). There is no place for it in the
// middle of a message.
void ClientSession::terminate()
{
    const bool is_in_message = server_ != nullptr && server_->state.stream.remaining > 0
                               && !server_->state.stream.is_dropped;
    wire::ErrorText error{
        "FATAL", "57P01", "terminating connection due to administrator command", {}, {}
    };
    if (is_in_message) error = {};
    end(ClientEnd::killed, error);
}

void ClientSession::hold_for_signal()
{
    await(Awaited::signal);
    worker_->give_signal(*std::exchange(server_->state.signal, std::nullopt), id());
}

void ClientSession::signalled()
{
    if (is_over() || !awaits_.has(Awaited::signal)) return;
    has_come(Awaited::signal);
    process_replies(server_->input.kept());
    if (!is_over()) advance();
}

void ClientSession::drain()
{
    is_draining_ = true;
    if (is_over()) return;
    const bool is_idle = server_ == nullptr ? !is_waiting() && !is_kept_ready_
                                            : keeps_server() && server_->state.is_idle();
    if (!is_idle) return;
    end(ClientEnd::shutting_down,
        {"FATAL",
         "57P01",
         "terminating connection because pgweir is shutting down",
         {},
         "Reconnect: another instance, or the next one, will answer."});
}

// An empty error: nothing is left to say, only to close.
void ClientSession::end(ClientEnd reason, const wire::ErrorText& error)
{
    if (is_over()) return;
    if (!error.message.empty()) {
        wire::append_error(worker_->to_client().own(), error);
        worker_->to_client().commit();
        pool_->pool->errors().add(error.sqlstate);
        if (!send_to_client()) return leave(ClientEnd::gone);
    }
    log(LogLevel::info,
        "client_closed",
        {{"client", static_cast<std::uint64_t>(id())},
         {"pool", pool_->pool->label()},
         {"reason", name_of(reason)},
         {"message", error.message}});
    if (is_waiting()) static_cast<void>(pool_->core.withdraw(*this)); // false: see Worker::grant
    has_come(Awaited::server);
    give_server_back(true);
    stop_listening();
    phase_ = Phase::closing;
    close_at_ = worker_->now() + linger_max;
    if (output_.empty()) stream_.shut_down_sending();
    update_deadline();
    if (is_readable_) discard_input();
}

void ClientSession::discard_input()
{
    for (;;) {
        const IoResult io = stream_.read(worker_->receive_buffer());
        if (io.status == IoStatus::want_read || io.status == IoStatus::want_write) return;
        if (io.status != IoStatus::done) return leave(ClientEnd::gone);
    }
}

void ClientSession::leave(ClientEnd reason)
{
    if (is_gone()) return;
    if (is_waiting()) static_cast<void>(pool_->core.withdraw(*this)); // false: see Worker::grant
    has_come(Awaited::server);
    if (phase_ == Phase::open) {
        log(LogLevel::debug,
            "client_closed",
            {{"client", static_cast<std::uint64_t>(id())},
             {"pool", pool_->pool->label()},
             {"reason", name_of(reason)}});
    }
    give_server_back(reason != ClientEnd::terminated);
    stop_listening();
    phase_ = Phase::gone;
    worker_->bury(*this);
}

} // namespace pgweir::net
