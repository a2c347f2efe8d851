// The part of Server that makes it fit for the next client: what its last one has left is cleared
// away, and its host is asked what it is, if that may have changed.
#include <pgweir/base/log.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/server.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/messages.hpp>

#include <utility>

namespace pgweir::net {

using session::Chore;

namespace {

// As PostgreSQL 14 reports them, but without what a client has set.
constexpr std::string_view role_sql =
    "SELECT 'setting', 'in_hot_standby', "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'on' ELSE 'off' END "
    "UNION ALL SELECT 'setting', 'default_transaction_read_only', s.reset_val "
    "FROM pg_catalog.pg_settings s WHERE s.name = 'default_transaction_read_only'";

} // namespace

void Server::take_care()
{
    const bool may_have_changed = state.chores.has(Chore::look_again);
    state.chores = state.chores.without(Chore::look_again);
    if (may_have_changed && has_wanted_role()) return start_check();
    if (needs_care()) return start_reset();
    return_to_pool();
}

void Server::start_reset()
{
    constexpr std::string_view reset_all = "DISCARD ALL"; // whatever an operator thinks enough
    const bool must_reset_all = state.chores.has(Chore::reset);
    state.chores = state.chores.without(Chore::reset);
    state.hidden_error.reset(); // of a question of ours that was cancelled
    use = ServerUse::resetting;
    is_used_ = false;
    deadline_ = worker_->now() + worker_pool_->options.cancel_wait_timeout;
    wake_at(deadline_);
    const std::string_view query = must_reset_all ? reset_all
                                                  : worker_pool_->options.server_reset_query;
    wire::append_query(worker_->to_server().own(), query);
    state.replies.push({.reply = session::Reply::query, .is_hidden = true});
    if (!send_own()) die("the connection broke");
}

bool Server::has_wanted_role() const
{
    return cancel_.upstream.target_session_attrs != SessionAttrs::any;
}

void Server::start_check()
{
    use = ServerUse::checking;
    checked_at_ = worker_->now();
    deadline_ = checked_at_ + worker_pool_->options.cancel_wait_timeout;
    wake_at(deadline_);
    state.hidden_error.reset();
    state.chores = state.chores.without(Chore::look_again);
    if (has_wanted_role()) state.answer = std::make_unique<session::Answer>();
    wire::append_query(worker_->to_server().own(), has_wanted_role() ? role_sql : "");
    state.replies.push({.reply = session::Reply::query, .is_hidden = true});
    if (!send_own()) die("the connection broke");
}

// It may have said so while it was asked: that is known now.
void Server::checked()
{
    state.chores = state.chores.without(Chore::look_again);
    const bool was_told = std::exchange(is_doubted_, false);
    const auto answer = std::exchange(state.answer, nullptr);
    const SessionAttrs attrs = cancel_.upstream.target_session_attrs;
    const bool was_second_best = attrs == SessionAttrs::prefer_standby
                                 && !objection(attrs, role_).empty();
    const std::string_view why_not = answer && !was_second_best
                                         ? objection(attrs, read_role(answer->entries))
                                         : std::string_view{};
    if (why_not.empty()) return has_recovered();
    // The others will hardly be better; whoever was asked because of them need not say it again.
    if (!was_told) worker_->doubt_hosts(cancel_.upstream);
    die(why_not);
}

// Its host may not be what it was. True: it is idle, and is to be asked now.
bool Server::doubt(const Upstream& upstream)
{
    const Upstream& own = cancel_.upstream;
    const bool is_there = own.hosts == upstream.hosts
                          && own.target_session_attrs == upstream.target_session_attrs;
    if (!is_there || is_replication_ || use == ServerUse::checking) return false;
    is_doubted_ = true;
    state.chores |= Chore::look_again;
    return use == ServerUse::idle && !is_leaving;
}

} // namespace pgweir::net
