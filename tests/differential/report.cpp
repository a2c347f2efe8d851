#include <pgweir/wire/messages.hpp>

#include "differential/report.hpp"
#include "differential/wire_text.hpp"

namespace pgweir::differential {

namespace {

// The rows of one result that differ, column by column. Empty: it is something else.
std::string row_difference_of(const Mismatch& mismatch)
{
    namespace type = wire::server_type;
    const std::size_t at = mismatch.first_difference;
    const auto is_row = [&](const std::vector<Message>& messages) {
        return at < messages.size() && messages[at].type == type::data_row;
    };
    if (!is_row(mismatch.expected) || !is_row(mismatch.got)) return "";
    for (std::size_t i = at; i > 0; --i) {
        const Message& before = mismatch.expected[i - 1];
        if (before.type != type::row_description) continue;
        return row_difference(before, mismatch.expected[at], mismatch.got[at]);
    }
    return "";
}

std::string line_at(const std::vector<Message>& messages, std::size_t index)
{
    return index < messages.size() ? server_line(messages[index]) : "(nothing)";
}

} // namespace

std::string conversation(const std::vector<Exchange>& history, std::optional<std::size_t> client)
{
    std::string text;
    for (const Exchange& exchange : history) {
        if (client && exchange.step.client != *client) continue;
        const std::string who = "  c" + std::to_string(exchange.step.client);
        const bool is_login = exchange.step.bytes.empty();
        if (is_login) {
            text += who + " > (logs in)\n";
            continue;
        }
        for (const std::string& line : client_lines(exchange.step.bytes)) {
            text.append(who).append(" > ").append(line) += '\n';
        }
        for (const Message& reply : exchange.replies) {
            text.append(who).append(" <     ").append(server_line(reply)) += '\n';
        }
    }
    return text;
}

std::string difference(const Mismatch& mismatch, const Arena& arena)
{
    std::string text = "  - " + arena.expected.name + "\n  + " + arena.tested.name + '\n';
    for (std::size_t i = 0; i < mismatch.first_difference; ++i) {
        text += "      " + server_line(mismatch.expected[i]) + '\n';
    }
    for (std::size_t i = mismatch.first_difference; i < mismatch.expected.size(); ++i) {
        text += "  -   " + server_line(mismatch.expected[i]) + '\n';
    }
    for (std::size_t i = mismatch.first_difference; i < mismatch.got.size(); ++i) {
        text += "  +   " + server_line(mismatch.got[i]) + '\n';
    }
    const std::string rows = row_difference_of(mismatch);
    if (!rows.empty()) text += "  that is: " + rows + '\n';
    const std::size_t at = mismatch.first_difference;
    const bool read_the_same = at < mismatch.expected.size() && at < mismatch.got.size()
                               && line_at(mismatch.expected, at) == line_at(mismatch.got, at);
    if (read_the_same) {
        text += "  -   " + hexadecimal(mismatch.expected[at].body) + '\n';
        text += "  +   " + hexadecimal(mismatch.got[at].body) + '\n';
    }
    return text;
}

std::string summary(const Mismatch& mismatch, const Step& step)
{
    constexpr std::size_t enough = 120;
    std::string sent;
    for (const std::string& line : client_lines(step.bytes)) {
        sent += " / " + line.substr(0, enough) + (line.size() > enough ? "..." : "");
    }
    const std::string rows = row_difference_of(mismatch);
    const std::string what = rows.empty()
                                 ? "expected "
                                       + line_at(mismatch.expected, mismatch.first_difference)
                                       + ", got " + line_at(mismatch.got, mismatch.first_difference)
                                 : rows;
    return "c" + std::to_string(mismatch.client) + (sent.empty() ? " logs in" : sent) + " => "
           + what;
}

} // namespace pgweir::differential
