#include <pgweir/wire/messages.hpp>

#include "differential/allowed_differences.hpp"

#include <algorithm>

namespace pgweir::differential {

namespace {

namespace type = wire::server_type;

constexpr std::size_t id_size = 4;

void blank(std::string& body, std::size_t at) { body.replace(at, id_size, id_size, '\0'); }

// Each column: name, table (4), number in the table (2), type (4), size (2), modifier (4), format.
void mask_tables(std::string& body)
{
    constexpr std::size_t after_table = 2 + 4 + 2 + 4 + 2;
    for (std::size_t at = 2; at < body.size();) {
        at = body.find('\0', at) + 1;
        if (body.compare(at, id_size, std::string(id_size, '\0')) != 0) {
            body.replace(at, id_size, id_size, 't');
        }
        at += id_size + after_table;
    }
}

// "PL/pgSQL function shared.set_it(text,text) line 1 at PERFORM"
void remove_names_of_functions(std::string& body)
{
    constexpr std::string_view before = "PL/pgSQL function ";
    for (std::size_t at = body.find(before); at != std::string::npos; at = body.find(before, at)) {
        at += before.size();
        const std::size_t end = body.find(" line ", at);
        if (end != std::string::npos) body.erase(at, end - at);
    }
}

void remove_source_position(std::string& body)
{
    std::string rest;
    for (std::size_t at = 0; at < body.size() && body[at] != '\0';) {
        const std::size_t end = body.find('\0', at) + 1;
        const bool is_position = body[at] == 'F' || body[at] == 'L' || body[at] == 'R';
        if (!is_position) rest.append(body, at, end - at);
        at = end;
    }
    body = rest + '\0';
}

} // namespace

Comparable make_comparable(std::vector<Message> messages, const Rules& rules)
{
    Comparable result;
    for (Message& message : messages) {
        if (message.type == type::backend_key_data) message.body.clear();
        if (message.type == type::row_description) mask_tables(message.body);
        const bool has_context = message.type == type::error || message.type == type::notice;
        if (has_context) remove_names_of_functions(message.body);
        if (has_context && !rules.source_positions) remove_source_position(message.body);
        const bool is_notification = message.type == type::notification;
        if (is_notification) blank(message.body, 0);
        (is_notification ? result.notifications : result.replies).push_back(std::move(message));
    }
    return result;
}

Comparable make_login_comparable(std::vector<Message> messages, const Rules& rules)
{
    const auto is_parameter = [](const Message& m) { return m.type == type::parameter_status; };
    const auto first = std::ranges::find_if(messages, is_parameter);
    const auto last = std::find_if_not(first, messages.end(), is_parameter);
    std::sort(first, last, [](const Message& a, const Message& b) { return a.body < b.body; });
    return make_comparable(std::move(messages), rules);
}

} // namespace pgweir::differential
