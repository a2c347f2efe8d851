#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include "differential/session.hpp"

#include <system_error>

namespace pgweir::differential {

namespace {

constexpr std::chrono::seconds silence_max{8}; // more than pgweir lets a client wait for a server

} // namespace

Session::Session(const Place& place, std::vector<wire::Parameter> parameters, bool is_reusable)
    : stream_{place.target.host, place.target.port}, is_reusable_{is_reusable}
{
    stream_.give_up_after(silence_max);
    parameters.emplace_back("database", place.database);
    Buffer startup;
    wire::append_startup(startup, {3, 0}, parameters);
    send(startup);
}

const std::vector<Message>& Session::greeting()
{
    if (greeting_.empty()) greeting_ = receive(1);
    return greeting_;
}

void Session::send(Bytes bytes) { stream_.write_what_is_taken(as_text(bytes)); }

std::optional<Message> Session::next_message()
{
    const std::string_view rest = std::string_view{received_}.substr(consumed_);
    const auto header = wire::peek_header(as_bytes(rest), wire::body_size_max).value();
    if (!header || rest.size() < header->frame_size()) return std::nullopt;

    consumed_ += header->frame_size();
    return Message{
        header->type, std::string{rest.substr(wire::frame_header_size, header->body_size)}
    };
}

std::vector<Message> Session::receive(std::size_t ready_count, std::size_t notifications)
{
    std::vector<Message> messages;
    while (ready_count > 0 || notification_count_ < notifications) {
        std::optional<Message> message = next_message();
        if (message) {
            if (message->type == wire::server_type::ready_for_query) --ready_count;
            if (message->type == wire::server_type::notification) ++notification_count_;
            messages.push_back(std::move(*message));
            continue;
        }
        received_.erase(0, std::exchange(consumed_, 0));
        try {
            const std::string more = stream_.read_some();
            if (!more.empty()) {
                received_ += more;
                continue;
            }
            messages.push_back({remark, "the connection is closed"});
        } catch (const std::system_error&) {
            messages.push_back({remark, "nothing more comes"});
        }
        return messages;
    }
    return messages;
}

void Session::leave()
{
    if (std::exchange(left_, true)) return;
    Buffer farewell;
    wire::append_empty(farewell, wire::client_type::terminate);
    send(farewell);
}

void Session::await_end()
{
    leave();
    try {
        static_cast<void>(stream_.read_to_end());
    } catch (const std::system_error&) {
        return; // it hangs: what it was asked last has said so
    }
}

} // namespace pgweir::differential
