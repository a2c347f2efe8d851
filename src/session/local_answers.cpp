#include <pgweir/session/local_answers.hpp>

#include <pgweir/wire/messages.hpp>

namespace pgweir::session {

void give_local_answers(ServerState& server, Gather& to_client)
{
    while (server.replies.front_is_local()) {
        const Expected front = server.replies.front();
        server.replies.pop();
        if (front.reply == Reply::copy_end) continue;
        const bool is_parse = front.reply == Reply::parse;
        wire::append_empty(
            to_client.own(),
            is_parse ? wire::server_type::parse_complete : wire::server_type::close_complete
        );
        to_client.commit();
    }
}

} // namespace pgweir::session
