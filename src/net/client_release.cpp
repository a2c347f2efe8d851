// The part of ClientSession that gives servers back: when all is answered, and it is known what was
// done to the session.
#include <pgweir/base/log.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/question.hpp>

#include <chrono>
#include <utility>

namespace pgweir::net {

// Session mode and replication: the server stays until the client goes.
bool ClientSession::owns_server() const
{
    return replication_ != nullptr || pool_->options.mode == pool::Mode::session;
}

bool ClientSession::is_pinned() const
{
    if (state_.pins.empty()) return false; // nearly always
    return pool_->options.pin == pool::Pin::automatic || waits_for_listener();
}

bool ClientSession::keeps_server() const { return owns_server() || is_pinned(); }

void ClientSession::replies_ended(std::uint32_t ready)
{
    if (awaits_.has(Awaited::proof)) {
        if (server_->state.replies.empty()) settings_proven();
        return;
    }
    if (awaits_.has(Awaited::answer)) {
        if (server_->state.replies.empty()) answered();
        return;
    }
    if (awaits_.has(Awaited::handover)) {
        if (server_->state.replies.empty()) handed_over();
        return;
    }
    if (server_->state.hidden_error) {
        // The statement that aborts a transaction fails on purpose; SETs that worked before do not.
        if (!is_transaction_timed_out_) return settings_failed();
        server_->state.hidden_error.reset();
    }
    if (ready == 0) return;
    is_logging_in_ = false;
    const TimePoint now = worker_->now();
    pool_->counters.query_time.observe(now - query_at_);
    query_at_ = server_->state.replies.empty() ? TimePoint{} : now;
    quiet_at_ = now;
    active_at_ = now;
    cancel_at_ = TimePoint::max();
    rest_if_thinking();
    const bool is_block = pool_->options.mode == pool::Mode::statement
                          && server_->state.status != 'I';
    if (is_block) {
        end(ClientEnd::refused,
            {"FATAL",
             "0A000",
             "transaction blocks are not allowed in statement pooling mode",
             {},
             "Set pool.mode to \"transaction\" for this database or user."});
        return;
    }
    if (!keeps_server() || server_->state.status != 'I') return;
    pool_->counters.transactions.add(); // in session mode no lease ends to count it
    pool_->counters.transaction_time.observe(now - lent_at_);
    lent_at_ = now;
    is_transaction_timed_out_ = false;
    if (is_draining_) drain();
}

// In an open transaction, and it has said nothing more so far.
void ClientSession::rest_if_thinking()
{
    if (server_->state.status == 'I' || query_at_ != TimePoint{}) return;
    pool_->core.rest(*server_, worker_->now());
    worker_->obey(*pool_);
}

void ClientSession::release_if_idle()
{
    const bool is_at_work = !(awaits_ & (our_work | held_back)).empty();
    if (server_ == nullptr || is_at_work || owns_server()) return;
    const bool is_done = server_->state.is_idle() && server_->output.empty() && output_.empty()
                         && state_.stream.remaining == 0;
    if (!is_done) return;
    if (!server_->state.doubts.empty()) return ask();
    if (!is_pinned()) return release();
    if (waits_for_listener()) return continue_handover();
    if (pinned_at_ == TimePoint{}) log_pin();
}

// What has it done to its session? The client is not kept waiting, unless it wants something now.
void ClientSession::ask()
{
    pool_->counters.state_questions.add();
    session::ask(server_->state, pool_->knowledge, worker_->to_server());
    if (worker_->to_server().empty()) return answered(); // nothing that PostgreSQL could tell
    await(Awaited::answer);
    send_to_server();
}

void ClientSession::answered()
{
    has_come(Awaited::answer);
    query_at_ = {};
    Server& server = *server_;
    if (server.state.hidden_error) return question_failed();
    const bool was_pinned = is_pinned();
    session::take_answer(server.state, state_, pool_->knowledge);
    if (!server.state.doubts.empty()) return ask(); // about what the answer has named
    follow_channels();
    if (!is_pinned()) {
        if (!state_.pins.empty()) log_dropped_state();
        if (!was_pinned) return release();
        give_server_back(false);
    } else {
        is_lease_new_ = true; // what it wants may differ from what the server has
        if (!was_pinned) return pinned();
    }
    if (is_draining_) drain();
}

// Its transaction is over, and counted, though the server stays.
void ClientSession::pinned()
{
    const bool is_for_a_moment = state_.pins == session::Part::channels && waits_for_listener();
    if (!is_for_a_moment) log_pin();
    pool_->counters.transactions.add();
    pool_->counters.transaction_time.observe(worker_->now() - lent_at_);
    lent_at_ = worker_->now();
    if (is_draining_) drain();
}

void ClientSession::log_pin()
{
    pinned_at_ = worker_->now();
    pool_->counters.pins.add();
    pool_->core.park(*server_, worker_->now());
    worker_->obey(*pool_);
    log(LogLevel::info,
        "client_pinned",
        {{"client", static_cast<std::uint64_t>(id())},
         {"pool", pool_->pool->label()},
         {"reason", session::names_of(state_.pins)},
         {"statement", server_->state.doubtful}});
}

[[gnu::noinline]] void ClientSession::log_unpin()
{
    const auto held = std::chrono::duration_cast<std::chrono::milliseconds>(
        worker_->now() - std::exchange(pinned_at_, {})
    );
    log(LogLevel::info,
        "client_unpinned",
        {{"client", static_cast<std::uint64_t>(id())},
         {"pool", pool_->pool->label()},
         {"milliseconds", static_cast<std::uint64_t>(held.count())}});
}

// pin = "never", or what pin = "error" could not see coming.
void ClientSession::log_dropped_state()
{
    log(LogLevel::info,
        "state_dropped",
        {{"client", static_cast<std::uint64_t>(id())},
         {"pool", pool_->pool->label()},
         {"reason", session::names_of(state_.pins)},
         {"statement", server_->state.doubtful}});
}

// Nothing else keeps it on its server.
bool ClientSession::waits_for_sequences() const
{
    return state_.pins == session::Part::sequences && !owns_server()
           && !awaits_.has(Awaited::answer);
}

void ClientSession::unpin()
{
    state_.pins = {};
    give_server_back(false);
}

// Nobody knows what its session has: the server goes through a reset, and the client goes on with
// what was known before.
void ClientSession::question_failed()
{
    log(LogLevel::warning,
        "question_failed",
        {{"client", static_cast<std::uint64_t>(id())},
         {"pool", pool_->pool->label()},
         {"reason", server_->state.hidden_error->message}});
    server_->state.hidden_error.reset();
    session::give_up_question(server_->state, pool_->knowledge);
    give_server_back(false);
    if (is_draining_) drain();
}

void ClientSession::release()
{
    pool_->counters.transactions.add();
    pool_->counters.transaction_time.observe(worker_->now() - lent_at_);
    give_server_back(false);
    deliver_notifications();
    if (is_draining_) drain();
}

void ClientSession::give_server_back(bool wants_cancel)
{
    if (server_ == nullptr) return;
    if (pinned_at_ != TimePoint{}) log_unpin();
    Server& server = *std::exchange(server_, nullptr);
    server.client = nullptr;
    is_lease_new_ = false;
    has_come(our_work | held_back | Awaited::replies);
    const bool is_marked = !state_.pins.without(session::Part::sequences).empty();
    if (is_marked) server.state.chores |= session::Chore::reset;
    if (state_.pins.has(session::Part::libraries)) server.is_unwanted = true; // they stay loaded
    state_.pins = {};
    const bool is_cut = state_.stream.remaining > 0 && !state_.stream.is_dropped;
    server.give_back(is_cut, wants_cancel);
}

} // namespace pgweir::net
