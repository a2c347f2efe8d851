#include <pgweir/session/rerun.hpp>

#include <pgweir/session/forward.hpp>
#include <pgweir/session/state.hpp>

#include <utility>

namespace pgweir::session {

void give_up_replies(ServerState& lost, ClientState& client)
{
    lost.replies.drop_all([&](const Effect& effect) {
        if (!effect.changes_client) return;
        set_statement(client, effect.client_name, effect.before, effect.told_before);
    });
}

Buffer take_back(ServerState& lost, ClientState& client)
{
    give_up_replies(lost, client);
    client.block = std::move(lost.rerun.block);
    return std::exchange(lost.rerun.said, {});
}

} // namespace pgweir::session
