#include <pgweir/auth/error.hpp>
#include <pgweir/auth/scram.hpp>
#include <pgweir/base/assert.hpp>

#include "scram_message.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pgweir::auth {

namespace {

// RFC 5802, saslname: a comma would end the attribute.
std::string escape_user(std::string_view user)
{
    std::string escaped;
    for (const char c : user) {
        if (c == ',')
            escaped += "=2C";
        else if (c == '=')
            escaped += "=3D";
        else
            escaped += c;
    }
    return escaped;
}

Result<std::uint32_t> parse_iterations(std::string_view text)
{
    std::uint32_t iterations = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, iterations);
    if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument) {
        return Errc::malformed_message;
    }
    const bool is_bearable = parsed.ec == std::errc{} && iterations >= 1
                             && iterations <= scram_iterations_max;
    if (!is_bearable) return Errc::iterations_out_of_range;
    return iterations;
}

} // namespace

ScramClient::ScramClient(ScramClientOptions options, KeyCache& keys)
    : options_{std::move(options)}, keys_{keys}
{
    PGWEIR_ASSERT(is_nonce(options_.nonce));
}

Result<ScramClient::First> ScramClient::first()
{
    if (std::exchange(step_, Step::dead) != Step::first) return Errc::unexpected_message;

    const bool can_bind = options_.binding && options_.channel_binding != ChannelBinding::disable;
    is_bound_ = can_bind && server_offers(scram_plus_mechanism);
    if (!is_bound_ && options_.channel_binding == ChannelBinding::require) {
        return Errc::binding_unavailable;
    }
    if (!is_bound_ && !server_offers(scram_mechanism)) return Errc::unsupported_mechanism;

    // "y" tells a server that did offer -PLUS that its offer never reached us.
    gs2_header_ = is_bound_ ? "p=" + std::string{binding_type} : can_bind ? "y" : "n";
    gs2_header_ += ",,";
    client_first_bare_ = "n=" + escape_user(options_.user) + ",r=" + options_.nonce;
    step_ = Step::server_first;
    return First{
        .mechanism = is_bound_ ? scram_plus_mechanism : scram_mechanism,
        .message = gs2_header_ + client_first_bare_,
    };
}

Result<std::string> ScramClient::on_server_first(std::string_view message)
{
    if (std::exchange(step_, Step::dead) != Step::server_first) return Errc::unexpected_message;

    const auto server = read_server_first(message);
    if (!server) return server.error();

    Buffer binding;
    append(binding, as_bytes(gs2_header_));
    if (is_bound_) append(binding, *options_.binding);

    std::string client_final = "c=" + base64_encode(binding) + ",r=";
    client_final += server->nonce;
    const auto signed_message = auth_message(client_first_bare_, message, client_final);

    const ScramKeys keys = keys_for(*server);
    const Digest signature = hmac_sha256(keys.stored_key, as_bytes(signed_message));
    server_signature_ = hmac_sha256(keys.server_key, as_bytes(signed_message));

    step_ = Step::server_final;
    return client_final + ",p=" + base64_encode(exclusive_or(keys.client_key, signature));
}

ErrorCode ScramClient::on_server_final(std::string_view message)
{
    if (std::exchange(step_, Step::dead) != Step::server_final) return Errc::unexpected_message;
    if (message.size() > scram_message_size_max) return Errc::message_too_long;

    AttributeReader reader{message};
    const auto verdict = reader.take_any();
    if (!verdict) return verdict.error();
    if (const auto error = reader.skip_rest()) return error;
    if (verdict->name == 'e') return Errc::server_refused;
    if (verdict->name != 'v') return Errc::malformed_message;

    const auto signature = base64_decode_digest(verdict->value);
    if (!signature) return Errc::malformed_message;
    if (!constant_time_equal(*signature, server_signature_)) return Errc::wrong_server_signature;

    step_ = Step::done;
    return {};
}

bool ScramClient::server_offers(std::string_view mechanism) const
{
    return std::ranges::find(options_.mechanisms, mechanism) != options_.mechanisms.end();
}

Result<ScramClient::ServerFirst> ScramClient::read_server_first(std::string_view message) const
{
    if (message.size() > scram_message_size_max) return Errc::message_too_long;

    AttributeReader reader{message};
    const auto first = reader.take_any(); // 'e' is not foreseen here, but says more than a guess
    if (!first) return first.error();
    if (first->name == 'e') return Errc::server_refused;
    if (first->name != 'r' || !is_nonce(first->value)) return Errc::malformed_message;
    const auto nonce = first->value;
    const bool extends_ours = nonce.starts_with(options_.nonce)
                              && nonce.size() > options_.nonce.size();
    if (!extends_ours) return Errc::nonce_mismatch;

    const auto salt_text = reader.take('s');
    if (!salt_text) return salt_text.error();
    auto salt = base64_decode(*salt_text);
    if (!salt || salt->empty() || salt->size() > salt_size_max) return Errc::malformed_message;

    const auto iterations_text = reader.take('i');
    if (!iterations_text) return iterations_text.error();
    const auto iterations = parse_iterations(*iterations_text);
    if (!iterations) return iterations.error();
    if (const auto error = reader.skip_rest()) return error;

    return ServerFirst{.nonce = nonce, .salt = *std::move(salt), .iterations = *iterations};
}

ScramKeys ScramClient::keys_for(const ServerFirst& server)
{
    if (const auto* keys = std::get_if<ScramKeys>(&options_.secret)) return *keys;
    return keys_.get(std::get<std::string>(options_.secret), server.salt, server.iterations);
}

} // namespace pgweir::auth
