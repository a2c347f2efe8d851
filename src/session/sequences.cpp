// What currval() and lastval() tell lives in one server's session: either the client asks there, or
// it is told that there is nothing. Never what somebody else's INSERT has left.
#include <pgweir/session/sequences.hpp>

#include <pgweir/session/forward.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/writer.hpp>

#include <algorithm>
#include <array>

namespace pgweir::session {

namespace {

constexpr std::string_view discard = "DISCARD SEQUENCES";

std::string_view application_of(const ClientState& client)
{
    const std::string* const name = client.wanted->find("application_name");
    return name != nullptr ? std::string_view{*name} : std::string_view{};
}

bool may_advance(const SqlReading& reading, const Knowledge& knowledge)
{
    if (reading.advances_sequence) return true;
    if (reading.reads_sequence || !knowledge.catalog) return false;
    const auto is_advancing = [&](std::string_view name) {
        return knowledge.catalog->functions.find(name).has(Part::sequences);
    };
    return std::ranges::any_of(reading.calls, is_advancing);
}

// As messages of the extended protocol, between those of the client's: in its transaction.
void append_extended_discard(ServerState& server, Gather& to_server)
{
    constexpr std::string_view name = "pgweir_discard_sequences";
    constexpr std::array<std::byte, 2> no_types{};
    Buffer& own = to_server.own();
    wire::append_target(own, wire::client_type::close, 'S', name);
    wire::append_parse(own, name, discard, no_types);
    wire::Writer{own, wire::client_type::bind}
        .cstring(name)
        .cstring(name)
        .be16(0)
        .be16(0)
        .be16(0)
        .finish();
    wire::Writer{own, wire::client_type::execute}.cstring(name).be32(0).finish();
    to_server.commit();
    for (const Reply reply : {Reply::close, Reply::parse, Reply::bind, Reply::execute}) {
        server.replies.push({.reply = reply, .is_hidden = true});
    }
}

} // namespace

void follow_sequences(
    ServerState& server, ClientState& client, const SqlReading& reading, Knowledge& knowledge
)
{
    const bool advances = may_advance(reading, knowledge);
    if (advances) server.sequences_owner = client.id;
    if (reading.reads_sequence) knowledge.add_sequence_reader(application_of(client));
    const bool is_settled = reading.reads_sequence || reading.ends.has(Part::sequences);
    if (is_settled) client.pins = client.pins.without(Part::sequences);
    if (advances && knowledge.reads_sequences(application_of(client))) {
        client.pins |= Part::sequences;
    }
}

bool has_foreign_sequences(
    const ServerState& server, const ClientState& client, const SqlReading& reading
)
{
    return reading.reads_sequence && server.sequences_owner != client.id && server.status != 'E';
}

void discard_sequences(ServerState& server, bool is_extended, Gather& to_server)
{
    server.sequences_owner = ClientId{};
    if (is_extended) return append_extended_discard(server, to_server);
    append_hidden_query(server, discard, true, to_server);
}

} // namespace pgweir::session
