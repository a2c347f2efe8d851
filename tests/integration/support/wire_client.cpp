#include "integration/support/wire_client.hpp"

#include <stdexcept>

namespace pgweir::test {

Message WireClient::receive()
{
    const std::string header = stream_.read_exactly(5);
    std::size_t size = 0;
    for (const char byte : header.substr(1)) size = size << 8U | static_cast<unsigned char>(byte);
    if (size < 4) throw std::runtime_error{"a message of impossible length"};
    return {header[0], stream_.read_exactly(size - 4)};
}

std::string WireClient::receive_until(char type)
{
    std::string all;
    for (;;) {
        const Message message = receive();
        all += (all.empty() ? "" : " ") + message.text();
        if (message.type == type) return all;
    }
}

std::string WireClient::receive_to_end()
{
    std::string all;
    try {
        for (;;) all += (all.empty() ? "" : " ") + receive().text();
    } catch (const PeerGone&) {
        return all;
    }
}

std::string WireClient::ask(std::string_view bytes)
{
    send(bytes);
    return receive_until('Z');
}

std::string WireClient::log_in(
    const std::string& user,
    const std::map<std::string, std::string>& parameters,
    std::uint32_t version
)
{
    std::map<std::string, std::string> all{{"user", user}, {"database", "app"}};
    for (const auto& [name, value] : parameters) all[name] = value;
    send(message::startup(all, version));

    std::string said;
    for (;;) {
        const Message message = receive();
        said += (said.empty() ? "" : " ") + message.text();
        if (message.text() == "R(3)") send(message::password("secret"));
        if (message.type == 'K') cancel_key_ = message.body;
        if (message.type == 'E') {
            throw std::runtime_error{"login: " + message.field('C') + " " + message.field('M')};
        }
        if (message.type == 'Z') return said;
    }
}

std::string refusal(WireClient& client)
{
    std::string words;
    try {
        for (;;) {
            const Message message = client.receive();
            if (message.type == 'E') words = message.field('C') + " " + message.field('M');
        }
    } catch (const PeerGone&) {
        return words;
    }
}

} // namespace pgweir::test
