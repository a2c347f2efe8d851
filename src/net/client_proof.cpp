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
    const auto user = door_.directory().find_user(user_, database_);
    const auth::LoginPlan plan = door_.auth().plan_login(
        door_.directory().auth_method(), user_, user
    );
    if (plan.challenge == auth::Challenge::none) {
        Verdict verdict;
        if (plan.is_known) co_return verdict;
        co_return wrong_password("no such user");
    }
    Verdict verdict = co_await prove(&plan);
    co_return verdict;
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
    Buffer server_final;
    wire::append_authentication(server_final, wire::AuthCode::sasl_final, as_bytes(*last));
    if (co_await channel_.write(std::move(server_final))) co_return gone;
    Verdict right;
    co_return right;
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
