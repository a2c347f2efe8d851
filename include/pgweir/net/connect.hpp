// From an address to a connected socket, under TLS where that is wanted.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/address.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/channel.hpp>
#include <pgweir/net/server_login.hpp>

#include <memory>
#include <string>

namespace pgweir::net {

struct Connected {
    std::unique_ptr<Channel> channel; // null: see error
    wire::ErrorText error;
};

/// As libpq's sslmode says; with "allow" and "prefer" a second try without, or with TLS.
Task<Connected> connect_to(
    Executor executor,
    Address address,
    std::string host,
    const ConnectRequest& request,
    ContextCache& contexts
);

} // namespace pgweir::net
