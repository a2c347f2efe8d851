#include <pgweir/session/lazy_block.hpp>

#include <pgweir/session/block_edge.hpp>
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/writer.hpp>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace pgweir::session {

namespace client_type = wire::client_type;
using wire::body_of;
using wire::FrameHeader;

namespace {

std::string_view tag_of(BlockEdge edge)
{
    switch (edge) {
    case BlockEdge::none: break;
    case BlockEdge::begin: return "BEGIN";
    case BlockEdge::start_transaction: return "START TRANSACTION";
    case BlockEdge::commit: return "COMMIT";
    case BlockEdge::rollback: return "ROLLBACK";
    }
    return {};
}

// A transaction that PostgreSQL itself says has failed.
void begin_failed(ServerState& server, Gather& to_server)
{
    append_hidden_query(server, "BEGIN; ROLLBACK TO SAVEPOINT \"pgweir refused\"", true, to_server);
    server.status = 'E';
}

} // namespace

// Nothing: a server is needed.
std::optional<ClientForwarder::Done> ClientForwarder::answer_block_edge(
    FrameHeader header, Bytes available, Step& step
)
{
    const bool is_possible = options_.begins_lazily || client_.block;
    if (!is_possible || !may_be_block_edge(available)) return std::nullopt;
    if (available.size() < header.frame_size()) {
        step.wanted = header.frame_size();
        return Done::more;
    }
    std::string_view text = as_text(body_of(header, available));
    if (!text.ends_with('\0')) return std::nullopt;
    text.remove_suffix(1);
    BlockEdge edge = read_block_edge(text);
    if (edge == BlockEdge::none) return std::nullopt;

    const bool begins = edge == BlockEdge::begin || edge == BlockEdge::start_transaction;
    if (begins == (client_.block != nullptr)) return std::nullopt; // PostgreSQL warns
    if (begins) {
        client_.block = std::make_unique<LazyBlock>(LazyBlock{.begin = std::string{text}});
    } else {
        if (client_.block->has_failed) edge = BlockEdge::rollback;
        client_.block = nullptr;
        ++step.counts.empty_transactions;
    }
    ++step.counts.queries;
    client_.unnamed = nullptr; // as with every simple query
    client_.unnamed_lives_on = 0;
    wire::append_command_complete(outputs_.to_client.own(), tag_of(edge));
    wire::append_ready(outputs_.to_client.own(), client_.status());
    outputs_.to_client.commit();
    used_ = header.frame_size();
    return Done::yes;
}

// In the extended protocol and without a Sync: what comes next is answered together with it, and
// would not be run if it failed. Nothing unnamed must stay that the client does not know of. The
// server counts as in a transaction at once: nothing else can come of it.
void begin_on_server(ServerState& server, ClientState& client, Gather& to_server)
{
    constexpr std::array<std::byte, 2> no_types{};
    server.rerun.block = std::exchange(client.block, nullptr);
    const LazyBlock* const block = server.rerun.block.get();
    if (block->has_failed) return begin_failed(server, to_server);

    Buffer& own = to_server.own();
    wire::append_parse(own, {}, block->begin, no_types);
    wire::Writer{own, client_type::bind}.cstring({}).cstring({}).be16(0).be16(0).be16(0).finish();
    wire::Writer{own, client_type::execute}.cstring({}).be32(0).finish();
    wire::append_target(own, client_type::close, 'S', {});
    wire::append_target(own, client_type::close, 'P', {});
    to_server.commit();
    for (const Reply reply : {Reply::parse, Reply::bind, Reply::execute}) {
        server.replies.push({.reply = reply, .is_hidden = true, .begins_block = true});
    }
    for (int i = 0; i < 2; ++i) server.replies.push({.reply = Reply::close, .is_hidden = true});
    server.unnamed_owner = ClientId{};
    server.status = 'T';
}

} // namespace pgweir::session
