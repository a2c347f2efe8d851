#include <pgweir/auth/client_auth.hpp>

#include <pgweir/auth/error.hpp>

#include <utility>

namespace pgweir::auth {

namespace {

struct PasswordMatch {
    std::string_view password;
    std::string_view user;

    bool operator()(const PlainPassword& stored) const
    {
        return constant_time_equal(sha256(as_bytes(stored.text)), sha256(as_bytes(password)));
    }
    bool operator()(const Md5Verifier& stored) const
    {
        const auto made = make_md5_verifier(password, user);
        return made && constant_time_equal(as_bytes(made->hex), as_bytes(stored.hex));
    }
    bool operator()(const ScramVerifier& stored) const
    {
        const ScramKeys keys = derive_scram_keys(password, stored.salt, stored.iterations);
        return constant_time_equal(keys.stored_key, stored.stored_key) && !stored.is_mock;
    }
};

// What the user has for a password; nothing also where it cannot be read, which is the
// operator's to fix and not the client's to know.
std::optional<Verifier> stored_verifier(const std::optional<User>& user)
{
    if (!user || !user->has_password) return std::nullopt;

    auto verifier = parse_verifier(user->password);
    if (!verifier) return std::nullopt;
    return *std::move(verifier);
}

bool holds_scram(const std::optional<Verifier>& verifier)
{
    return verifier && std::holds_alternative<ScramVerifier>(*verifier);
}

} // namespace

const ScramVerifier* LoginPlan::scram_verifier() const
{
    if (challenge != Challenge::scram || !verifier) return nullptr;
    return std::get_if<ScramVerifier>(&*verifier);
}

ErrorCode LoginPlan::check_password(std::string_view password) const
{
    password = password.substr(0, password_size_max + 1); // longer ones are wrong anyway
    const bool is_right = !password.empty() && verifier
                          && std::visit(PasswordMatch{password, user}, *verifier);
    if (is_right) return {};

    // The refusal takes as long as if the password had been compared with a SCRAM verifier.
    const bool has_worked = holds_scram(verifier) && !password.empty();
    if (!has_worked) static_cast<void>(make_scram_verifier(password, as_bytes("a mock of a salt")));
    return Errc::wrong_password;
}

ErrorCode LoginPlan::check_md5(Md5Salt salt, std::string_view response) const
{
    const Verifier nobody = PlainPassword{"never the password of anybody"};
    const auto error = check_md5_response(verifier.value_or(nobody), user, salt, response);
    if (error) return error;
    return verifier ? ErrorCode{} : Errc::wrong_password;
}

LoginPlan ClientAuth::plan_login(
    Method method, std::string_view name, const std::optional<User>& user, bool is_of_database
) const
{
    LoginPlan plan{
        .user = std::string{name},
        .is_known = user.has_value(),
        .verifier = stored_verifier(user),
    };
    switch (method) {
    case Method::trust: plan.challenge = Challenge::none; break;
    case Method::password: plan.challenge = Challenge::cleartext; break;
    case Method::md5:
        // As PostgreSQL: "md5" means SCRAM for those whose verifier can do nothing else.
        plan.challenge = holds_scram(plan.verifier) || (is_of_database && !plan.verifier)
                             ? Challenge::scram
                             : Challenge::md5;
        break;
    case Method::scram_sha_256: plan.challenge = Challenge::scram; break;
    }
    plan.reveals_keys = plan.challenge == Challenge::scram && holds_scram(plan.verifier);
    if (plan.challenge == Challenge::scram) plan.verifier = scram_verifier(name, plan.verifier);
    return plan;
}

ScramVerifier ClientAuth::scram_verifier(
    std::string_view name, const std::optional<Verifier>& stored
) const
{
    if (holds_scram(stored)) return std::get<ScramVerifier>(*stored);

    // An md5 hash cannot take part in SCRAM, so that its user is as good as unknown here.
    const bool is_plain = stored && std::holds_alternative<PlainPassword>(*stored);
    if (!is_plain) return make_mock_verifier(name, secret_);

    auto salt = derive_salt(name, secret_);
    const ScramKeys keys = keys_.get(std::get<PlainPassword>(*stored).text, salt, scram_iterations);
    return {
        .iterations = scram_iterations,
        .salt = std::move(salt),
        .stored_key = keys.stored_key,
        .server_key = keys.server_key,
    };
}

} // namespace pgweir::auth
