// The part of ClientSession that knows whom it shares the servers of its pool with.
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/worker.hpp>

#include <string_view>

namespace pgweir::net {

namespace {

// Of "127.0.0.1:5432", "[::1]:5432" or "unix".
std::string_view host_of(std::string_view address)
{
    const std::string_view host = address.substr(0, address.rfind(':'));
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

} // namespace

// Whom it shares with. Looked at only when it must wait.
void ClientSession::look_at_group()
{
    grouped_ = state_.wanted;
    const pool::Grouping& grouping = pool_->grouping;
    if (grouping.by() == pool::FairBy::address)
        return join_group(grouping.group_of(host_of(address_)));
    const std::string* const name = state_.wanted->find("application_name");
    join_group(grouping.group_of(name != nullptr ? std::string_view{*name} : std::string_view{}));
}

} // namespace pgweir::net
