#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/reader.hpp>
#include <pgweir/wire/writer.hpp>

#include "support/session_script.hpp"

#include <map>

namespace pgweir::test {

namespace {

std::string zero() { return std::string(1, char{}); }

std::string text_of(const Buffer& buffer) { return std::string{as_text(buffer)}; }

// Names on servers, and the texts that they stand for.
std::map<std::string, std::string>& known_names()
{
    static std::map<std::string, std::string> names;
    return names;
}

std::string shown(std::string_view text)
{
    std::string out{text};
    for (const auto& [name, query] : known_names()) {
        for (std::size_t at = out.find(name); at != std::string::npos; at = out.find(name)) {
            out.replace(at, name.size(), "<" + query + ">");
        }
    }
    return out.empty() ? "-" : out;
}

std::string text_of_client_message(char type, Bytes body)
{
    wire::Reader reader{body};
    const auto next = [&] { return " " + shown(reader.cstring()); };
    switch (type) {
    case 'Q': return "Query" + next();
    case 'P': {
        const std::string name = next();
        return "Parse" + name + next();
    }
    case 'B': {
        const std::string portal = next();
        return "Bind" + portal + next();
    }
    case 'D':
    case 'C': {
        const auto target = wire::read_target(body);
        if (!target) return "bad target";
        return std::string{type == 'D' ? "Describe " : "Close "} + target->kind + " "
               + shown(target->name);
    }
    case 'E': return "Execute";
    case 'S': return "Sync";
    case 'H': return "Flush";
    case 'd': return "CopyData " + std::string{as_text(body)};
    case 'c': return "CopyDone";
    case 'f': return "CopyFail";
    case 'F': return "FunctionCall";
    case 'X': return "Terminate";
    default: return std::string{"unknown "} + type;
    }
}

std::string text_of_server_message(char type, Bytes body)
{
    switch (type) {
    case '1': return "ParseComplete";
    case '2': return "BindComplete";
    case '3': return "CloseComplete";
    case 'n': return "NoData";
    case 'T': return "Shape";
    case 'D': return "Row " + std::string{as_text(body)};
    case 'C': return "Complete " + std::string{wire::Reader{body}.cstring()};
    case 'Z': return "Ready " + std::string{as_text(body)};
    case 'G': return "CopyIn";
    case 'I': return "EmptyQuery";
    case 'S': {
        const auto parameter = wire::read_parameter(body);
        return parameter ? "Parameter " + std::string{parameter->name} + "="
                               + std::string{parameter->value}
                         : "bad parameter";
    }
    case 'E': {
        const wire::ErrorFields fields = wire::read_error(body);
        return std::string{fields.severity} + " " + std::string{fields.sqlstate} + " "
               + shown(fields.message);
    }
    case 'A': {
        const auto told = wire::read_notification(body);
        if (!told) return "Notification malformed";
        return "Notification " + std::to_string(told->process_id) + ' ' + std::string{told->channel}
               + '=' + std::string{told->payload};
    }
    default: return std::string{"unknown "} + type;
    }
}

template <class TextOfOne>
std::string text_of_all(std::string_view bytes, TextOfOne text_of_one)
{
    std::string out;
    Bytes rest = as_bytes(bytes);
    while (!rest.empty()) {
        const auto header = wire::peek_header(rest, wire::body_size_max);
        if (!header || !*header || (*header)->frame_size() > rest.size()) {
            return out + "and " + std::to_string(rest.size()) + " bytes more\n";
        }
        const Bytes body = rest.subspan(wire::frame_header_size, (*header)->body_size);
        out += text_of_one((*header)->type, body) + "\n";
        rest = rest.subspan((*header)->frame_size());
    }
    return out;
}

} // namespace

namespace say {

std::string message(char type, std::string_view body)
{
    Buffer buffer;
    wire::Writer{buffer, type}.text(body).finish();
    return text_of(buffer);
}

std::string query(std::string_view text) { return message('Q', std::string{text} + zero()); }

std::string parse(std::string_view name, std::string_view text)
{
    static_cast<void>(server_name(text));
    return message('P', std::string{name} + zero() + std::string{text} + zero() + zero() + zero());
}

std::string bind(std::string_view statement, std::string_view values)
{
    const std::string counts(6, '\0');
    return message('B', zero() + std::string{statement} + zero() + counts + std::string{values});
}

std::string describe(std::string_view statement)
{
    return message('D', "S" + std::string{statement} + zero());
}

std::string close(std::string_view statement)
{
    return message('C', "S" + std::string{statement} + zero());
}

std::string execute() { return message('E', std::string(5, '\0')); }
std::string sync() { return message('S'); }
std::string flush() { return message('H'); }
std::string copy_data(std::string_view data) { return message('d', data); }
std::string copy_done() { return message('c'); }
std::string copy_fail() { return message('f', "no" + zero()); }
std::string function_call() { return message('F', std::string(10, '\0')); }
std::string terminate() { return message('X'); }

} // namespace say

namespace reply {

std::string parsed() { return say::message('1'); }
std::string bound() { return say::message('2'); }
std::string closed() { return say::message('3'); }
std::string no_data() { return say::message('n'); }
std::string row(std::string_view text) { return say::message('D', text); }
std::string shape() { return say::message('T', std::string(2, '\0')); }
std::string complete(std::string_view tag) { return say::message('C', std::string{tag} + zero()); }
std::string ready(char status) { return say::message('Z', std::string(1, status)); }
std::string copy_in() { return say::message('G', std::string(3, '\0')); }

std::string notification(
    std::uint32_t process_id, std::string_view channel, std::string_view payload
)
{
    Buffer out;
    wire::append_notification(out, {process_id, channel, payload});
    return std::string{as_text(out)};
}

std::string error(std::string_view sqlstate, std::string_view message, std::string_view severity)
{
    Buffer buffer;
    wire::append_error(
        buffer, {std::string{severity}, std::string{sqlstate}, std::string{message}, {}, {}}
    );
    return text_of(buffer);
}

std::string answer_row(const char* mark, const char* name, const char* value)
{
    std::string body{'\0', '\3'};
    for (const char* const each : {mark, name, value}) {
        const std::string_view text = each != nullptr ? each : "";
        const std::uint32_t size = each != nullptr ? static_cast<std::uint32_t>(text.size()) : ~0U;
        for (const int shift : {24, 16, 8, 0}) body += static_cast<char>(size >> shift);
        body += text;
    }
    return row(body);
}

std::string parameter(std::string_view name, std::string_view value)
{
    return say::message('S', std::string{name} + zero() + std::string{value} + zero());
}

} // namespace reply

std::string text_of_client_messages(std::string_view bytes)
{
    return text_of_all(bytes, text_of_client_message);
}

std::string text_of_server_messages(std::string_view bytes)
{
    return text_of_all(bytes, text_of_server_message);
}

std::string server_name(std::string_view text)
{
    const std::array<std::byte, 2> no_types{};
    const session::StatementRef statement{new session::Statement{text, no_types, 0}};
    known_names().emplace(statement->server_name(), text);
    return statement->server_name();
}

} // namespace pgweir::test
