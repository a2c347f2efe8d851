#include <pgweir/net/server_login.hpp>

#include <pgweir/auth/md5.hpp>
#include <pgweir/auth/scram.hpp>
#include <pgweir/net/connect.hpp>
#include <pgweir/wire/reader.hpp>

#include <utility>

namespace pgweir::net {

using wire::ErrorText;

namespace {

ErrorText lost(const Channel& channel, const ErrorCode& error)
{
    if (channel.is_timed_out()) {
        return {
            "FATAL", "08006", "the server did not answer within server_connect_timeout", {}, {}
        };
    }
    return {
        "FATAL",
        "08006",
        "the server closed the connection during login: " + error.message(),
        {},
        {}
    };
}

ErrorText from_server(Bytes body)
{
    const wire::ErrorFields fields = wire::read_error(body);
    return {
        "FATAL",
        fields.sqlstate.empty() ? "08006" : std::string{fields.sqlstate},
        std::string{fields.message},
        std::string{fields.detail},
        std::string{fields.hint}
    };
}

ErrorText refused(std::string message, std::string hint = {})
{
    return {"FATAL", "08004", std::move(message), {}, std::move(hint)};
}

auth::ChannelBinding binding_policy(const std::string& text)
{
    if (text == "disable") return auth::ChannelBinding::disable;
    return text == "require" ? auth::ChannelBinding::require : auth::ChannelBinding::prefer;
}

std::vector<std::string> read_mechanisms(wire::Reader reader)
{
    std::vector<std::string> mechanisms;
    for (;;) {
        const std::string_view name = reader.cstring();
        if (name.empty()) return mechanisms;
        mechanisms.emplace_back(name);
    }
}

/// One login over a channel that is connected, and under TLS if that is wanted.
class ServerLogin {
public:
    ServerLogin(Channel& channel, const ConnectRequest& request, auth::KeyCache& keys)
        : channel_{channel}, request_{request}, keys_{keys}
    {
    }

    /// An empty message: logged in.
    Task<ErrorText> run();

    std::vector<session::Settings::Entry> parameters;
    std::uint32_t process_id = 0;
    std::string secret;

private:
    Task<ErrorText> authenticate();
    Task<ErrorText> answer(std::uint32_t code, Buffer data);
    Task<ErrorText> sasl(std::vector<std::string> mechanisms);
    Task<ErrorText> read_sasl(wire::AuthCode expected, Buffer* data);
    Task<ErrorText> become_ready();
    [[nodiscard]] ErrorText no_password() const;

    Channel& channel_;
    const ConnectRequest& request_;
    auth::KeyCache& keys_;
    bool is_bound_ = false;
};

Task<ErrorText> ServerLogin::run()
{
    Buffer startup;
    std::vector<wire::Parameter> all{
        {"user", request_.upstream.user}, {"database", request_.upstream.dbname}
    };
    all.insert(all.end(), request_.parameters.begin(), request_.parameters.end());
    wire::append_startup(startup, {3, 0}, all);
    if (const ErrorCode error = co_await channel_.write(std::move(startup))) {
        co_return lost(channel_, error);
    }
    ErrorText problem = co_await authenticate();
    if (!problem.message.empty()) co_return problem;
    if (request_.upstream.channel_binding == "require" && !is_bound_) {
        co_return refused("channel_binding is \"require\", and the server did not ask for it");
    }
    co_return co_await become_ready();
}

Task<ErrorText> ServerLogin::authenticate()
{
    for (;;) {
        const auto message = co_await channel_.read_message(login_message_size_max);
        if (!message) co_return lost(channel_, message.error());
        if (message->type == wire::server_type::error) co_return from_server(message->body);
        if (message->type == wire::server_type::notice) continue;
        if (message->type == wire::server_type::negotiate_protocol) continue;
        if (message->type != wire::server_type::authentication) {
            co_return refused("the server does not speak PostgreSQL's protocol");
        }
        wire::Reader reader{message->body};
        const std::uint32_t code = reader.be32();
        if (code == 0 && reader.ok()) co_return ErrorText{};
        Buffer data{reader.rest().begin(), reader.rest().end()};
        ErrorText problem = co_await answer(code, std::move(data));
        if (!problem.message.empty()) co_return problem;
    }
}

Task<ErrorText> ServerLogin::answer(std::uint32_t code, Buffer data)
{
    const Upstream& upstream = request_.upstream;
    Buffer out;
    switch (static_cast<wire::AuthCode>(code)) {
    case wire::AuthCode::cleartext:
        if (!upstream.has_password) co_return no_password();
        wire::append_password(out, upstream.password);
        break;
    case wire::AuthCode::md5: {
        if (!upstream.has_password) co_return no_password();
        if (data.size() != 4) co_return refused("the server's MD5 salt has the wrong size");
        const auto verifier = auth::parse_verifier(upstream.password);
        if (!verifier) co_return refused(verifier.error().message());
        const auto response = auth::md5_response(
            *verifier, upstream.user, std::span<const std::byte, 4>{data}
        );
        if (!response) co_return refused("MD5 authentication: " + response.error().message());
        wire::append_password(out, *response);
        break;
    }
    case wire::AuthCode::sasl: {
        if (!upstream.has_password) co_return no_password();
        const wire::Reader reader{data};
        co_return co_await sasl(read_mechanisms(reader));
    }
    case wire::AuthCode::ok:
    case wire::AuthCode::sasl_continue:
    case wire::AuthCode::sasl_final:
    default:
        co_return refused(
            "the server asks for authentication method " + std::to_string(code)
                + ", which pgweir does not speak",
            "Use scram-sha-256, md5, password, cert or trust in pg_hba.conf for it."
        );
    }
    if (const ErrorCode error = co_await channel_.write(std::move(out))) {
        co_return lost(channel_, error);
    }
    co_return ErrorText{};
}

Task<ErrorText> ServerLogin::sasl(std::vector<std::string> mechanisms)
{
    auth::ScramClientOptions options;
    options.secret = request_.upstream.password;
    options.nonce = auth::make_scram_nonce();
    options.mechanisms = std::move(mechanisms);
    options.channel_binding = binding_policy(request_.upstream.channel_binding);
    options.binding = peer_binding(channel_.stream());
    auth::ScramClient scram{std::move(options), keys_};

    const auto first = scram.first();
    if (!first) co_return refused("SCRAM authentication: " + first.error().message());
    is_bound_ = first->mechanism == auth::scram_plus_mechanism;
    Buffer out;
    wire::append_sasl_initial(out, first->mechanism, first->message);
    if (const ErrorCode error = co_await channel_.write(std::move(out))) {
        co_return lost(channel_, error);
    }
    Buffer data;
    ErrorText problem = co_await read_sasl(wire::AuthCode::sasl_continue, &data);
    if (!problem.message.empty()) co_return problem;
    const auto final_message = scram.on_server_first(as_text(data));
    if (!final_message)
        co_return refused("SCRAM authentication: " + final_message.error().message());
    Buffer response;
    wire::append_sasl_response(response, *final_message);
    if (const ErrorCode error = co_await channel_.write(std::move(response))) {
        co_return lost(channel_, error);
    }
    problem = co_await read_sasl(wire::AuthCode::sasl_final, &data);
    if (!problem.message.empty()) co_return problem;
    if (const ErrorCode error = scram.on_server_final(as_text(data))) {
        co_return refused("SCRAM authentication: " + error.message());
    }
    co_return ErrorText{};
}

Task<ErrorText> ServerLogin::read_sasl(wire::AuthCode expected, Buffer* data)
{
    const auto message = co_await channel_.read_message(login_message_size_max);
    if (!message) co_return lost(channel_, message.error());
    if (message->type == wire::server_type::error) co_return from_server(message->body);
    wire::Reader reader{message->body};
    const bool is_expected = message->type == wire::server_type::authentication
                             && reader.be32() == static_cast<std::uint32_t>(expected);
    if (!is_expected) co_return refused("the server broke off the SCRAM exchange");
    data->assign(reader.rest().begin(), reader.rest().end());
    co_return ErrorText{};
}

Task<ErrorText> ServerLogin::become_ready()
{
    constexpr std::size_t parameters_max = 1'000;

    for (;;) {
        const auto message = co_await channel_.read_message(login_message_size_max);
        if (!message) co_return lost(channel_, message.error());
        wire::Reader reader{message->body};
        switch (message->type) {
        case wire::server_type::error: co_return from_server(message->body);
        case wire::server_type::ready_for_query: co_return ErrorText{};
        case wire::server_type::backend_key_data:
            process_id = reader.be32();
            secret = as_text(reader.rest());
            break;
        case wire::server_type::parameter_status:
            if (const auto parameter = wire::read_parameter(message->body)) {
                parameters.emplace_back(parameter->name, parameter->value);
            }
            if (parameters.size() > parameters_max) co_return refused("too many parameters");
            break;
        case wire::server_type::notice:
        case wire::server_type::negotiate_protocol: break;
        default: co_return refused("the server does not speak PostgreSQL's protocol");
        }
    }
}

ErrorText ServerLogin::no_password() const
{
    return refused(
        "the server asks for a password of user \"" + request_.upstream.user
            + "\", and pgweir has none",
        "Put it in the upstream's URL, or in [users.\"" + request_.upstream.user + "\"]."
    );
}

} // namespace

ContextResult ContextCache::get(const TlsOptions& options)
{
    for (const auto& [key, context] : contexts_) {
        if (key == options) return {context, {}};
    }
    ContextResult made = make_connecting_context(options);
    if (made.context) contexts_.emplace_back(options, made.context);
    return made;
}

namespace {

// One attempt at one address.
Task<ConnectOutcome> log_in_at(
    Address address,
    std::string host,
    const ConnectRequest* request,
    ContextCache* contexts,
    auth::KeyCache* keys
)
{
    ConnectOutcome outcome;
    const auto executor = co_await asio::this_coro::executor;
    Connected connected = co_await connect_to(executor, address, host, *request, *contexts);
    if (!connected.channel) {
        outcome.error = std::move(connected.error);
        co_return outcome;
    }
    ServerLogin login{*connected.channel, *request, *keys};
    outcome.error = co_await login.run();
    outcome.was_reached = true;
    if (!outcome.error.message.empty()) co_return outcome;
    OpenedServer& opened = outcome.server.emplace();
    opened.cancel.upstream = request->upstream;
    opened.cancel.upstream.password.clear(); // not needed to cancel
    opened.cancel.address = address;
    opened.cancel.host = std::move(host);
    opened.cancel.process_id = login.process_id;
    opened.cancel.secret = std::move(login.secret);
    opened.stream = connected.channel->release();
    outcome.parameters = std::move(login.parameters);
    co_return outcome;
}

// pg_hba.conf may want the other of plain and TLS (libpq's "allow" and "prefer").
Task<ConnectOutcome> try_address(
    Address address,
    std::string host,
    ConnectRequest request,
    ContextCache* contexts,
    auth::KeyCache* keys
)
{
    const TlsMode mode = request.upstream.tls.mode;
    ConnectOutcome outcome = co_await log_in_at(address, host, &request, contexts, keys);
    const bool may_differ = !address.is_unix() && outcome.was_reached
                            && outcome.error.sqlstate == "28000"
                            && (mode == TlsMode::allow || mode == TlsMode::prefer);
    if (!may_differ) co_return outcome;
    request.upstream.tls.mode = mode == TlsMode::allow ? TlsMode::require : TlsMode::disable;
    ConnectOutcome second = co_await log_in_at(address, host, &request, contexts, keys);
    if (second.server) co_return second;
    co_return outcome;
}

} // namespace

Task<ConnectOutcome> connect_server(
    ConnectRequest request, ContextCache& contexts, auth::KeyCache& keys
)
{
    ConnectOutcome outcome;
    outcome.error = refused("the upstream names no host");
    const auto executor = co_await asio::this_coro::executor;
    for (const HostPort& host : request.upstream.hosts) {
        const Resolved resolved = co_await resolve(executor, host, request.deadline);
        if (resolved.addresses.empty()) {
            outcome.error = {"FATAL", "08006", resolved.problem, {}, {}};
        }
        for (const Address& address : resolved.addresses) {
            outcome = co_await try_address(address, host.host, request, &contexts, &keys);
            if (outcome.was_reached) co_return outcome; // ready, or it said no
        }
    }
    co_return outcome;
}

Task<void> cancel_on_server(CancelTarget target, TimePoint deadline, ContextCache& contexts)
{
    const auto executor = co_await asio::this_coro::executor;
    ConnectRequest request;
    request.upstream = target.upstream;
    request.deadline = deadline;
    Connected connected = co_await connect_to(
        executor, target.address, target.host, request, contexts
    );
    if (!connected.channel) co_return;
    Buffer packet;
    wire::append_cancel_request(packet, target.process_id, target.secret);
    if (co_await connected.channel->write(std::move(packet))) co_return;
    // PostgreSQL answers by closing, once the signal is sent.
    static_cast<void>(co_await connected.channel->read_single_byte());
}

} // namespace pgweir::net
