#include <pgweir/net/client_login.hpp>

#include <pgweir/base/log.hpp>
#include <pgweir/net/welcome.hpp>
#include <pgweir/wire/error.hpp>

#include <sys/socket.h>
#include <utility>

namespace pgweir::net {

using wire::ErrorText;

namespace {

constexpr int first_packets_max = 4; // GSS, TLS, startup; and one more
constexpr char tls_record_handshake = 0x16;

bool is_true(std::string_view text)
{
    return text == "true" || text == "on" || text == "yes" || text == "1" || text == "database";
}

ErrorText fatal(std::string sqlstate, std::string message, std::string hint = {})
{
    return {"FATAL", std::move(sqlstate), std::move(message), {}, std::move(hint)};
}

} // namespace

Task<void> ClientLogin::run()
{
    deadline_ = std::chrono::steady_clock::now() + door_.options().client_login_timeout;
    channel_.set_deadline(deadline_);
    Verdict verdict = co_await greet();
    if (verdict.goes_on) verdict = co_await authenticate();
    // Two statements: in one conditional g++ 12 destroys the result twice.
    if (verdict.goes_on && is_console()) {
        verdict = co_await enter_console();
    } else if (verdict.goes_on) {
        verdict = co_await enter();
    }
    if (!verdict.error.message.empty()) co_await refuse(std::move(verdict.error));
}

// Up to the startup packet. A cancel request ends here.
Task<ClientLogin::Verdict> ClientLogin::greet()
{
    Verdict over;
    over.goes_on = false;
    if (co_await take_turn()) co_return over;
    char first = 0;
    const auto peeked = ::recv(channel_.stream().fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (peeked == 1 && first == tls_record_handshake) {
        Verdict verdict = co_await direct_tls();
        if (!verdict.goes_on) co_return verdict;
    }
    for (int i = 0; i < first_packets_max; ++i) {
        const auto packet = co_await channel_.read_startup_packet();
        if (!packet) {
            if (packet.error() == wire::Errc::not_postgres) {
                // Who does not speak PostgreSQL's protocol is told nothing in it, as by PostgreSQL.
                note_refusal(fatal("08P01", "invalid length of startup packet"));
            }
            co_return over;
        }
        auto parsed = wire::parse_startup_packet(*packet);
        if (!parsed) {
            over.error = fatal("08P01", parsed.error().message());
            co_return over;
        }
        if (std::holds_alternative<wire::StartupMessage>(*parsed)) {
            co_return co_await take_startup(std::get<wire::StartupMessage>(std::move(*parsed)));
        }
        if (const auto* cancel = std::get_if<wire::CancelRequest>(&*parsed)) {
            const auto limit = door_.options().client_login_timeout;
            co_await door_.cancel(*cancel, std::chrono::steady_clock::now() + limit);
            co_return over; // like PostgreSQL, which closes when the signal is sent
        }
        const bool wants_tls = !std::holds_alternative<wire::GssRequest>(*parsed);
        Verdict verdict = co_await answer_encryption_request(wants_tls);
        if (!verdict.goes_on) co_return verdict;
    }
    over.error = fatal("08P01", "no startup packet came");
    co_return over;
}

// PostgreSQL 17's sslnegotiation=direct. ALPN shows that it was meant for us.
Task<ClientLogin::Verdict> ClientLogin::direct_tls()
{
    Verdict verdict;
    verdict.goes_on = false;
    const SslContext context = door_.listening_context();
    if (!context || is_unix_) co_return verdict;
    if (!co_await start_tls(context)) co_return verdict;
    if (!speaks_postgresql(channel_.stream())) {
        verdict.error = fatal("08P01", "direct TLS needs ALPN protocol \"postgresql\"");
        co_return verdict;
    }
    verdict.goes_on = true;
    co_return verdict;
}

// TLS or GSS; the latter we never have.
Task<ClientLogin::Verdict> ClientLogin::answer_encryption_request(bool wants_tls)
{
    Verdict verdict;
    verdict.goes_on = false;
    const SslContext context = door_.listening_context();
    const bool has_tls = wants_tls && context && !is_unix_ && !channel_.stream().is_tls();
    if (!channel_.unread().empty() && has_tls) {
        verdict.error = fatal("08P01", "received unencrypted data after SSL request");
        co_return verdict;
    }
    const char letter = has_tls ? 'S' : 'N';
    Buffer answer{static_cast<std::byte>(letter)};
    if (co_await channel_.write(std::move(answer))) co_return verdict;
    if (has_tls) { // one await in each statement: see run()
        if (co_await take_turn()) co_return verdict;
        if (!co_await start_tls(context)) co_return verdict;
    }
    verdict.goes_on = true;
    co_return verdict;
}

// Before what costs time, when the client has said what it takes.
Task<ErrorCode> ClientLogin::take_turn()
{
    const ErrorCode error = co_await channel_.wait_readable();
    if (!error) co_await door_.lobby().wait(deadline_);
    co_return error;
}

Task<bool> ClientLogin::start_tls(SslContext context)
{
    const ErrorCode error = co_await channel_.start_tls(make_ssl(context), true);
    if (!error) co_return true;
    log(LogLevel::info,
        "tls_failed",
        {{"address", address_}, {"reason", tls_problem(channel_.stream())}});
    co_return false;
}

Task<ClientLogin::Verdict> ClientLogin::take_startup(wire::StartupMessage startup)
{
    startup_ = std::move(startup);
    user_ = startup_.find("user");
    database_ = startup_.find("database");
    if (database_.empty()) database_ = user_;
    const std::string_view replication = startup_.find("replication");
    wants_replication_ = is_true(replication);
    if (wants_replication_ && replication != "database") { // physical: PostgreSQL looks at none
        const auto upstream = door_.directory().find_upstream({});
        if (upstream) database_ = upstream->dbname;
    }

    Verdict verdict = check_startup();
    if (!verdict.goes_on) co_return verdict;
    auto read = session::read_startup_settings(startup_.parameters);
    if (!read.problem.empty()) {
        verdict.goes_on = false;
        verdict.error = fatal("42601", read.problem);
        co_return verdict;
    }
    settings_ = std::move(read.settings);
    co_return co_await negotiate_protocol();
}

ClientLogin::Verdict ClientLogin::check_startup() const
{
    const TlsMode mode = door_.options().client_tls.mode;
    if (user_.empty()) {
        return {false, fatal("28000", "no PostgreSQL user name specified in startup packet")};
    }
    if (mode >= TlsMode::require && !channel_.stream().is_tls() && !is_unix_) {
        return {
            false,
            fatal(
                "28000",
                "this server only takes connections under TLS",
                "Set sslmode=require, or stronger, in the client."
            )
        };
    }
    if (mode == TlsMode::verify_full && !is_unix_ && peer_common_name(channel_.stream()) != user_) {
        return {false, fatal("28000", "the client certificate is not of user \"" + user_ + '"')};
    }
    if (door_.is_closing()) {
        return {false, fatal("57P01", "pgweir is shutting down")};
    }
    if (door_.is_full() && !is_console()) {
        return {
            false,
            fatal(
                "53300",
                "sorry, too many clients already",
                "max_client_conn is " + std::to_string(door_.options().max_client_conn) + "."
            )
        };
    }
    return {};
}

// It is told what is spoken here when it asks for a newer minor version, or for options that nobody
// knows.
Task<ClientLogin::Verdict> ClientLogin::negotiate_protocol()
{
    Verdict verdict;
    std::vector<std::string_view> unknown;
    for (const auto& [name, value] : startup_.parameters) {
        if (name.starts_with("_pq_.")) unknown.push_back(name);
    }
    const wire::ProtocolVersion newest = newest_protocol();
    const bool is_newer = startup_.version > newest;
    if (!is_newer && unknown.empty()) co_return verdict;
    if (is_newer) startup_.version = newest;
    Buffer message;
    wire::append_negotiate_protocol(message, startup_.version, unknown);
    if (co_await channel_.write(std::move(message))) verdict.goes_on = false;
    co_return verdict;
}

// Nothing that PostgreSQL itself would not have spoken, once that is known.
wire::ProtocolVersion ClientLogin::newest_protocol() const
{
    const std::shared_ptr<Pool> pool = door_.pools().find({database_, user_});
    const session::SettingsRef welcome = pool ? pool->welcome() : session::no_settings();
    const std::string* const version = welcome->find("server_version");
    return protocol_of(version != nullptr ? *version : "");
}

Task<ClientLogin::Verdict> ClientLogin::enter()
{
    Verdict verdict;
    verdict.goes_on = false;
    const Pool::Name name{database_, user_};
    const std::shared_ptr<Pool> pool = door_.pools().find_or_make(name);
    if (!pool) {
        verdict.error = fatal("3D000", "database \"" + database_ + "\" does not exist");
        co_return verdict;
    }
    pass_on(pool);
    const TimePoint now = std::chrono::steady_clock::now();
    verdict.error = co_await door_.ensure_welcome(pool, now + door_.options().client_login_timeout);
    if (!verdict.error.message.empty()) co_return verdict;

    const FrontDoor::Key key = door_.new_key(startup_.version.minor >= 2);
    LoggedInClient client;
    client.pool = pool;
    client.id = key.client;
    client.startup = as_spelt(settings_, pool->welcome_as_spelt());
    client.is_unproven = !wants_replication_ && !pool->is_proven(*client.startup);
    Buffer welcome = welcome_messages(*pool, key);
    if (client.is_unproven) {
        wire::append_empty(client.early, wire::client_type::sync);
    } else {
        wire::append_ready(welcome, 'I');
    }
    client.welcome = std::move(welcome);
    client.address = address_;
    client.secret = key.secret;
    append(client.early, channel_.unread());
    client.connected_at = now;
    client.wants_replication = wants_replication_;
    if (wants_replication_) {
        client.replication_parameters = settings_->entries();
        client.replication_parameters.emplace_back("replication", startup_.find("replication"));
    }
    client.stream = channel_.release();
    log(LogLevel::debug,
        "client_login",
        {{"client", static_cast<std::uint64_t>(key.client)},
         {"address", address_},
         {"pool", pool->label()}});
    door_.admit(std::move(client));
    co_return verdict;
}

// All but ReadyForQuery.
Buffer ClientLogin::welcome_messages(const Pool& pool, const FrontDoor::Key& key) const
{
    Buffer out;
    wire::append_authentication(out, wire::AuthCode::ok);
    for (const auto& [name, value] : pool.welcome_as_spelt()) {
        wire::append_parameter(out, name, welcome_value(name, value, *settings_));
    }
    wire::append_backend_key(out, process_id_of(key.client), key.secret);
    return out;
}

Task<ClientLogin::Verdict> ClientLogin::enter_console()
{
    Verdict verdict;
    verdict.goes_on = false;
    if (!door_.directory().may_use_console(user_)) {
        verdict.error = fatal(
            "42501",
            "user \"" + user_ + "\" may not use the console",
            "Name the user in admin_users or stats_users."
        );
        co_return verdict;
    }
    Buffer out;
    wire::append_authentication(out, wire::AuthCode::ok);
    for (const auto& [name, value] : console_parameters()) wire::append_parameter(out, name, value);
    const FrontDoor::Key key = door_.new_key(false);
    wire::append_backend_key(out, process_id_of(key.client), key.secret);
    wire::append_ready(out, 'I');
    if (co_await channel_.write(std::move(out))) co_return verdict;
    ConsoleClient client;
    client.user = user_;
    client.address = address_;
    client.early.assign(channel_.unread().begin(), channel_.unread().end());
    client.stream = channel_.release();
    door_.open_console(std::move(client));
    co_return verdict;
}

// The word must arrive: closing with bytes unread would reset the connection and lose it.
Task<void> ClientLogin::refuse(wire::ErrorText error)
{
    Buffer out;
    wire::append_error(out, error);
    note_refusal(error);
    if (co_await channel_.write(std::move(out))) co_return;
    channel_.stream().shut_down_sending();
    channel_.set_deadline(std::chrono::steady_clock::now() + linger_max);
    for (;;) {
        const auto byte = co_await channel_.read_single_byte();
        if (!byte) co_return;
    }
}

void ClientLogin::note_refusal(const wire::ErrorText& error) const
{
    door_.count_refusal(error.sqlstate);
    log(LogLevel::info,
        "client_refused",
        {{"address", address_},
         {"user", user_},
         {"database", database_},
         {"sqlstate", error.sqlstate},
         {"reason", error.message}});
}

bool ClientLogin::is_console() const { return database_ == "pgweir" || database_ == "pgbouncer"; }

} // namespace pgweir::net
