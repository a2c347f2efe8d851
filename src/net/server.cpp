#include <pgweir/net/server.hpp>

#include <pgweir/base/log.hpp>
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::net {

namespace {

constexpr Duration cancel_again = std::chrono::milliseconds{300};

} // namespace

const char* name_of(ServerUse use)
{
    switch (use) {
    case ServerUse::idle: return "idle";
    case ServerUse::lent: return "active";
    case ServerUse::recovering: return "being_canceled";
    case ServerUse::resetting: return "used";
    case ServerUse::checking: return "tested";
    case ServerUse::held: return "being_canceled";
    case ServerUse::listening: return "listening";
    }
    return "unknown";
}

Server::Server(OpenedServer opened, std::uint64_t serial)
    : stream{std::move(opened.stream)},
      pool_{std::move(opened.pool)},
      cancel_{std::move(opened.cancel)},
      connected_at_{opened.connected_at},
      checked_at_{opened.connected_at},
      epoch_{opened.epoch},
      role_{opened.role},
      is_replication_{opened.is_replication}
{
    is_unwanted = opened.is_unwanted;
    state.serial = serial;
    state.process_id = cancel_.process_id;
    state.sender.open(pool_->senders(), state.process_id);
    state.defaults = std::move(opened.defaults);
}

void Server::attach(Worker& worker, WorkerPool& pool)
{
    worker_ = &worker;
    worker_pool_ = &pool;
    is_leaving = false;
    if (epoch_ != pool_->epoch()) is_unwanted = true; // it was on its way when that changed
    is_readable = stream.is_tls(); // OpenSSL may hold bytes; what the socket has, epoll tells
    worker.reactor().add(stream.fd(), *this);
}

void Server::detach()
{
    worker_->reactor().remove(stream.fd());
    if (is_linked()) unlink();
    worker_ = nullptr;
    worker_pool_ = nullptr;
}

// Who asked for a cancel is told on this worker that it is through.
bool Server::can_follow_client() const
{
    const bool is_at_rest = state.is_idle() && !state.hidden_error && !is_readable && !is_hung_up;
    const bool is_through = !input.has_kept() && output.empty() && !output.is_watched();
    return is_at_rest && is_through && !is_replication_ && cancels_in_flight_ == 0;
}

void Server::on_ready(std::uint32_t events)
{
    if (is_dead || is_leaving) return; // whoever gets it is told by its own reactor
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        is_readable = true;
        stream.note_readable();
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) is_hung_up = true;
    if ((events & EPOLLOUT) != 0 && !flush()) is_readable = true; // reading tells what happened
    if (client != nullptr) {
        client->on_server_ready();
    } else {
        on_own_events();
    }
}

void Server::on_deadline(TimePoint now)
{
    if (is_dead || is_leaving || client != nullptr) return;
    if (deadline_ > now) {
        // A cancel that came before its query was ignored: try again.
        const bool is_stuck = use == ServerUse::recovering && wants_cancel_;
        wake_at(is_stuck ? std::min(deadline_, now + cancel_again) : deadline_);
        if (is_stuck && std::exchange(is_cancel_sent_, false)) recover();
        return;
    }
    const bool is_at_work = use != ServerUse::idle && use != ServerUse::held;
    if (is_at_work) die("it did not answer in time");
}

bool Server::send(const session::Gather& gather)
{
    return output.send(stream, gather, worker_->reactor(), *this);
}

bool Server::flush() { return output.flush(stream, worker_->reactor(), *this); }

void Server::give_back(bool is_cut, bool wants_cancel)
{
    is_used_ = true;
    const bool is_in_doubt = !state.doubts.empty() || !state.lent.names.empty();
    if (is_in_doubt) state.chores |= session::Chore::reset; // nobody is left to be told
    if (!state.lent.names.empty() || state.answer) drop_unfinished();
    state.lent.are_all = false;
    state.own_notifications = 0;
    const bool is_at_rest = state.is_idle() && output.empty() && !input.has_kept();
    if (!is_at_rest || is_replication_ || is_cut) return give_back_at_work(is_cut, wants_cancel);
    use = ServerUse::recovering;
    has_recovered();
}

[[gnu::noinline]] void Server::drop_unfinished()
{
    state.lent.names.clear();
    state.answer = nullptr;
}

[[gnu::noinline]] void Server::give_back_at_work(bool is_cut, bool wants_cancel)
{
    if (is_replication_) return die("its client has left");
    if (is_cut) return die("its client left in the middle of a message");
    use = ServerUse::recovering;
    if (input.has_kept() && !take_alone(input.kept())) return; // it may have been held back
    if (state.is_idle() && output.empty()) return has_recovered();
    wants_cancel_ = wants_cancel;
    is_cancel_sent_ = false;
    // A client that said good-bye behind its last query has a right to it; but not for ever.
    constexpr Duration patience = std::chrono::hours{1};
    deadline_ = worker_->now()
                + (wants_cancel ? worker_pool_->options.cancel_wait_timeout : patience);
    wake_at(wants_cancel ? std::min(deadline_, worker_->now() + cancel_again) : deadline_);
    worker_pool_->counters.servers_recovered.add();
    recover();
    if (is_readable) on_own_events();
}

// Each time that something has come, the next step towards idle.
void Server::recover()
{
    session::ReplyQueue& replies = state.replies;
    if (state.is_idle()) {
        if (output.empty()) has_recovered();
        return;
    }
    Buffer& own = worker_->to_server().own();
    if (std::exchange(state.is_copying_in, false)) wire::append_copy_fail(own, "client has left");
    if (state.is_unsynced || replies.needs_sync()) {
        wire::append_empty(own, wire::client_type::sync);
        replies.push({.reply = session::Reply::sync, .is_hidden = true});
        state.is_unsynced = false;
    }
    if (state.is_quiet() && state.status != 'I') {
        wire::append_query(own, "ROLLBACK");
        replies.push({.reply = session::Reply::query, .is_hidden = true});
    } else if (wants_cancel_ && !is_cancel_sent_ && cancels_in_flight_ == 0) {
        is_cancel_sent_ = true;
        request_cancel();
    }
    if (!send_own()) die("the connection broke");
}

void Server::has_recovered()
{
    if (needs_care()) return take_care();
    return_to_pool();
}

// Each client of session mode gets a clean server. In the other modes that is done only when
// something is left behind that would be in the way of the next client.
bool Server::needs_care() const
{
    const pool::Options& options = worker_pool_->options;
    if (!state.chores.empty()) return true;
    return options.mode == pool::Mode::session && is_used_ && !options.server_reset_query.empty();
}

[[gnu::noinline]] void Server::forget_errors()
{
    state.hidden_error.reset();
    state.cancel_reason.reset();
}

// A cancel request that is still on its way could hit the next client: then it waits.
void Server::return_to_pool()
{
    const bool was_idle = use == ServerUse::checking && lease.kind == pool::Lease::Kind::none;
    if (state.hidden_error || state.cancel_reason) forget_errors();
    state.drops_after_sync = false;
    state.is_unsettled = false;
    state.is_dropping = false;
    state.doubts = {};
    state.changes = {};
    state.has_changes_from_before = false;
    state.unknown_settings.become_known();
    state_hash = session::state_hash(*state.settings, state.sql_prepared, state.channels);
    deadline_ = TimePoint::max();
    if (cancels_in_flight_ > 0) {
        use = ServerUse::held;
        return;
    }
    use = ServerUse::idle;
    pool::Waiter* next = nullptr;
    if (was_idle) {
        worker_pool_->core.checked(*this, worker_->now());
    } else {
        next = worker_pool_->core.release(*this, worker_->now());
    }
    if (next != nullptr) worker_->grant(*this, *next);
    worker_->obey(*worker_pool_);
}

void Server::cancel_finished()
{
    if (--cancels_in_flight_ == 0) receipts_.clear();
    if (use == ServerUse::held) return return_to_pool();
    if (use == ServerUse::recovering) recover(); // what it works at now may be another query
}

void Server::request_cancel_for(Receipt receipt)
{
    receipts_.push_back(std::move(receipt));
    if (!is_being_cancelled()) request_cancel();
}

void Server::request_cancel()
{
    ++cancels_in_flight_;
    worker_pool_->counters.cancels.add();
    worker_->front_door().send_cancel(cancel_, worker_->id(), serial());
}

void Server::on_own_events()
{
    while (!is_dead && !is_leaving && client == nullptr && is_readable) {
        if (!read_alone()) return;
    }
}

// Nobody waits for what comes: it is read for what it tells about the server's state.
bool Server::read_alone()
{
    const auto [bytes, io] = input.read(stream, worker_->receive_buffer(), wanted);
    if (io.status == IoStatus::want_read || io.status == IoStatus::want_write) {
        is_readable = false;
        return false;
    }
    if (io.status != IoStatus::done) {
        die(state.last_words ? std::string_view{state.last_words->message}
                             : std::string_view{"the server closed the connection"});
        return false;
    }
    is_readable = !io.is_drained || is_hung_up;
    const std::size_t outstanding = state.replies.size();
    if (!take_alone(bytes)) return false;
    if (state.replies.size() < outstanding) is_cancel_sent_ = false; // it is at the next one now
    proceed();
    return true;
}

// False: it broke the protocol.
bool Server::take_alone(Bytes bytes)
{
    session::ServerForwarder forwarder{state, nullptr, worker_->to_client()};
    const session::Step step = forwarder.forward(bytes);
    worker_->to_client().clear();
    wanted = step.wanted;
    input.keep(bytes.subspan(step.consumed));
    state.errors.clear();
    state.parsed.clear();
    if (state.is_quiet() && std::exchange(state.has_changed_schema, false)) {
        worker_->schema_changed(*worker_pool_);
    }
    if (step.stop == session::Stop::violation) {
        die(step.error->message);
        return false;
    }
    return true;
}

void Server::proceed()
{
    switch (use) {
    case ServerUse::recovering: return recover();
    case ServerUse::resetting:
    case ServerUse::checking:
        if (!state.is_idle()) return;
        if (state.hidden_error) return die(state.hidden_error->message);
        return use == ServerUse::checking ? checked() : return_to_pool();
    case ServerUse::listening: return worker_pool_->listener->answered();
    case ServerUse::idle:
    case ServerUse::lent:
    case ServerUse::held: return;
    }
}

void Server::become_listener()
{
    use = ServerUse::listening;
    state.heard = std::make_unique<std::vector<session::Notification>>();
}

void Server::send_round()
{
    deadline_ = worker_->now() + worker_pool_->options.cancel_wait_timeout;
    wake_at(deadline_);
    if (!send_own()) die("the connection broke");
}

bool Server::send_own()
{
    session::Gather& out = worker_->to_server();
    out.commit();
    const bool is_sent = send(out);
    out.clear();
    return is_sent;
}

void Server::wake_at(TimePoint time)
{
    if (time != TimePoint::max()) worker_->wheel().schedule(*this, time);
}

void Server::say_good_bye()
{
    Buffer good_bye;
    wire::append_empty(good_bye, wire::client_type::terminate);
    if (output.empty()) static_cast<void>(stream.write(good_bye)); // it notices in any case
}

void Server::stop()
{
    const bool is_busy = !state.is_quiet() && !is_replication_ && !is_being_cancelled();
    if (is_busy) request_cancel();
    say_good_bye();
}

void Server::die(std::string_view reason)
{
    const bool is_expected = is_replication_;
    log(is_expected ? LogLevel::debug : LogLevel::warning,
        "server_closed",
        {{"pool", pool_->label()},
         {"server_pid", cancel_.process_id},
         {"state", name_of(use)},
         {"reason", reason}});
    if (!is_expected) worker_pool_->counters.servers_closed_broken.add();
    if (use == ServerUse::idle) worker_pool_->core.forget_idle(*this);
    if (use == ServerUse::listening) worker_pool_->listener->lost(reason);
    worker_->server_lost(*this);
}

} // namespace pgweir::net
