#include <pgweir/net/refusal.hpp>

#include <pgweir/net/client_session.hpp>
#include <pgweir/net/duration_text.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/pool/error.hpp>

namespace pgweir::net {

namespace {

std::string counted(std::uint32_t count, const char* what)
{
    return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::string cap_text(const pool::Budgets::Fullness& cap)
{
    const bool is_database = std::string_view{cap.setting} == "max_db_connections";
    std::string text = std::string{is_database ? "Database " : "User "} + cap.name + ": "
                       + std::to_string(cap.held) + " of " + std::to_string(cap.cap) + " ("
                       + cap.setting + ") in use";
    if (cap.others > 0) {
        text += ", " + std::to_string(cap.held - cap.own) + " of them by "
                + counted(cap.others, is_database ? "other user" : "other database");
    }
    if (cap.kept > 0) text += ", " + std::to_string(cap.kept) + " guaranteed to others";
    return text + '.';
}

} // namespace

std::string caps_text(const pool::Shared& shared)
{
    std::string text;
    for (const pool::Budgets::Fullness& cap : shared.fullness()) {
        text += (text.empty() ? "" : " ") + cap_text(cap);
    }
    return text;
}

wire::ErrorText ClientSession::refusal(ErrorCode reason) const
{
    const pool::Shared& shared = pool_->pool->shared();
    const std::string caps = caps_text(shared);
    const std::string detail = "Pool " + pool_->pool->label() + ": "
                               + std::to_string(shared.total()) + " of "
                               + std::to_string(shared.size()) + " server connections open, "
                               + std::to_string(shared.waiting()) + " clients waiting."
                               + (caps.empty() ? "" : " " + caps);
    if (reason == pool::Errc::wait_timed_out) {
        const auto full = shared.fullness();
        const std::string setting = full.empty() ? "pool.size" : full.front().setting;
        return {
            "ERROR",
            "53300",
            "no server connection became free within query_wait_timeout ("
                + duration_text(pool_->options.query_wait_timeout) + ")",
            detail,
            "The pool is busy: retry later, make transactions shorter, or raise " + setting + "."
        };
    }
    if (reason == pool::Errc::too_many_waiting) {
        return {
            "ERROR",
            "53300",
            "too many clients are waiting for a server connection",
            detail,
            "max_waiting is " + std::to_string(pool_->options.max_waiting)
                + ": retry later, or raise it."
        };
    }
    if (reason == pool::Errc::overloaded) {
        return {
            "ERROR",
            "53300",
            "no server connection became free within queue_timeout ("
                + duration_text(pool_->options.queue_timeout) + "), and the pool is overloaded",
            detail,
            "Clients give up while they wait, so the newest go first: retry later, make "
            "transactions shorter, or raise pool.size."
        };
    }
    wire::ErrorText error = pool_->pool->last_error();
    if (error.message.empty()) error = {"ERROR", "08006", "the server cannot be reached", {}, {}};
    error.severity = "ERROR";
    return error;
}

} // namespace pgweir::net
