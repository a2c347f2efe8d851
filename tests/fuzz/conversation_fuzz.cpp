// Two clients, two servers, and bytes that decide who says what and in what pieces.
#include <pgweir/base/assert.hpp>
#include <pgweir/session/forward.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

using namespace pgweir;
using session::Step;
using session::Stop;

namespace {

struct End {
    Buffer input;         // shown, and not used yet
    bool is_over = false; // it broke the protocol
};

class Conversation {
public:
    Conversation()
    {
        options_.hold_max = 256;
        options_.max_prepared_statements = 2;
        options_.begins_lazily = true;
        for (std::size_t i = 0; i < 2; ++i) {
            clients_[i].id = ClientId{i + 1};
            servers_[i].serial = i + 1;
        }
    }

    void client_says(Bytes piece)
    {
        End& end = client_ends_[client_];
        if (end.is_over || clients_[client_].is_skipping) return;
        append(end.input, piece);
        const std::size_t size = end.input.size();
        const session::Context context{options_, table_, knowledge_};
        session::ClientForwarder forwarder{
            context, clients_[client_], session::Outputs{to_server_, to_client_}
        };
        const Step step = forwarder.forward(end.input, is_lent_ ? &servers_[server_] : nullptr);
        look_at(step, end, size);
        messages_ += size; // each takes five bytes, and is answered by four at most
        PGWEIR_ASSERT(servers_[server_].replies.size() <= messages_ + 8);
    }

    void server_says(Bytes piece)
    {
        End& end = server_ends_[server_];
        if (end.is_over) return;
        append(end.input, piece);
        const std::size_t size = end.input.size();
        const std::size_t expected = servers_[server_].replies.size();
        session::ServerForwarder forwarder{
            servers_[server_], has_client_ ? &clients_[client_] : nullptr, to_client_
        };
        const Step step = forwarder.forward(end.input);
        look_at(step, end, size);
        PGWEIR_ASSERT(step.stop == Stop::need_input || step.stop == Stop::violation);
        PGWEIR_ASSERT(servers_[server_].replies.size() <= expected);
    }

    // Only a server that is idle changes hands: what is left of messages goes with a broken one.
    void change_places(unsigned choice)
    {
        const bool may_change = servers_[server_].is_idle() && server_ends_[server_].input.empty()
                                && clients_[client_].stream.remaining == 0;
        if (!may_change) {
            has_client_ = (choice & 8U) == 0;
            return;
        }
        client_ = choice & 1U;
        server_ = (choice >> 1U) & 1U;
        is_lent_ = (choice & 4U) == 0 || clients_[client_].stream.remaining > 0;
        has_client_ = true;
        if (!is_lent_) return;
        session::reconcile_server(servers_[server_], clients_[client_], to_server_);
        to_server_.clear();
    }

private:
    void look_at(const Step& step, End& end, std::size_t size)
    {
        PGWEIR_ASSERT(step.consumed <= size);
        std::size_t sent = 0;
        for (const session::Gather* const out : {&to_server_, &to_client_}) {
            std::size_t of_runs = 0;
            for (const auto& run : out->runs()) of_runs += out->bytes(run).size();
            PGWEIR_ASSERT(of_runs == out->size());
            for (const auto& run : out->runs()) {
                for (const std::byte byte : out->bytes(run))
                    sent += std::to_integer<std::size_t>(byte);
            }
        }
        touched_ += sent; // every byte has been read: none may lie outside
        to_server_.clear();
        to_client_.clear();
        end.is_over = step.stop == Stop::violation || step.stop == Stop::terminate;
        if (step.stop == Stop::need_input && !end.is_over) {
            PGWEIR_ASSERT(step.consumed == size || step.wanted > size - step.consumed);
        }
        const auto used = static_cast<std::ptrdiff_t>(step.consumed);
        end.input.erase(end.input.begin(), end.input.begin() + used);
    }

    session::ForwardOptions options_;
    session::StatementTable table_;
    session::Knowledge knowledge_;
    std::array<session::ClientState, 2> clients_;
    std::array<session::ServerState, 2> servers_;
    std::array<End, 2> client_ends_;
    std::array<End, 2> server_ends_;
    session::Gather to_server_;
    session::Gather to_client_;
    std::size_t client_ = 0;
    std::size_t server_ = 0;
    std::size_t messages_ = 0;
    std::size_t touched_ = 0;
    bool is_lent_ = true;
    bool has_client_ = true;
};

} // namespace

// A byte that says who is next and how much, then what is said. Headers are made where asked for,
// because no fuzzer guesses four bytes of length.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    Conversation conversation;
    Bytes rest = std::as_bytes(std::span{data, size});
    while (!rest.empty()) {
        const auto choice = std::to_integer<unsigned>(rest.front());
        rest = rest.subspan(1);
        const std::size_t length = std::min<std::size_t>(choice & 0x1fU, rest.size());
        const Bytes piece = rest.first(length);
        rest = rest.subspan(length);
        Buffer message;
        const bool is_framed = (choice & 0x20U) != 0 && !piece.empty();
        if (is_framed) {
            message.push_back(piece.front());
            message.resize(5);
            store_be32(&message[1], static_cast<std::uint32_t>(piece.size() + 3));
            append(message, piece.subspan(1));
        } else {
            append(message, piece);
        }
        switch (choice >> 6U) {
        case 0:
        case 1: conversation.client_says(message); break;
        case 2: conversation.server_says(message); break;
        default: conversation.change_places(choice); break;
        }
    }
    return 0;
}
