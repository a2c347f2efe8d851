#include <pgweir/auth/error.hpp>

#include <boost/system/error_category.hpp>

#include <string>

namespace pgweir::auth {

namespace {

class AuthCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "auth"; }

    std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
        case Errc::wrong_password: return "password authentication failed";
        case Errc::bad_verifier: return "stored SCRAM verifier cannot be read";
        case Errc::malformed_message: return "malformed authentication message";
        case Errc::message_too_long: return "authentication message is too long";
        case Errc::unexpected_message: return "authentication message out of turn";
        case Errc::unsupported_mechanism: return "no authentication mechanism in common";
        case Errc::unsupported_extension: return "unsupported SCRAM extension";
        case Errc::unsupported_binding: return "unsupported channel binding type";
        case Errc::binding_mismatch: return "channel binding does not match this connection";
        case Errc::binding_downgrade: return "channel binding was hidden from the client";
        case Errc::binding_unavailable: return "channel binding is required but not available";
        case Errc::nonce_mismatch: return "SCRAM nonce does not match";
        case Errc::iterations_out_of_range: return "SCRAM iteration count is out of range";
        case Errc::server_refused: return "server refused SCRAM authentication";
        case Errc::wrong_server_signature: return "server does not know the password";
        case Errc::md5_unavailable: return "MD5 is not available on this machine";
        case Errc::certificate_without_digest:
            return "certificate's signature algorithm has no hash for channel binding";
        }
        return "unknown authentication error";
    }
};

} // namespace

ErrorCode make_error_code(Errc e) noexcept
{
    static const AuthCategory category;
    return {static_cast<int>(e), category};
}

} // namespace pgweir::auth
