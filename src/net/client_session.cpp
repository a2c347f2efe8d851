#include <pgweir/net/client_session.hpp>

#include <pgweir/base/log.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/block_edge.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::net {

using session::ClientForwarder;
using session::ServerForwarder;
using session::Step;
using session::Stop;

ClientSession::ClientSession(Worker& worker, WorkerPool& pool, LoggedInClient client)
    : Waiter{client.id, worker.id()},
      worker_{&worker},
      pool_{&pool},
      stream_{std::move(client.stream)},
      address_{std::move(client.address)},
      connected_at_{client.connected_at},
      active_at_{worker.now()}
{
    state_.id = client.id;
    state_.startup = client.startup;
    state_.wanted = client.startup;
    input_.keep(client.early);
    is_kept_ready_ = !client.early.empty();
    is_logging_in_ = client.is_unproven;
    if (client.wants_replication) {
        replication_ = std::make_unique<std::vector<session::Settings::Entry>>(
            std::move(client.replication_parameters)
        );
    }
}

const Pool& ClientSession::pool() const { return *pool_->pool; }

// The socket may have become readable before it was watched; epoll says so by itself. Who knows its
// process id can find it: it is told no earlier.
void ClientSession::start(Bytes welcome)
{
    worker_->reactor().add(stream_.fd(), *this);
    is_readable_ = stream_.is_tls(); // OpenSSL may hold bytes that the socket does not show
    append(worker_->to_client().own(), welcome);
    worker_->to_client().commit();
    if (!send_to_client()) return leave(ClientEnd::gone);
    advance();
}

void ClientSession::on_ready(std::uint32_t events)
{
    if (is_gone()) return;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        is_readable_ = true;
        stream_.note_readable();
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) is_hung_up_ = true;
    if ((events & EPOLLOUT) != 0 && !flush_client()) return leave(ClientEnd::gone);
    if (is_closing()) return discard_input();
    if (is_waiting() && is_hung_up_) return leave(ClientEnd::gone);
    advance(); // what it said before it closed still counts
    // Where TCP brings a FIN, a unix socket hangs up: a good-bye is read when the server has told
    // us what we have asked it, and no query of its own is left.
    if ((events & (EPOLLHUP | EPOLLERR)) == 0 || is_gone()) return;
    const bool may_say_good_bye = (events & EPOLLERR) == 0 && awaits_.has(Awaited::answer);
    if (!may_say_good_bye) leave(ClientEnd::gone);
}

// Replies first: they may free the server, and what the client wants next may depend on them.
void ClientSession::advance()
{
    bool goes_on = true;
    while (goes_on && !is_over()) {
        if (can_read_server()) {
            pump_server();
        } else {
            goes_on = can_read_client() && (pump_client() || can_read_server());
        }
    }
    if (is_gone()) return;
    if (state_.listening) deliver_notifications();
    if (!is_gone()) update_deadline();
}

// Nothing is read for which there is no room on the other side.
bool ClientSession::can_read_client() const
{
    if (!is_readable_ && !is_kept_ready_) return false;
    const bool is_stopped = !awaits_.without(Awaited::news).empty() || !output_.empty();
    return !is_stopped && (server_ == nullptr || server_->output.empty());
}

bool ClientSession::can_read_server() const
{
    return server_ != nullptr && server_->is_readable && output_.empty()
           && (awaits_ & held_back).empty();
}

bool ClientSession::pump_client()
{
    if (is_kept_ready_) return process(input_.kept());

    ++work_;
    const auto [bytes, io] = input_.read(stream_, worker_->receive_buffer(), wanted_);
    switch (io.status) {
    case IoStatus::done: break;
    case IoStatus::want_read: is_readable_ = false; return false;
    case IoStatus::want_write: // TLS wants to say something first
        is_readable_ = false;
        output_.watch(stream_, worker_->reactor(), *this, true);
        return false;
    case IoStatus::closed:
    case IoStatus::failed: leave(ClientEnd::gone); return false;
    }
    is_readable_ = !io.is_drained || is_hung_up_;
    active_at_ = worker_->now();
    pool_->counters.bytes_from_clients.add(io.size);
    return process(bytes);
}

// A request is at the front that only a server can answer.
bool ClientSession::needs_server_now(Bytes input) const
{
    if (server_ != nullptr || state_.stream.remaining > 0) return false;
    if (input.size() < wire::frame_header_size) return false;
    const char type = std::to_integer<char>(input.front());
    if ((wire::client_type_traits(type) & wire::is_server_type) == 0) return false;
    const bool is_lazy = (pool_->forward.begins_lazily || state_.block) && !replication_;
    return !is_lazy || !session::may_be_block_edge(input);
}

bool ClientSession::process(Bytes input)
{
    for (;;) {
        if (state_.is_skipping || refusal_) {
            if (!refuse_front(input)) return true;
            continue;
        }
        if (!has_server_for(input)) {
            keep(input, true);
            return !is_over();
        }
        if (!refusal_ && !forward(input)) return !is_over();
    }
}

// True also when there is none and a refusal instead. The forwarder would ask for a server, too,
// but only after it has begun.
bool ClientSession::has_server_for(Bytes input)
{
    if (needs_server_now(input) && !acquire(input)) return false;
    return refusal_ || !is_lease_new_ || begin_lease(input);
}

// True: there is more to do with what is left of the input.
bool ClientSession::forward(Bytes& input)
{
    session::ServerState* const server = server_ != nullptr ? &server_->state : nullptr;
    const session::Outputs outputs{worker_->to_server(), worker_->to_client()};
    const session::Context context{
        pool_->forward, worker_->statements(), pool_->knowledge, &pool_->clientele
    };
    ClientForwarder forwarder{context, state_, outputs};
    const Step step = forwarder.forward(input, server, std::exchange(is_plain_select_, false));
    count(step.counts);
    if (pool_->knowledge.has_news) worker_->share_knowledge(*pool_);
    input = input.last(input.size() - step.consumed);
    send_to_server();
    const bool says_nothing = worker_->to_client().empty(); // nearly always
    if (says_nothing || send_to_client()) return follow(step, input);
    leave(ClientEnd::gone);
    return false;
}

// True: there is a server now (or a refusal), go on with the same input.
bool ClientSession::follow(const Step& step, Bytes rest)
{
    switch (step.stop) {
    case Stop::need_input:
        wanted_ = step.wanted;
        keep(rest, false);
        if (server_ == nullptr) {
            if (is_draining_) drain(); // it was answered without one
        } else if (server_->state.replies.empty()) {
            release_if_idle(); // the rest of a message may take its time
        }
        return false;
    case Stop::need_server:
        if (acquire(rest)) return true;
        keep(rest, true);
        return false;
    case Stop::need_replies:
        await(Awaited::replies);
        keep(rest, true);
        return false;
    case Stop::terminate: leave(ClientEnd::terminated); return false;
    case Stop::violation: end(ClientEnd::refused, *step.error); return false;
    case Stop::say_again: // a server's, all of them
    case Stop::need_news:
    case Stop::need_signal: return false;
    }
    return false;
}

void ClientSession::pump_server()
{
    ++work_;
    const auto [bytes, io] = server_->input.read(
        server_->stream, worker_->receive_buffer(), server_->wanted
    );
    switch (io.status) {
    case IoStatus::done: break;
    case IoStatus::want_read:
    case IoStatus::want_write: server_->is_readable = false; return;
    case IoStatus::closed: return on_server_lost("the server closed the connection");
    case IoStatus::failed: return on_server_lost("the connection to the server broke");
    }
    server_->is_readable = !io.is_drained || server_->is_hung_up;
    pool_->counters.bytes_from_servers.add(io.size);
    process_replies(bytes);
}

void ClientSession::process_replies(Bytes input)
{
    ServerForwarder forwarder{server_->state, &state_, worker_->to_client()};
    const Step step = forwarder.forward(input);
    server_->wanted = step.wanted;
    const bool is_sent = send_to_client();
    server_->input.keep(input.last(input.size() - step.consumed));
    look_at_news();
    if (!is_sent) return leave(ClientEnd::gone);
    if (step.stop == Stop::violation) {
        log(LogLevel::error,
            "server_violation",
            {{"pool", pool_->pool->label()}, {"reason", step.error->message}});
        return on_server_lost("the server broke the protocol");
    }
    has_come(Awaited::replies);
    if (step.stop == Stop::say_again) {
        const session::Rerun& rerun = server_->state.rerun;
        if (rerun.wants_new_process) return say_again_to_new();
        return say_again(Bytes{rerun.said}.subspan(*rerun.from));
    }
    if (step.stop == Stop::need_news) hold_for_news();
    if (step.stop == Stop::need_signal) hold_for_signal();
    replies_ended(step.counts.ready);
    if (!is_over() && server_ != nullptr) release_if_idle();
}

void ClientSession::send_to_server()
{
    session::Gather& out = worker_->to_server();
    if (out.empty()) return;
    if (query_at_ == TimePoint{}) query_at_ = worker_->now();
    pool_->core.resume(*server_);
    pool_->counters.bytes_to_servers.add(out.size());
    const bool is_sent = server_->send(out);
    out.clear();
    if (!is_sent) {
        server_->has_failed_to_send = true;
        server_->is_readable = true; // its last words may still be there to be read
    }
    if (!server_->output.empty()) server_->state.rerun.is_unheard = false; // not in one piece
}

// Nothing has come of it, and nobody knows.
void ClientSession::say_again(Bytes said)
{
    ++state_.reruns;
    pool_->counters.retries.add();
    input_.put_back(said);
    is_kept_ready_ = true;
    has_come(Awaited::replies);
    query_at_ = {};
    worker_->run_again(*this);
}

// If it is taken there, nobody can know which other server would: the client keeps that one.
void ClientSession::say_again_to_new()
{
    Server& used = *server_;
    say_again(used.state.rerun.said);
    if (keeps_server() || pool_->options.pin != pool::Pin::automatic) return; // fails once more
    state_.is_on_trial = true;
    swap_for_new(used);
}

// What the answers have told beside what they said to the client.
void ClientSession::look_at_news()
{
    session::ServerState& server = server_->state;
    for (const session::Sqlstate& sqlstate : server.errors) {
        pool_->pool->errors().add({sqlstate.data(), sqlstate.size()});
    }
    server.errors.clear();
    // What was parsed in a transaction that changes tables may be gone with its end.
    if (!server.has_changed_schema) {
        for (const session::StatementId& id : server.parsed) pool_->knowledge.statements.insert(id);
    } else if (server.is_idle()) {
        server.has_changed_schema = false;
        worker_->schema_changed(*pool_);
        for (const session::DefaultsScope& scope : std::exchange(server.new_defaults, {})) {
            worker_->front_door().defaults_changed(*pool_->pool, scope);
        }
    }
    server.parsed.clear();
}

// False: the client is gone.
bool ClientSession::send_to_client()
{
    session::Gather& out = worker_->to_client();
    if (out.empty()) return true;
    pool_->counters.bytes_to_clients.add(out.size());
    const bool is_sent = output_.send(stream_, out, worker_->reactor(), *this);
    out.clear();
    return is_sent;
}

bool ClientSession::flush_client()
{
    if (stream_.is_tls()) is_readable_ = true; // it may have waited for this
    if (!output_.flush(stream_, worker_->reactor(), *this)) return false;
    if (!output_.empty()) return true;
    if (is_closing()) {
        stream_.shut_down_sending();
    } else if (server_ != nullptr) {
        release_if_idle();
    }
    return true;
}

void ClientSession::keep(Bytes input, bool is_ready)
{
    input_.keep(input);
    is_kept_ready_ = is_ready && !input.empty();
}

void ClientSession::on_server_ready()
{
    if (!is_over()) advance();
}

void ClientSession::count(const session::ForwardCounts& counts)
{
    pool_->counters.queries.add(counts.queries);
    if (counts.empty_transactions > 0) pool_->counters.transactions.add(counts.empty_transactions);
    if (counts.client_parses > 0) pool_->counters.client_parses.add(counts.client_parses);
    if (counts.server_parses > 0) pool_->counters.server_parses.add(counts.server_parses);
    if (counts.binds > 0) pool_->counters.binds.add(counts.binds);
}

} // namespace pgweir::net
