#include <pgweir/wire/messages.hpp>

#include <pgweir/wire/reader.hpp>
#include <pgweir/wire/writer.hpp>

namespace pgweir::wire {

namespace {

void append_field(Writer& message, char code, std::string_view value)
{
    if (!value.empty()) message.u8(static_cast<std::uint8_t>(code)).cstring(value);
}

void append_error_like(Buffer& out, char type, const ErrorText& error)
{
    Writer message{out, type};
    append_field(message, 'S', error.severity);
    append_field(message, 'V', error.severity);
    append_field(message, 'C', error.sqlstate);
    append_field(message, 'M', error.message);
    append_field(message, 'D', error.detail);
    append_field(message, 'H', error.hint);
    append_field(message, 'R', error.routine);
    message.u8(0).finish();
}

} // namespace

std::optional<ParseBody> read_parse(Bytes body) noexcept
{
    Reader reader{body};
    ParseBody parse{.name = reader.cstring(), .query = reader.cstring(), .types = reader.rest()};
    const std::size_t count = reader.be16();
    static_cast<void>(reader.bytes(count * 4));
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return parse;
}

std::optional<BindHead> read_bind_head(Bytes body_front) noexcept
{
    Reader reader{body_front};
    const std::string_view portal = reader.cstring();
    const std::string_view statement = reader.cstring();
    if (!reader.ok()) return std::nullopt;
    return BindHead{portal, statement, portal.size() + statement.size() + 2};
}

std::optional<TargetBody> read_target(Bytes body) noexcept
{
    Reader reader{body};
    const char kind = static_cast<char>(reader.u8());
    const std::string_view name = reader.cstring();
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return TargetBody{kind, name};
}

std::optional<ParameterBody> read_parameter(Bytes body) noexcept
{
    Reader reader{body};
    const std::string_view name = reader.cstring();
    const std::string_view value = reader.cstring();
    if (!reader.ok()) return std::nullopt;
    return ParameterBody{name, value};
}

std::optional<NotificationBody> read_notification(Bytes body) noexcept
{
    Reader reader{body};
    const std::uint32_t process_id = reader.be32();
    const std::string_view channel = reader.cstring();
    const std::string_view payload = reader.cstring();
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return NotificationBody{process_id, channel, payload};
}

std::optional<RowValues> read_data_row(Bytes body)
{
    constexpr std::uint32_t null_size = 0xffffffff;
    Reader reader{body};
    const std::size_t count = reader.be16();
    RowValues values;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const std::uint32_t size = reader.be32();
        if (size == null_size) {
            values.emplace_back();
        } else {
            values.emplace_back(as_text(reader.bytes(size)));
        }
    }
    if (!reader.ok() || !reader.at_end()) return std::nullopt;
    return values;
}

ErrorFields read_error(Bytes body) noexcept
{
    ErrorFields fields{};
    Reader reader{body};
    for (;;) {
        const char code = static_cast<char>(reader.u8());
        if (code == 0) return fields;
        const std::string_view value = reader.cstring();
        switch (code) {
        case 'S':
            if (fields.severity.empty()) fields.severity = value;
            break;
        case 'V': fields.severity = value; break;
        case 'C': fields.sqlstate = value; break;
        case 'M': fields.message = value; break;
        case 'D': fields.detail = value; break;
        case 'H': fields.hint = value; break;
        case 'R': fields.routine = value; break;
        default: break; // fields of newer servers
        }
    }
}

void append_error(Buffer& out, const ErrorText& error)
{
    append_error_like(out, server_type::error, error);
}

void append_notice(Buffer& out, const ErrorText& notice)
{
    append_error_like(out, server_type::notice, notice);
}

void append_parse(Buffer& out, std::string_view name, std::string_view query, Bytes types)
{
    Writer{out, client_type::parse}.cstring(name).cstring(query).bytes(types).finish();
}

void append_target(Buffer& out, char type, char kind, std::string_view name)
{
    Writer{out, type}.u8(static_cast<std::uint8_t>(kind)).cstring(name).finish();
}

void append_query(Buffer& out, std::string_view text)
{
    Writer{out, client_type::query}.cstring(text).finish();
}

void append_empty(Buffer& out, char type) { Writer{out, type}.finish(); }

void append_copy_fail(Buffer& out, std::string_view reason)
{
    Writer{out, client_type::copy_fail}.cstring(reason).finish();
}

void append_ready(Buffer& out, char status)
{
    Writer{out, server_type::ready_for_query}.u8(static_cast<std::uint8_t>(status)).finish();
}

void append_command_complete(Buffer& out, std::string_view tag)
{
    Writer{out, server_type::command_complete}.cstring(tag).finish();
}

void append_parameter(Buffer& out, std::string_view name, std::string_view value)
{
    Writer{out, server_type::parameter_status}.cstring(name).cstring(value).finish();
}

void append_notification(Buffer& out, const NotificationBody& notification)
{
    Writer{out, server_type::notification}
        .be32(notification.process_id)
        .cstring(notification.channel)
        .cstring(notification.payload)
        .finish();
}

void append_backend_key(Buffer& out, std::uint32_t process_id, std::string_view secret)
{
    Writer{out, server_type::backend_key_data}.be32(process_id).text(secret).finish();
}

void append_negotiate_protocol(
    Buffer& out, ProtocolVersion version, const std::vector<std::string_view>& refused
)
{
    Writer message{out, server_type::negotiate_protocol};
    message.be32(std::uint32_t{version.major} << 16U | version.minor);
    message.be32(static_cast<std::uint32_t>(refused.size()));
    for (const std::string_view option : refused) message.cstring(option);
    message.finish();
}

void append_authentication(Buffer& out, AuthCode code, Bytes data)
{
    Writer{out, server_type::authentication}
        .be32(static_cast<std::uint32_t>(code))
        .bytes(data)
        .finish();
}

void append_password(Buffer& out, std::string_view text)
{
    Writer{out, client_type::password}.cstring(text).finish();
}

void append_sasl_initial(Buffer& out, std::string_view mechanism, std::string_view data)
{
    Writer{out, client_type::password}
        .cstring(mechanism)
        .be32(static_cast<std::uint32_t>(data.size()))
        .text(data)
        .finish();
}

void append_sasl_response(Buffer& out, std::string_view data)
{
    Writer{out, client_type::password}.text(data).finish();
}

void append_row_description(Buffer& out, const std::vector<std::string>& columns)
{
    constexpr std::uint32_t text_type = 25; // pg_type.oid of text
    constexpr auto variable_size = static_cast<std::uint16_t>(-1);
    constexpr auto no_modifier = static_cast<std::uint32_t>(-1);

    Writer message{out, server_type::row_description};
    message.be16(static_cast<std::uint16_t>(columns.size()));
    for (const std::string& column : columns) {
        message.cstring(column).be32(0).be16(0).be32(text_type);
        message.be16(variable_size).be32(no_modifier).be16(0);
    }
    message.finish();
}

void append_row(Buffer& out, const std::vector<std::optional<std::string>>& values)
{
    constexpr auto null_size = static_cast<std::uint32_t>(-1);

    Writer message{out, server_type::data_row};
    message.be16(static_cast<std::uint16_t>(values.size()));
    for (const auto& value : values) {
        if (value) {
            message.be32(static_cast<std::uint32_t>(value->size())).text(*value);
        } else {
            message.be32(null_size);
        }
    }
    message.finish();
}

} // namespace pgweir::wire
