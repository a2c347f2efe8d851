#include "differential/session_store.hpp"
#include "differential/step.hpp"

namespace pgweir::differential {

namespace {

bool is_plain(const std::vector<wire::Parameter>& parameters)
{
    return parameters.size() == 1; // the user
}

} // namespace

std::unique_ptr<Session> SessionStore::take(
    const Place& place, const std::vector<wire::Parameter>& parameters
)
{
    if (!is_plain(parameters) || idle_.empty()) {
        return std::make_unique<Session>(place, parameters, is_plain(parameters));
    }
    std::unique_ptr<Session> session = std::move(idle_.back());
    idle_.pop_back();
    return session;
}

void SessionStore::give_back(std::unique_ptr<Session> session)
{
    const bool is_alive = session->is_reusable() && !session->greeting().empty()
                          && session->greeting().back().type != remark;
    if (!is_alive) {
        session->await_end();
        return;
    }
    // As simple queries, because those also forget the statement without a name.
    const Step clean = Batch{0}.query("ROLLBACK").query("DISCARD ALL").take();
    session->send(clean.bytes);
    const std::vector<Message> answer = session->receive(clean.ready_count);
    session->forget_notifications();
    if (answer.back().type != remark) idle_.push_back(std::move(session));
}

void SessionStore::clear()
{
    for (const auto& session : idle_) session->await_end();
    idle_.clear();
}

} // namespace pgweir::differential
