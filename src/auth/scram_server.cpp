#include <pgweir/auth/error.hpp>
#include <pgweir/auth/scram.hpp>
#include <pgweir/base/assert.hpp>

#include "scram_message.hpp"

#include <array>
#include <utility>

namespace pgweir::auth {

namespace {

/// "n,,", "y,,", "p=type,,": what stands before the part of the first message that is signed.
struct Gs2Header {
    std::string_view flag;
    std::string_view header; // with both commas
    std::string_view bare;   // what follows
};

Result<Gs2Header> split_gs2_header(std::string_view message)
{
    const auto flag_end = message.find(',');
    if (flag_end == message.npos) return Errc::malformed_message;
    const auto header_end = message.find(',', flag_end + 1);
    if (header_end == message.npos) return Errc::malformed_message;

    // "a=somebody": to log in as somebody else than oneself. PostgreSQL has no such thing.
    if (message.substr(flag_end).starts_with(",a=")) return Errc::unsupported_extension;
    if (header_end != flag_end + 1) return Errc::malformed_message;

    return Gs2Header{
        .flag = message.substr(0, flag_end),
        .header = message.substr(0, header_end + 1),
        .bare = message.substr(header_end + 1),
    };
}

} // namespace

ScramServer::ScramServer(ScramVerifier verifier, std::string server_nonce, BindingData binding)
    : verifier_{std::move(verifier)}, nonce_{std::move(server_nonce)}, binding_{std::move(binding)}
{
    PGWEIR_ASSERT(is_nonce(nonce_));
}

std::span<const std::string_view> ScramServer::mechanisms() const
{
    static constexpr std::array all{scram_plus_mechanism, scram_mechanism};
    return std::span{all}.subspan(binding_ ? 0 : 1);
}

Result<std::string> ScramServer::on_client_first(
    std::string_view mechanism, std::string_view message
)
{
    // Dead until this message has turned out well.
    if (std::exchange(step_, Step::dead) != Step::client_first) return Errc::unexpected_message;
    if (message.size() > scram_message_size_max) return Errc::message_too_long;

    is_bound_ = mechanism == scram_plus_mechanism && binding_;
    if (!is_bound_ && mechanism != scram_mechanism) return Errc::unsupported_mechanism;

    const auto gs2 = split_gs2_header(message);
    if (!gs2) return gs2.error();
    if (const auto error = check_binding_flag(gs2->flag, is_bound_)) return error;
    if (const auto error = read_first(gs2->bare)) return error;

    gs2_header_ = gs2->header;
    client_first_bare_ = gs2->bare;
    server_first_ = "r=" + nonce_ + ",s=" + base64_encode(verifier_.salt)
                    + ",i=" + std::to_string(verifier_.iterations);
    step_ = Step::client_final;
    return server_first_;
}

Result<std::string> ScramServer::on_client_final(std::string_view message)
{
    if (std::exchange(step_, Step::dead) != Step::client_final) return Errc::unexpected_message;
    if (message.size() > scram_message_size_max) return Errc::message_too_long;

    AttributeReader reader{message};
    const auto binding = reader.take('c');
    if (!binding) return binding.error();
    const auto nonce = reader.take('r');
    if (!nonce) return nonce.error();

    auto message_without_proof = reader.taken();
    auto attribute = reader.take_any();
    while (attribute && attribute->name != 'p') { // extensions, which the client signs too
        message_without_proof = reader.taken();
        attribute = reader.take_any();
    }
    if (!attribute) return attribute.error();
    const auto proof = base64_decode_digest(attribute->value);
    if (!proof || !reader.is_done()) return Errc::malformed_message;

    if (const auto error = check_binding(*binding)) return error;
    if (*nonce != nonce_) return Errc::nonce_mismatch;

    auto server_final = check_proof(*proof, message_without_proof);
    if (server_final) step_ = Step::done;
    return server_final;
}

ErrorCode ScramServer::check_binding_flag(std::string_view flag, bool is_plus) const
{
    if (flag.starts_with("p=")) {
        if (!is_plus) return Errc::malformed_message;
        return flag.substr(2) == binding_type ? ErrorCode{} : Errc::unsupported_binding;
    }
    if (is_plus || (flag != "n" && flag != "y")) return Errc::malformed_message;

    // "y": it could bind, and has not seen our offer. Somebody took it out.
    if (flag == "y" && binding_) return Errc::binding_downgrade;
    return {};
}

ErrorCode ScramServer::read_first(std::string_view bare)
{
    AttributeReader reader{bare};
    const auto user = reader.take('n'); // ignored: the startup message has named the user
    if (!user) return user.error();
    const auto client_nonce = reader.take('r');
    if (!client_nonce) return client_nonce.error();
    if (!is_nonce(*client_nonce)) return Errc::malformed_message;

    nonce_.insert(0, *client_nonce);
    if (nonce_.size() > scram_nonce_size_max) return Errc::message_too_long;
    return reader.skip_rest();
}

ErrorCode ScramServer::check_binding(std::string_view encoded) const
{
    const auto bytes = base64_decode(encoded);
    if (!bytes) return Errc::malformed_message;

    Buffer expected;
    append(expected, as_bytes(gs2_header_));
    if (is_bound_) append(expected, *binding_);
    return *bytes == expected ? ErrorCode{} : Errc::binding_mismatch;
}

Result<std::string> ScramServer::check_proof(
    const Digest& proof, std::string_view message_without_proof
)
{
    const auto message = auth_message(client_first_bare_, server_first_, message_without_proof);
    const Digest signature = hmac_sha256(verifier_.stored_key, as_bytes(message));
    const Digest client_key = exclusive_or(proof, signature);
    const bool is_right = constant_time_equal(sha256(client_key), verifier_.stored_key);
    if (!is_right || verifier_.is_mock) return Errc::wrong_password;

    keys_ = {
        .client_key = client_key,
        .stored_key = verifier_.stored_key,
        .server_key = verifier_.server_key,
    };
    return "v=" + base64_encode(hmac_sha256(verifier_.server_key, as_bytes(message)));
}

} // namespace pgweir::auth
