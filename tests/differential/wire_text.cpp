#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/reader.hpp>

#include "differential/wire_text.hpp"

namespace pgweir::differential {

namespace {

constexpr std::uint32_t null_size = 0xffffffff;

// Control characters and what is not ASCII as \xNN, so that a report can be pasted anywhere.
std::string printable(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= ' ' && byte <= '~') {
            out += c;
        } else {
            out.append("\\x") += digits[byte >> 4U];
            out += digits[byte & 0xfU];
        }
    }
    return out;
}

std::string in_quotes(std::string_view text) { return '"' + printable(text) + '"'; }

std::string value_text(wire::Reader& reader)
{
    const std::uint32_t size = reader.be32();
    return size == null_size ? "NULL" : in_quotes(as_text(reader.bytes(size)));
}

std::string bind_text(Bytes body)
{
    wire::Reader reader{body};
    const std::string portal = in_quotes(reader.cstring());
    std::string text = "Bind portal " + portal + " to " + in_quotes(reader.cstring());
    for (std::uint16_t formats = reader.be16(); formats > 0; --formats) reader.be16();
    for (std::uint16_t values = reader.be16(); values > 0 && reader.ok(); --values) {
        text += ' ' + value_text(reader);
    }
    const bool is_binary = reader.be16() == 1 && reader.be16() == 1;
    return text + (is_binary ? " (binary results)" : "");
}

std::string target_text(const char* verb, Bytes body)
{
    const auto target = wire::read_target(body);
    if (!target) return std::string{verb} + " ?";
    return std::string{verb} + (target->kind == 'S' ? " statement " : " portal ")
           + in_quotes(target->name);
}

std::string parse_text(Bytes body)
{
    const auto parse = wire::read_parse(body);
    if (!parse) return "Parse ?";
    const std::size_t types = (parse->types.size() - 2) / 4;
    return "Parse " + in_quotes(parse->name) + ": " + printable(parse->query)
           + (types == 0 ? "" : " (" + std::to_string(types) + " types)");
}

std::string execute_text(Bytes body)
{
    wire::Reader reader{body};
    const std::string portal = in_quotes(reader.cstring());
    const std::uint32_t rows_max = reader.be32();
    return "Execute " + portal + (rows_max == 0 ? "" : " rows " + std::to_string(rows_max));
}

std::string client_line(char type, Bytes body)
{
    namespace t = wire::client_type;
    wire::Reader reader{body};
    switch (type) {
    case t::query: return "Query: " + printable(reader.cstring());
    case t::parse: return parse_text(body);
    case t::bind: return bind_text(body);
    case t::describe: return target_text("Describe", body);
    case t::execute: return execute_text(body);
    case t::close: return target_text("Close", body);
    case t::sync: return "Sync";
    case t::flush: return "Flush";
    case t::copy_data: return "CopyData " + in_quotes(as_text(body));
    case t::copy_done: return "CopyDone";
    case t::copy_fail: return "CopyFail " + in_quotes(reader.cstring());
    case t::terminate: return "Terminate";
    default: return std::string{type};
    }
}

std::vector<std::string> columns_of(Bytes body)
{
    constexpr std::size_t after_name = 4 + 2 + 4 + 2 + 4;
    wire::Reader reader{body};
    std::vector<std::string> columns;
    for (std::uint16_t left = reader.be16(); left > 0 && reader.ok(); --left) {
        columns.push_back(in_quotes(reader.cstring()));
        reader.bytes(after_name);
        if (reader.be16() == 1) columns.back() += " (binary)";
    }
    return columns;
}

std::vector<std::string> values_of(Bytes body)
{
    wire::Reader reader{body};
    std::vector<std::string> values;
    for (std::uint16_t left = reader.be16(); left > 0 && reader.ok(); --left) {
        values.push_back(value_text(reader));
    }
    return values;
}

std::string spaced(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) text += ' ' + word;
    return text;
}

std::string fields_text(Bytes body)
{
    wire::Reader reader{body};
    std::string text;
    for (auto code = static_cast<char>(reader.u8()); code != 0 && reader.ok();
         code = static_cast<char>(reader.u8())) {
        const std::string value = printable(reader.cstring());
        const bool says_little = code == 'S' || code == 'F' || code == 'L' || code == 'R';
        if (!says_little) text.append(" ").append(1, code).append("=").append(value);
    }
    return text;
}

std::string notification_text(Bytes body)
{
    wire::Reader reader{body};
    reader.be32();
    const std::string channel = in_quotes(reader.cstring());
    return channel + " " + in_quotes(reader.cstring());
}

} // namespace

std::vector<std::string> client_lines(Bytes bytes)
{
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const auto header = wire::peek_header(bytes, wire::body_size_max).value();
        if (!header) break;
        const Bytes body = bytes.subspan(wire::frame_header_size, header->body_size);
        lines.push_back(client_line(header->type, body));
        bytes = bytes.subspan(header->frame_size());
    }
    return lines;
}

std::string server_line(const Message& message)
{
    namespace t = wire::server_type;
    const Bytes body = as_bytes(message.body);
    switch (message.type) {
    case remark: return "(" + message.body + ")";
    case t::authentication: return "Authentication";
    case t::backend_key_data: return "BackendKeyData";
    case t::bind_complete: return "BindComplete";
    case t::close_complete: return "CloseComplete";
    case t::command_complete: return "CommandComplete " + in_quotes(wire::Reader{body}.cstring());
    case t::copy_in: return "CopyInResponse";
    case t::copy_out: return "CopyOutResponse";
    case t::copy_data: return "CopyData " + in_quotes(message.body);
    case t::copy_done: return "CopyDone";
    case t::data_row: return "DataRow" + spaced(values_of(body));
    case t::empty_query: return "EmptyQueryResponse";
    case t::error: return "ErrorResponse" + fields_text(body);
    case t::notice: return "NoticeResponse" + fields_text(body);
    case t::no_data: return "NoData";
    case t::notification: return "NotificationResponse " + notification_text(body);
    case t::parameter_description: return "ParameterDescription " + hexadecimal(message.body);
    case t::parameter_status: return "ParameterStatus " + printable(message.body);
    case t::parse_complete: return "ParseComplete";
    case t::portal_suspended: return "PortalSuspended";
    case t::ready_for_query: return "ReadyForQuery " + message.body;
    case t::row_description: return "RowDescription" + spaced(columns_of(body));
    default: return std::string{message.type} + " " + hexadecimal(message.body);
    }
}

std::string row_difference(const Message& columns, const Message& expected, const Message& got)
{
    const std::vector<std::string> names = columns_of(as_bytes(columns.body));
    const std::vector<std::string> should_be = values_of(as_bytes(expected.body));
    const std::vector<std::string> is = values_of(as_bytes(got.body));
    if (should_be.size() != names.size() || is.size() != names.size()) return "";
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is[i] == should_be[i]) continue;
        if (!text.empty()) text += "; ";
        text += names[i] + ": expected " + should_be[i] + ", got " + is[i];
    }
    return text;
}

std::string hexadecimal(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4U];
        out += digits[byte & 0xfU];
    }
    return out;
}

} // namespace pgweir::differential
