#include <pgweir/session/new_process.hpp>

#include <pgweir/session/sql.hpp>
#include <pgweir/session/state.hpp>
#include <pgweir/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace pgweir::session {

namespace {

// White space and one semicolon may be behind it, but no other statement.
bool is_one_statement(std::string_view text)
{
    while (!text.empty() && (is_space(text.back()) || text.back() == '\0')) text.remove_suffix(1);
    return text.find(';') >= text.size() - 1; // npos: there is none
}

} // namespace

bool may_make_temp_schema(ServerState& server, const ClientState& client)
{
    if (server.temp_schema_owner == ClientId{}) server.temp_schema_owner = client.id;
    return server.temp_schema_owner == client.id;
}

bool may_be_reserved_here(const ClientState& client, Bytes said, const wire::ErrorFields& fields)
{
    if (fields.sqlstate != "42602" || client.may_have_libraries) return false;
    if (said.size() <= wire::frame_header_size) return false;
    if (std::to_integer<char>(said.front()) != wire::client_type::query) return false;
    const std::string_view text = as_text(said.subspan(wire::frame_header_size));
    const SqlReading reading = read_sql(text);
    return reading.customs.size() == 1 && reading.calls.empty() && is_one_statement(text);
}

bool looks_at_sessions(Bytes input)
{
    if (input.size() <= wire::frame_header_size) return false;
    const char type = std::to_integer<char>(input.front());
    if (type != wire::client_type::query && type != wire::client_type::parse) return false;
    const std::size_t size = load_be32(&input[1]) + std::size_t{1};
    const std::string_view text = as_text(
        input.first(std::min(size, input.size())).subspan(wire::frame_header_size)
    );
    if (!may_read_catalog(text)) return false;
    const std::string folded = lower_case(text);
    return folded.find("pg_stat_database") != std::string::npos
           || folded.find("pg_stat_get_db_session") != std::string::npos;
}

} // namespace pgweir::session
