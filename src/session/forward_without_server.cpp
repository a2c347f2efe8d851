// The part of ClientForwarder that answers Parse while no server is lent.
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <array>

namespace pgweir::session {

using wire::frame_header_size;
using wire::FrameHeader;

// "Prepare this", and nothing else: Parse with a name, and Sync. When PostgreSQL has parsed the
// same for this pool before, the answer is known. It saves a round trip, and a client that blocks
// on it while its own threads hold all servers in open transactions (pgbench -M prepared) does not
// wait for ever.
bool ClientForwarder::parse_without_server(FrameHeader header, Bytes available, Step& step)
{
    constexpr std::array<std::byte, 5> sync{
        std::byte{'S'},
        std::byte{0},
        std::byte{0},
        std::byte{0},
        std::byte{4},
    };
    if (client_.status() == 'E') return false; // PostgreSQL takes only what ends it
    if (available.size() < header.frame_size() + sync.size()) return false;
    const Bytes next = available.subspan(header.frame_size(), sync.size());
    if (!std::ranges::equal(next, sync)) return false;
    const auto parsed = wire::read_parse(available.subspan(frame_header_size, header.body_size));
    if (!parsed || parsed->name.empty()) return false;
    if (find(parsed->name) || is_sql_name(parsed->name)) return false;
    const StatementRef statement = intern(*parsed);
    if (!knowledge_.statements.contains(statement->id())) return false;

    set_statement(client_, parsed->name, statement);
    wire::append_empty(outputs_.to_client.own(), wire::server_type::parse_complete);
    wire::append_ready(outputs_.to_client.own(), client_.status());
    outputs_.to_client.commit();
    ++step.counts.client_parses;
    used_ = header.frame_size() + sync.size();
    return true;
}

} // namespace pgweir::session
