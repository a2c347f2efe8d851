#include <pgweir/net/server_login.hpp>

#include <pgweir/auth/md5.hpp>
#include <pgweir/auth/scram.hpp>
#include <pgweir/net/connect.hpp>
#include <pgweir/wire/reader.hpp>

#include <utility>

namespace pgweir::net {

using wire::ErrorText;

namespace {

constexpr const char* refused_state = "08004"; // by us: no other host is tried

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

ErrorText server_error(Bytes body)
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
    return {"FATAL", refused_state, std::move(message), {}, std::move(hint)};
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
    ServerRole role;
    std::uint32_t process_id = 0;
    std::string secret;
    bool has_answered = false;

private:
    Task<ErrorText> authenticate();
    Task<ErrorText> answer(std::uint32_t code, Buffer data);
    Task<ErrorText> sasl(std::vector<std::string> mechanisms);
    Task<ErrorText> read_sasl(wire::AuthCode expected, Buffer* data);
    Task<ErrorText> become_ready();
    Task<ErrorText> ask_for_role();
    [[nodiscard]] ErrorText from_server(Bytes body);
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
    problem = co_await become_ready();
    if (!problem.message.empty()) co_return problem;
    co_return co_await ask_for_role();
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
        if (!upstream.has_password && !request_.keys) co_return no_password();
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
    if (request_.keys) options.secret = *request_.keys;
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

// Once it has said it itself there is nothing to ask.
Task<ErrorText> ServerLogin::ask_for_role()
{
    const SessionAttrs wanted = request_.upstream.target_session_attrs;
    role = read_role(parameters);
    const std::string_view question = role_question(wanted, role);
    if (question.empty()) co_return ErrorText{};
    Buffer out;
    wire::append_query(out, question);
    if (const ErrorCode error = co_await channel_.write(std::move(out))) {
        co_return lost(channel_, error);
    }
    ErrorText problem;
    for (;;) {
        const auto message = co_await channel_.read_message(login_message_size_max);
        if (!message) co_return lost(channel_, message.error());
        if (message->type == wire::server_type::ready_for_query) co_return problem;
        if (message->type == wire::server_type::error) problem = server_error(message->body);
        if (message->type != wire::server_type::data_row) continue;
        const auto row = wire::read_data_row(message->body);
        if (row && row->size() == 1 && row->front()) take_role(role, wanted, *row->front());
    }
}

ErrorText ServerLogin::from_server(Bytes body)
{
    has_answered = true;
    return server_error(body);
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

Task<ConnectOutcome> log_in_at(
    Address address,
    HostPort place,
    const ConnectRequest* request,
    ContextCache* contexts,
    auth::KeyCache* keys
)
{
    ConnectOutcome outcome;
    const auto executor = co_await asio::this_coro::executor;
    Connected connected = co_await connect_to(executor, address, place.host, *request, *contexts);
    if (!connected.channel) {
        outcome.error = std::move(connected.error);
        co_return outcome;
    }
    ServerLogin login{*connected.channel, *request, *keys};
    outcome.error = co_await login.run();
    outcome.has_answered = login.has_answered || outcome.error.sqlstate == refused_state;
    if (!outcome.error.message.empty()) co_return outcome;
    OpenedServer& opened = outcome.server.emplace();
    opened.cancel.upstream = request->upstream;
    opened.cancel.upstream.password.clear(); // not needed to cancel
    opened.cancel.address = address;
    opened.cancel.place = std::move(place);
    opened.cancel.process_id = login.process_id;
    opened.cancel.secret = std::move(login.secret);
    opened.stream = connected.channel->release();
    opened.role = login.role;
    outcome.parameters = std::move(login.parameters);
    co_return outcome;
}

} // namespace

// pg_hba.conf may want the other of plain and TLS (libpq's "allow" and "prefer").
Task<ConnectOutcome> log_in(
    Address address,
    HostPort place,
    ConnectRequest request,
    ContextCache& contexts,
    auth::KeyCache& keys
)
{
    const TlsMode mode = request.upstream.tls.mode;
    ConnectOutcome outcome = co_await log_in_at(address, place, &request, &contexts, &keys);
    const bool may_differ = !address.is_unix() && outcome.has_answered
                            && outcome.error.sqlstate == "28000"
                            && (mode == TlsMode::allow || mode == TlsMode::prefer);
    if (!may_differ) co_return outcome;
    request.upstream.tls.mode = mode == TlsMode::allow ? TlsMode::require : TlsMode::disable;
    ConnectOutcome second = co_await log_in_at(
        address, std::move(place), &request, &contexts, &keys
    );
    if (second.server) co_return second;
    co_return outcome;
}

} // namespace pgweir::net
