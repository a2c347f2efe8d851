#include "columns.hpp"

#include <array>
#include <ctime>

namespace pgweir::admin {

namespace {

// One row of CLIENTS or SERVERS, with what is needed to name its times.
struct ConnectionView {
    const net::ConnectionRow& connection;
    const net::Inspection& inspection;
    char type; // C or S
};

std::string time_text(TimePoint time, const net::Inspection& inspection)
{
    using std::chrono::system_clock;
    const auto ago = std::chrono::duration_cast<system_clock::duration>(inspection.now - time);
    const std::time_t seconds = system_clock::to_time_t(inspection.wall_now - ago);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%F %T UTC", &parts);
    return {text.data(), size};
}

// Where PgBouncer has an address in memory we have a name: C or S, and a number that is never used
// again. `link` says the other's.
Value name(char type, std::uint64_t id)
{
    if (id == 0) return "";
    return type + std::to_string(id);
}

// clang-format off
using Row = ConnectionView;
constexpr std::array connection_columns{
    Column<Row>{"type", [](const Row& row) -> Value { return std::string{row.type}; }},
    Column<Row>{"user", [](const Row& row) -> Value { return row.connection.user; }},
    Column<Row>{"database", [](const Row& row) -> Value { return row.connection.database; }},
    Column<Row>{"replication", [](const Row& row) -> Value { return row.connection.is_replication ? "yes" : "none"; }},
    Column<Row>{"state", [](const Row& row) -> Value { return row.connection.state; }},
    Column<Row>{"addr", [](const Row& row) -> Value { return row.connection.remote.host; }},
    Column<Row>{"port", [](const Row& row) { return text(row.connection.remote.port); }},
    Column<Row>{"local_addr", [](const Row& row) -> Value { return row.connection.local.host; }},
    Column<Row>{"local_port", [](const Row& row) { return text(row.connection.local.port); }},
    Column<Row>{"connect_time", [](const Row& row) -> Value { return time_text(row.connection.connected_at, row.inspection); }},
    Column<Row>{"request_time", [](const Row& row) -> Value { return time_text(row.connection.active_at, row.inspection); }},
    Column<Row>{"wait", [](const Row& row) { return text(whole_seconds(row.connection.waiting)); }},
    Column<Row>{"wait_us", [](const Row& row) { return text(rest_in_microseconds(row.connection.waiting)); }},
    Column<Row>{"close_needed", [](const Row& row) { return text(row.connection.is_closing ? 1 : 0); }},
    Column<Row>{"ptr", [](const Row& row) { return name(row.type, row.connection.id); }},
    Column<Row>{"link", [](const Row& row) { return name(row.type == 'C' ? 'S' : 'C', row.connection.linked_id); }},
    Column<Row>{"remote_pid", [](const Row& row) { return text(row.connection.remote_pid); }},
    Column<Row>{"tls", [](const Row& row) -> Value { return row.connection.tls; }},
    Column<Row>{"application_name", [](const Row& row) -> Value { return row.connection.application_name; }},
    Column<Row>{"prepared_statements", [](const Row& row) { return text(row.connection.prepared_statements); }},
    Column<Row>{"id", [](const Row& row) { return text(row.connection.id); }},
};
// clang-format on

Table show_connections(
    const std::vector<net::ConnectionRow>& connections, const View& view, char type
)
{
    std::vector<ConnectionView> rows;
    rows.reserve(connections.size());
    for (const net::ConnectionRow& each : connections)
        rows.push_back({each, view.inspection, type});
    return make_table(connection_columns, rows);
}

} // namespace

std::vector<std::string> connections_columns() { return names_of(connection_columns); }

Table show_clients(const View& view)
{
    return show_connections(view.inspection.clients, view, 'C');
}

Table show_servers(const View& view)
{
    return show_connections(view.inspection.servers, view, 'S');
}

} // namespace pgweir::admin
