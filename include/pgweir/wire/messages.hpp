// The messages that we look into or send. Type bytes, and the shapes of the bodies that matter.
// Source: PostgreSQL's documentation, "Message Formats".
#pragma once

#include <pgweir/base/bytes.hpp>
#include <pgweir/wire/startup.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::wire {

// clang-format off
namespace client_type { // what a client sends
inline constexpr char bind = 'B', close = 'C', copy_data = 'd', copy_done = 'c', copy_fail = 'f',
    describe = 'D', execute = 'E', flush = 'H', function_call = 'F', parse = 'P', password = 'p',
    query = 'Q', sync = 'S', terminate = 'X';
} // namespace client_type

namespace server_type { // what PostgreSQL sends
inline constexpr char authentication = 'R', backend_key_data = 'K', bind_complete = '2',
    close_complete = '3', command_complete = 'C', copy_both = 'W', copy_data = 'd',
    copy_done = 'c', copy_in = 'G', copy_out = 'H', data_row = 'D', empty_query = 'I',
    error = 'E', function_call_response = 'V', negotiate_protocol = 'v', no_data = 'n',
    notice = 'N', notification = 'A', parameter_description = 't', parameter_status = 'S',
    parse_complete = '1', portal_suspended = 's', ready_for_query = 'Z', row_description = 'T';
} // namespace server_type
// clang-format on

/// What can be said of a client's message by its type alone.
enum ClientTypeTraits : std::uint8_t {
    is_known_type = 1,
    /// PostgreSQL closes the connection when one of these is longer than 10,000 bytes
    /// (PQ_SMALL_MESSAGE_LIMIT).
    is_small_type = 2,
    /// Ignored where nobody waits for it: what a failed COPY leaves behind, and Flush.
    is_ignorable_type = 4,
    /// Nobody but a server can answer it.
    is_server_type = 8,
};

namespace detail {

constexpr std::array<std::uint8_t, 256> client_type_table()
{
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&](std::string_view types, std::uint8_t trait) {
        for (const char type : types) table[static_cast<unsigned char>(type)] |= trait;
    };
    mark("BCDEFHPQSXcdf", is_known_type);
    mark("CDEHSXcf", is_small_type);
    mark("dcfH", is_ignorable_type);
    mark("QBEF", is_server_type);
    return table;
}

inline constexpr std::array<std::uint8_t, 256> client_types = client_type_table();

} // namespace detail

/// ClientTypeTraits, or-ed.
[[nodiscard]] constexpr unsigned client_type_traits(char type)
{
    return detail::client_types[static_cast<unsigned char>(type)];
}

/// Parse: the statement to prepare. The views point into the body.
struct ParseBody {
    std::string_view name;
    std::string_view query;
    Bytes types; // count and object ids of the parameters, as sent
};
[[nodiscard]] std::optional<ParseBody> read_parse(Bytes body) noexcept;

/// The front of Bind; what follows (values, formats) is not looked at.
struct BindHead {
    std::string_view portal;
    std::string_view statement;
    std::size_t size; // of both names with their zeros
};
/// Empty: the names are not all in `body_front` yet.
[[nodiscard]] std::optional<BindHead> read_bind_head(Bytes body_front) noexcept;

/// Describe and Close: 'S'tatement or 'P'ortal, and its name.
struct TargetBody {
    char kind;
    std::string_view name;
};
[[nodiscard]] std::optional<TargetBody> read_target(Bytes body) noexcept;

/// ParameterStatus.
struct ParameterBody {
    std::string_view name;
    std::string_view value;
};
[[nodiscard]] std::optional<ParameterBody> read_parameter(Bytes body) noexcept;

/// NotificationResponse.
struct NotificationBody {
    std::uint32_t process_id;
    std::string_view channel;
    std::string_view payload;
};
[[nodiscard]] std::optional<NotificationBody> read_notification(Bytes body) noexcept;

/// DataRow: the values of its columns; nothing for NULL. Empty: it is malformed.
using RowValues = std::vector<std::optional<std::string_view>>;
[[nodiscard]] std::optional<RowValues> read_data_row(Bytes body);

/// Fields of ErrorResponse and NoticeResponse. A server may leave out any of them: then empty.
struct ErrorFields {
    std::string_view severity; // the untranslated one where there is one
    std::string_view sqlstate;
    std::string_view message;
    std::string_view detail;
    std::string_view hint;
    std::string_view routine; // of PostgreSQL's source, in no language
};
[[nodiscard]] ErrorFields read_error(Bytes body) noexcept;

/// One of our own errors. Empty detail and hint are left out.
struct ErrorText {
    std::string severity; // ERROR, FATAL
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    std::string routine{}; // of PostgreSQL's source: what some drivers tell errors apart by
};
void append_error(Buffer& out, const ErrorText& error);
void append_notice(Buffer& out, const ErrorText& notice);

void append_parse(Buffer& out, std::string_view name, std::string_view query, Bytes types);
void append_target(Buffer& out, char type, char kind, std::string_view name);
void append_query(Buffer& out, std::string_view text);
void append_empty(Buffer& out, char type); // Sync, Flush, Terminate, ParseComplete …
void append_copy_fail(Buffer& out, std::string_view reason);
void append_ready(Buffer& out, char status);
void append_command_complete(Buffer& out, std::string_view tag);
void append_parameter(Buffer& out, std::string_view name, std::string_view value);
void append_notification(Buffer& out, const NotificationBody& notification);
void append_backend_key(Buffer& out, std::uint32_t process_id, std::string_view secret);
/// `version`: the one that will be spoken; `refused`: the protocol options that we do not know.
void append_negotiate_protocol(
    Buffer& out, ProtocolVersion version, const std::vector<std::string_view>& refused
);

/// Authentication requests; `code` is PostgreSQL's AuthenticationXxx number.
enum class AuthCode : std::uint32_t {
    ok = 0,
    cleartext = 3,
    md5 = 5,
    sasl = 10,
    sasl_continue = 11,
    sasl_final = 12,
};
void append_authentication(Buffer& out, AuthCode code, Bytes data = {});
void append_password(Buffer& out, std::string_view text);
void append_sasl_initial(Buffer& out, std::string_view mechanism, std::string_view data);
void append_sasl_response(Buffer& out, std::string_view data);

/// One result table, for consoles: RowDescription of text columns and DataRows.
void append_row_description(Buffer& out, const std::vector<std::string>& columns);
void append_row(Buffer& out, const std::vector<std::optional<std::string>>& values);

} // namespace pgweir::wire
