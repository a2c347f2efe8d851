// The part of ClientSession that goes from one worker to another.
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/relocation.hpp>

namespace pgweir::net {

const std::shared_ptr<Pool>& ClientSession::shared_pool() const { return pool_->pool; }

// Nothing is owed to it or by it, and nobody but its socket will call on it. A server that it keeps
// goes along.
bool ClientSession::can_move() const
{
    const bool is_at_work = !awaits_.empty() || refusal_ || state_.is_skipping
                            || state_.stream.remaining > 0;
    if (is_bound() || is_at_work) return false;
    if (state_.listening && !state_.listening->is_settled()) return false;
    if (input_.has_kept() || !output_.empty() || output_.is_watched()) return false;
    if (server_ == nullptr) return true;
    return keeps_server() && server_->can_follow_client();
}

bool ClientSession::is_bound() const { return is_over() || replication_ != nullptr; }

void ClientSession::detach()
{
    worker_->reactor().remove(stream_.fd());
    if (WheelEntry::is_linked()) WheelEntry::unlink();
    session::take_statements_along(state_);
    if (state_.listening) pool_->audience.leave(*state_.listening);
    worker_ = nullptr;
    pool_ = nullptr;
}

void ClientSession::join(Worker& worker, WorkerPool& pool)
{
    worker_ = &worker;
    pool_ = &pool;
    move_to(worker.id());
    session::settle_statements(state_, worker.statements());
    if (state_.listening) pool_->audience.join(*state_.listening);
    work_ = 0;
    start();
}

} // namespace pgweir::net
