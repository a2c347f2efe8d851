// The part of ClientSession that knows what kind of client it is: whom it shares the servers of its
// pool with, and what it asks for.
#include <pgweir/net/client_session.hpp>
#include <pgweir/net/pool.hpp>
#include <pgweir/net/worker.hpp>
#include <pgweir/session/class_text.hpp>

#include <string>
#include <string_view>
#include <utility>

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
    join_group(grouping.group_of(application()));
}

std::string_view ClientSession::application() const
{
    const std::string* const name = state_.wanted->find("application_name");
    return name != nullptr ? std::string_view{*name} : std::string_view{};
}

// For people who look at the classes. Seldom: a client that always asks for the same does not come
// here, and each worker remembers what it has noted.
[[gnu::noinline]] void ClientSession::note_class(Bytes input, std::uint64_t fingerprint)
{
    constexpr std::size_t statement_size_max = 200;

    noted_class_ = fingerprint;
    if (fingerprint == 0) return;
    const std::uint64_t note = fingerprint ^ state_.wanted->application_hash();
    std::uint64_t& place = pool_->noted[note % pool_->noted.size()];
    if (place == note) return;
    place = note;
    const pool::ClassId id{fingerprint};
    ClassNotes& notes = pool_->pool->class_notes();
    if (notes.contains(id, application())) return;
    std::string text = session::text_of_class(state_, input, statement_size_max);
    notes.add({id, std::string{application()}, std::move(text)});
}

} // namespace pgweir::net
