// The part of ClientSession that tells a client why it gets no server.
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/duration_text.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/pool/error.hpp>
#include <pgweir/session/abandon.hpp>

#include <memory>
#include <string>
#include <utility>

namespace pgweir::net {

using session::Step;
using session::Stop;

void ClientSession::refused(ErrorCode reason)
{
    if (reason == pool::Errc::wait_timed_out) pool_->counters.wait_timeouts.add();
    if (reason == pool::Errc::too_many_waiting) pool_->counters.waiters_refused.add();
    if (reason == pool::Errc::overloaded) pool_->counters.waiters_shed.add();
    refuse(refusal(reason));
}

void ClientSession::open_failed(const wire::ErrorText& error)
{
    if (replication_) return end(ClientEnd::server_lost, error);
    state_.is_on_trial = false;
    refuse(error);
    refusal_->severity = "ERROR";
}

void ClientSession::refuse(wire::ErrorText error)
{
    refusal_ = std::make_unique<wire::ErrorText>(std::move(error));
    pool_->pool->errors().add(refusal_->sqlstate);
    if (!is_waiting()) return;
    has_come(Awaited::server);
    worker_->run_again(*this);
}

// True: there is more to do with what is left of the input.
[[gnu::noinline]] bool ClientSession::refuse_front(Bytes& input)
{
    if (refusal_ && session::only_rolls_back(state_, input)) {
        refusal_.reset(); // of a transaction that was lost, and is rolled back
        return true;
    }
    if (!refuse_input(input)) return false;
    input = input_.kept();
    return !input.empty();
}

// True: the refusal is said, and what follows may be tried again.
bool ClientSession::refuse_input(Bytes input)
{
    if (is_logging_in_) {
        wire::ErrorText error = *std::exchange(refusal_, nullptr);
        error.severity = "FATAL";
        end(ClientEnd::refused, error);
        return false;
    }
    static const wire::ErrorText nothing_new; // skipping: the error was sent before
    const wire::ErrorText& error = refusal_ ? *refusal_ : nothing_new;
    const Step step = session::refuse(state_, input, error, worker_->to_client());
    if (!send_to_client()) {
        leave(ClientEnd::gone);
        return false;
    }
    keep(input.subspan(step.consumed), step.stop == Stop::need_server);
    if (step.stop == Stop::terminate) {
        leave(ClientEnd::terminated);
        return false;
    }
    if (step.stop == Stop::violation) {
        end(ClientEnd::refused, *step.error);
        return false;
    }
    wanted_ = step.wanted;
    if (step.stop == Stop::need_server || state_.is_skipping) refusal_.reset();
    active_at_ = worker_->now(); // it has waited for this
    return step.stop == Stop::need_server;
}

} // namespace pgweir::net
