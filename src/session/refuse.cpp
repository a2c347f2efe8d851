#include <pgweir/session/forward.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>

namespace pgweir::session {

namespace client_type = wire::client_type;

namespace {

void append_ready_refused(Buffer& out, ClientState& client)
{
    if (client.block) client.block->has_failed = true;
    wire::append_ready(out, client.status());
}

// True: with this message one whole request has been refused.
bool refuse_message(ClientState& client, char type, const wire::ErrorText& error, Gather& to_client)
{
    Buffer& own = to_client.own();
    if (type == client_type::sync) {
        client.is_skipping = false;
        append_ready_refused(own, client);
        return true;
    }
    if (client.is_skipping) return false;
    if (type == client_type::query || type == client_type::function_call) {
        wire::append_error(own, error);
        append_ready_refused(own, client);
        return true;
    }
    if ((wire::client_type_traits(type) & wire::is_ignorable_type) != 0) return false;
    wire::append_error(own, error);
    client.is_skipping = true;
    return false;
}

} // namespace

Step refuse(ClientState& client, Bytes input, const wire::ErrorText& error, Gather& to_client)
{
    Step step;
    bool is_done = false;
    while (step.consumed < input.size()) {
        const Bytes rest = input.subspan(step.consumed);
        if (client.stream.remaining > 0) {
            const std::size_t size = std::min(rest.size(), client.stream.remaining);
            client.stream.remaining -= size;
            step.consumed += size;
            continue;
        }
        if (is_done) break;
        const auto header = wire::peek_header(rest, wire::body_size_max);
        if (!header) {
            step.stop = Stop::violation;
            step.error = std::make_unique<wire::ErrorText>(
                wire::ErrorText{"FATAL", "08P01", "invalid message length", {}, {}}
            );
            return step;
        }
        if (!*header) {
            step.wanted = wire::frame_header_size;
            return step;
        }
        const char type = (*header)->type;
        if (type == client_type::terminate) {
            step.stop = Stop::terminate;
            return step;
        }
        is_done = refuse_message(client, type, error, to_client);
        to_client.commit();
        const std::size_t size = std::min((*header)->frame_size(), rest.size());
        client.stream = {.remaining = (*header)->frame_size() - size, .is_dropped = true};
        step.consumed += size;
    }
    if (is_done) step.stop = Stop::need_server;
    return step;
}

} // namespace pgweir::session
