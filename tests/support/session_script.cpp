#include <pgweir/session/abandon.hpp>
#include <pgweir/session/fingerprint.hpp>
#include <pgweir/session/question.hpp>

#include "support/session_script.hpp"

#include <algorithm>
#include <utility>

namespace pgweir::test {

using session::Step;
using session::Stop;

namespace {

std::string text_of(const session::Gather& gather)
{
    std::string text;
    for (const auto& run : gather.runs()) text += as_text(gather.bytes(run));
    return text;
}

} // namespace

SessionScript::SessionScript()
{
    for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].id = ClientId{i + 1};
    for (std::size_t i = 0; i < servers_.size(); ++i) servers_[i].serial = 101 + i;
}

// A copy of its own for each piece: what is read behind its end, or kept too long, is found.
void SessionScript::client(std::string_view bytes)
{
    while (!bytes.empty()) {
        const std::size_t size = cut ? std::clamp<std::size_t>(cut(bytes.size()), 1, bytes.size())
                                     : bytes.size();
        client_input_ += bytes.substr(0, size);
        bytes.remove_prefix(size);
        run_client();
    }
}

void SessionScript::run_client()
{
    if (client_stop == Stop::terminate || client_stop == Stop::violation) return;
    const Buffer copy{as_bytes(client_input_).begin(), as_bytes(client_input_).end()};
    show_client(copy);
}

void SessionScript::show_client(Bytes input)
{
    const session::Context context{options, table, knowledge, clientele};
    session::ClientForwarder forwarder{
        context, clients_.at(client_), session::Outputs{to_server_, to_client_}
    };
    session::ServerState* const server = server_ == none ? nullptr : &servers_.at(server_);
    const bool is_looked_at = server != nullptr && server->is_fresh // as when a server is lent
                              && clients_.at(client_).stream.remaining == 0;
    const bool is_plain_select = is_looked_at
                                 && session::glance_at_transaction(clients_.at(client_), input)
                                        .is_plain_select;
    const Step step = forwarder.forward(input, server, is_plain_select);
    collect();
    client_stop = step.stop;
    if (step.stop == Stop::violation) problem = step.error->message;
    counts.queries += step.counts.queries;
    counts.empty_transactions += step.counts.empty_transactions;
    counts.client_parses += step.counts.client_parses;
    counts.server_parses += step.counts.server_parses;
    counts.binds += step.counts.binds;
    client_input_.erase(0, step.consumed);
}

void SessionScript::server(std::string_view bytes)
{
    do {
        const bool is_cut = cut && !bytes.empty();
        const std::size_t size = is_cut
                                     ? std::clamp<std::size_t>(cut(bytes.size()), 1, bytes.size())
                                     : bytes.size();
        server_input_ += bytes.substr(0, size);
        bytes.remove_prefix(size);
        if (server_stop == Stop::violation) return;
        const Buffer copy{as_bytes(server_input_).begin(), as_bytes(server_input_).end()};
        show_server(copy);
        if (client_ != none && client_stop == Stop::need_replies) run_client();
    } while (!bytes.empty());
}

void SessionScript::show_server(Bytes input)
{
    session::ServerForwarder forwarder{
        servers_.at(server_), client_ == none ? nullptr : &clients_.at(client_), to_client_
    };
    const Step step = forwarder.forward(input);
    collect();
    server_stop = step.stop;
    if (step.stop == Stop::violation) problem = step.error->message;
    counts.ready += step.counts.ready;
    server_input_.erase(0, step.consumed);
}

void SessionScript::collect()
{
    sent_to_server_ += text_of(to_server_);
    sent_to_client_ += text_of(to_client_);
    to_server_.clear();
    to_client_.clear();
}

std::string SessionScript::to_server()
{
    return text_of_client_messages(std::exchange(sent_to_server_, {}));
}

std::string SessionScript::to_client()
{
    return text_of_server_messages(std::exchange(sent_to_client_, {}));
}

void SessionScript::forget_output()
{
    sent_to_server_.clear();
    sent_to_client_.clear();
}

// As a lease begins: first the settings, then what the client has been waiting with.
void SessionScript::lend(std::size_t server)
{
    server_ = server;
    if (client_ == none) return;
    session::reconcile_server(servers_.at(server_), clients_.at(client_), to_server_);
    collect();
    if (!client_input_.empty()) run_client();
}

bool SessionScript::abandon(const wire::ErrorText& error)
{
    const bool is_told = session::abandon(server_state(), client_state(), error, to_client_);
    collect();
    return is_told;
}

void SessionScript::ask()
{
    session::ask(server_state(), knowledge, to_server_);
    collect();
}

void SessionScript::take_answer()
{
    session::take_answer(server_state(), client_state(), knowledge);
}

} // namespace pgweir::test
