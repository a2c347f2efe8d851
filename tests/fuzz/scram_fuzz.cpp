#include <pgweir/auth/scram.hpp>

#include <pgweir/auth/verifier.hpp>
#include <pgweir/base/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

using namespace pgweir;

namespace {

const Bytes salt = as_bytes("sixteen bytes...");
const auth::ScramKeys keys = auth::derive_scram_keys("pencil", salt, 1);
const auth::ScramVerifier verifier = auth::make_scram_verifier("pencil", salt, 1);
const Buffer certificate_hash(32);

auth::BindingData binding(bool is_tls)
{
    return is_tls ? auth::BindingData{certificate_hash} : auth::BindingData{};
}

auth::ScramServer make_server(bool is_tls) { return {verifier, "server", binding(is_tls)}; }

// Keys instead of a password: PBKDF2 with a stranger's count would be all that we test.
auth::ScramClient make_client(bool is_tls)
{
    static auth::KeyCache unused;
    auth::ScramClientOptions options{
        .secret = keys,
        .nonce = "client",
        .mechanisms = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"},
        .binding = binding(is_tls),
        .user = {},
    };
    return {std::move(options), unused};
}

/// Without the password, nobody finds a message that the server believes.
void attack_server(bool is_tls, std::string_view first, std::string_view final)
{
    auto server = make_server(is_tls);
    const auto mechanism = first.starts_with('p') ? auth::scram_plus_mechanism
                                                  : auth::scram_mechanism;
    const auto server_first = server.on_client_first(mechanism, first);
    PGWEIR_ASSERT(!server_first || server_first->size() < auth::scram_message_size_max);
    PGWEIR_ASSERT(!server.on_client_final(final));
    PGWEIR_ASSERT(!server.recovered_keys());
}

void attack_client(bool is_tls, std::string_view first, std::string_view final)
{
    auto client = make_client(is_tls);
    PGWEIR_ASSERT(client.first().has_value());
    const auto client_final = client.on_server_first(first);
    PGWEIR_ASSERT(!client_final || client_final->size() < 2 * auth::scram_message_size_max);
    PGWEIR_ASSERT(client.on_server_final(final));
}

/// A middleman replaces one honest message: the two do not both succeed, unless it is the same.
void attack_exchange(bool is_tls, unsigned target, std::string_view forged)
{
    auto server = make_server(is_tls);
    auto client = make_client(is_tls);
    bool is_changed = false;
    auto pass = [&, step = 0U](std::string& message) mutable {
        if (step++ != target) return;
        is_changed = message != forged;
        message = forged;
    };

    auto first = client.first().value();
    pass(first.message);
    auto server_first = server.on_client_first(first.mechanism, first.message);
    if (!server_first) return;
    pass(*server_first);
    auto client_final = client.on_server_first(*server_first);
    if (!client_final) return;
    pass(*client_final);
    auto server_final = server.on_client_final(*client_final);
    if (!server_final) return;
    pass(*server_final);
    const bool is_over = !client.on_server_final(*server_final);
    // What a server adds behind its signature is skipped, as RFC 5802 asks.
    PGWEIR_ASSERT(!is_over || !is_changed || target == 3);
}

void read_stored(std::string_view text)
{
    PGWEIR_ASSERT(auth::saslprep(text).empty() == text.empty());

    const auto parsed = auth::parse_verifier(text);
    if (!parsed) return;
    const auto* const scram = std::get_if<auth::ScramVerifier>(&*parsed);
    if (scram == nullptr) return;
    const auto again = auth::parse_verifier(auth::to_string(*scram));
    PGWEIR_ASSERT(again && *again == *parsed);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    if (size == 0) return 0;

    const unsigned choice = data[0];
    const bool is_tls = (choice & 1U) != 0;
    const auto text = as_text(std::as_bytes(std::span{data, size}.subspan(1)));
    const auto first = text.substr(0, text.find('\n'));
    const auto final = text.substr(std::min(first.size() + 1, text.size()));

    switch (choice >> 1U & 3U) {
    case 0: attack_server(is_tls, first, final); break;
    case 1: attack_client(is_tls, first, final); break;
    case 2: attack_exchange(is_tls, choice >> 3U & 3U, text); break;
    default: read_stored(text); break;
    }
    return 0;
}
