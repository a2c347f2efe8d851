// The part of ClientLogin in which a client proves who it is.
#include <pgweir/auth/crypto.hpp>
#include <pgweir/auth/md5.hpp>
#include <pgweir/auth/scram.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/net/client_login.hpp>
#include <pgweir/net/tls.hpp>
#include <pgweir/wire/error.hpp>
#include <pgweir/wire/reader.hpp>

#include <array>
#include <utility>

namespace pgweir::net {

using wire::ErrorText;

Task<ClientLogin::Verdict> ClientLogin::authenticate()
{
    const auth::Method method = door_.directory().auth_method();
    auto user = door_.directory().find_user(user_, database_);
    const bool is_enough = user && (user->has_password || method == auth::Method::trust);
    bool is_of_database = false;
    if (!is_enough) {
        const Lookup lookup = co_await look_up();
        if (!lookup.problem.message.empty()) co_return Verdict{false, lookup.problem};
        is_of_database = lookup.is_of_database;
    }
    if (role_) user = auth::User{user_, !role_->password.empty(), role_->password};

    const auth::LoginPlan plan = door_.auth().plan_login(method, user_, user, is_of_database);
    Verdict verdict;
    if (plan.challenge != auth::Challenge::none) {
        verdict = co_await prove(&plan);
    } else if (!plan.is_known) {
        verdict = wrong_password("no such user");
    }
    if (verdict.goes_on && role_ && !role_->may_log_in) {
        verdict.goes_on = false;
        verdict.error = {
            "FATAL", "28000", "role \"" + user_ + "\" is not permitted to log in", {}, {}
        };
    }
    co_return verdict;
}

// Asks PostgreSQL for whom the configuration has no password: see D-034.
Task<ClientLogin::Lookup> ClientLogin::look_up()
{
    Lookup lookup;
    auto source = door_.directory().find_role_source(database_);
    if (!source) co_return lookup;
    const TimePoint deadline = std::chrono::steady_clock::now()
                               + door_.options().client_login_timeout;
    const auth::RoleAnswer answer = co_await door_.roles().find(
        std::move(*source), user_, deadline
    );
    lookup.is_of_database = !answer.is_refused;
    role_ = answer.role;
    if (!answer.is_available) {
        lookup.problem = {
            "FATAL",
            "57P03",
            "user \"" + user_ + "\" cannot be looked up in the database at the moment",
            {},
            "Try again later."
        };
    }
    co_return lookup;
}

// The pool outlives its clients, and logs in with what the last one of them has proved.
void ClientLogin::pass_on(const std::shared_ptr<Pool>& pool)
{
    if (secret_ && !pool->upstream().has_password && pool->set_secret(*secret_)) {
        pool->shared().retry_not_before(TimePoint::min()); // what has failed was another secret
    }
    if (role_ && pool->set_identity(role_->identity)) door_.renew(pool);
}

Task<ClientLogin::Verdict> ClientLogin::prove(const auth::LoginPlan* plan)
{
    Verdict gone;
    gone.goes_on = false;
    if (plan->challenge == auth::Challenge::scram) co_return co_await prove_by_scram(plan);

    Buffer question;
    std::array<std::byte, 4> salt{};
    if (plan->challenge == auth::Challenge::md5) {
        auth::random_bytes(salt);
        wire::append_authentication(question, wire::AuthCode::md5, salt);
    } else {
        wire::append_authentication(question, wire::AuthCode::cleartext);
    }
    if (co_await channel_.write(std::move(question))) co_return gone;
    const auto answer = co_await read_password();
    if (!answer) co_return gone;
    std::string_view text = *answer;
    if (text.ends_with('\0')) text.remove_suffix(1);
    const ErrorCode error = plan->challenge == auth::Challenge::md5 ? plan->check_md5(salt, text)
                                                                    : plan->check_password(text);
    if (error) co_return wrong_password(error.message());
    note_secret(*plan, text);
    Verdict right;
    co_return right;
}

Task<ClientLogin::Verdict> ClientLogin::prove_by_scram(const auth::LoginPlan* plan)
{
    Verdict gone;
    gone.goes_on = false;
    auth::ScramServer scram{
        *plan->scram_verifier(), auth::make_scram_nonce(), own_binding(channel_.stream())
    };
    Buffer question;
    Buffer names;
    for (const std::string_view name : scram.mechanisms()) {
        append(names, as_bytes(name));
        names.push_back(std::byte{0});
    }
    names.push_back(std::byte{0});
    wire::append_authentication(question, wire::AuthCode::sasl, names);
    if (co_await channel_.write(std::move(question))) co_return gone;

    const auto initial = co_await read_password();
    if (!initial) co_return gone;
    wire::Reader reader{as_bytes(*initial)};
    const std::string mechanism{reader.cstring()};
    const std::uint32_t size = reader.be32();
    const auto first = scram.on_client_first(mechanism, as_text(reader.bytes(size)));
    if (!first) co_return wrong_password(first.error().message());
    Buffer server_first;
    wire::append_authentication(server_first, wire::AuthCode::sasl_continue, as_bytes(*first));
    if (co_await channel_.write(std::move(server_first))) co_return gone;

    const auto response = co_await read_password();
    if (!response) co_return gone;
    const auto last = scram.on_client_final(*response);
    if (!last) co_return wrong_password(last.error().message());
    if (plan->reveals_keys) secret_ = scram.recovered_keys().value();
    Buffer server_final;
    wire::append_authentication(server_final, wire::AuthCode::sasl_final, as_bytes(*last));
    if (co_await channel_.write(std::move(server_final))) co_return gone;
    Verdict right;
    co_return right;
}

// An answer to AuthenticationMD5Password reveals nothing; but what is stored is all that it takes.
void ClientLogin::note_secret(const auth::LoginPlan& plan, std::string_view answer)
{
    const auto* const md5 = plan.verifier ? std::get_if<auth::Md5Verifier>(&*plan.verifier)
                                          : nullptr;
    if (plan.challenge == auth::Challenge::cleartext) {
        secret_ = std::string{answer};
    } else if (md5 != nullptr) {
        secret_ = "md5" + md5->hex;
    }
}

Task<Result<std::string>> ClientLogin::read_password()
{
    const auto message = co_await channel_.read_message(login_message_size_max);
    if (!message) co_return message.error();
    if (message->type != wire::client_type::password) co_return wire::Errc::unknown_type;
    co_return std::string{as_text(message->body)};
}

// The same words for a name that nobody has and for a wrong password; the log tells them apart.
ClientLogin::Verdict ClientLogin::wrong_password(const std::string& why) const
{
    log(LogLevel::warning,
        "login_failed",
        {{"address", address_}, {"user", user_}, {"database", database_}, {"reason", why}});
    return {
        false,
        ErrorText{
            "FATAL", "28P01", "password authentication failed for user \"" + user_ + '"', {}, {}
        }
    };
}

} // namespace pgweir::net
