#include "integration/support/wire_messages.hpp"

namespace pgweir::test::message {

namespace {

std::string big_endian(std::size_t value, int size)
{
    constexpr int byte = 8;
    std::string bytes;
    for (int shift = (size - 1) * byte; shift >= 0; shift -= byte) {
        bytes += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
    }
    return bytes;
}

std::string cstring(std::string_view text)
{
    std::string bytes{text};
    bytes += '\0';
    return bytes;
}

// The first packet of a connection has a length but no type.
std::string untyped(std::string_view body) { return be32(body.size() + 4).append(body); }

} // namespace

std::string be16(std::size_t value) { return big_endian(value, 2); }

std::string be32(std::size_t value) { return big_endian(value, 4); }

std::string typed(char type, std::string_view body) { return type + untyped(body); }

std::string startup(const std::map<std::string, std::string>& parameters, std::uint32_t version)
{
    std::string body = be32(version);
    for (const auto& [name, value] : parameters) body += cstring(name) + cstring(value);
    return untyped(body + '\0');
}

std::string ssl_request() { return untyped(be32(80'877'103)); }

std::string gss_request() { return untyped(be32(80'877'104)); }

std::string cancel_request(std::string_view pid_and_key)
{
    return untyped(be32(80'877'102).append(pid_and_key));
}

std::string query(std::string_view sql) { return typed('Q', cstring(sql)); }

std::string parse(std::string_view name, std::string_view sql)
{
    return typed('P', cstring(name) + cstring(sql) + be16(0));
}

std::string bind(std::string_view name, const std::vector<std::string>& values)
{
    std::string body = cstring("") + cstring(name) + be16(0) + be16(values.size());
    for (const std::string& value : values) body += be32(value.size()) + value;
    return typed('B', body + be16(0));
}

std::string bind_portal(std::string_view portal, std::string_view name)
{
    return typed('B', cstring(portal) + cstring(name) + be16(0) + be16(0) + be16(0));
}

std::string describe(char kind, std::string_view name) { return typed('D', kind + cstring(name)); }

std::string close(char kind, std::string_view name) { return typed('C', kind + cstring(name)); }

std::string execute(std::string_view portal, std::size_t rows_max)
{
    return typed('E', cstring(portal) + be32(rows_max));
}

std::string sync() { return typed('S', ""); }

std::string flush() { return typed('H', ""); }

std::string terminate() { return typed('X', ""); }

std::string password(std::string_view text) { return typed('p', cstring(text)); }

std::string copy_data(std::string_view bytes) { return typed('d', bytes); }

std::string copy_done() { return typed('c', ""); }

std::string copy_fail(std::string_view why) { return typed('f', cstring(why)); }

} // namespace pgweir::test::message

namespace pgweir::test {

namespace {

std::size_t number_at(const std::string& body, std::size_t offset, std::size_t size)
{
    std::size_t number = 0;
    for (const char byte : body.substr(offset, size)) {
        number = number << 8U | static_cast<unsigned char>(byte);
    }
    return number;
}

std::string row_values(const std::string& body)
{
    constexpr std::size_t null = 0xFFFF'FFFF;
    std::string text;
    std::size_t offset = 2;
    for (std::size_t left = number_at(body, 0, 2); left > 0; --left) {
        const std::size_t size = number_at(body, offset, 4);
        offset += 4;
        if (!text.empty()) text += '|';
        text += size == null ? "NULL" : body.substr(offset, size);
        if (size != null) offset += size;
    }
    return text;
}

} // namespace

std::string Message::field(char code) const
{
    for (std::size_t at = 0; at < body.size() && body[at] != '\0';) {
        const std::string value = body.c_str() + at + 1;
        if (body[at] == code) return value;
        at += value.size() + 2;
    }
    return "";
}

std::string Message::text() const
{
    const auto with = [this](const std::string& inner) {
        return std::string{type} + "(" + inner + ")";
    };
    switch (type) {
    case 'E': return with(field('C'));
    case 'N': return with(field('M'));
    case 'C': return with(body.substr(0, body.find('\0')));
    case 'Z': return with(body);
    case 'D': return with(row_values(body));
    case 'T':
    case 't': return with(std::to_string(number_at(body, 0, 2)));
    case 'R': return with(std::to_string(number_at(body, 0, 4)));
    case 'S':
        return with(body.substr(0, body.find('\0')) + "=" + (body.c_str() + body.find('\0') + 1));
    case 'A': return with(body.c_str() + 4);
    case 'd': return with(body);
    default: return {type};
    }
}

} // namespace pgweir::test
