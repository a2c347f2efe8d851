#include <pgweir/session/local_answers.hpp>

#include <pgweir/wire/messages.hpp>

namespace pgweir::session {

void answer_locally(ServerState& server, Gather& to_client)
{
    while (!server.replies.empty()) {
        const Expected front = server.replies.front();
        const bool is_mark = front.reply == Reply::copy_end;
        if (!front.is_local && !is_mark) return;
        server.replies.pop();
        if (is_mark) continue;
        const bool is_parse = front.reply == Reply::parse;
        wire::append_empty(
            to_client.own(),
            is_parse ? wire::server_type::parse_complete : wire::server_type::close_complete
        );
        to_client.commit();
    }
}

} // namespace pgweir::session
