// The part of ServerForwarder for what a server tells unasked: notifications and its parameters.
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <string>
#include <string_view>

namespace pgweir::session {

using wire::body_of;
using wire::FrameHeader;

namespace {

// Reported, but nothing that a client can ask for by SET.
bool is_fixed_parameter(std::string_view name)
{
    return name == "is_superuser" || name == "in_hot_standby" || name == "server_version"
           || name == "server_encoding" || name == "integer_datetimes";
}

} // namespace

void ServerForwarder::notification(FrameHeader header, Bytes available)
{
    const auto told = wire::read_notification(body_of(header, available));
    if (server_.heard && told) {
        server_.heard->push_back(
            {told->process_id, std::string{told->channel}, std::string{told->payload}}
        );
    }
    if (!told || !is_for_client(*told)) return pass(header, available, true);
    const std::uint32_t own = process_id_of(client_->id);
    if (is_own(*told)) return tell(header, *told, own);
    const std::uint32_t sender = server_.sender.find(told->process_id);
    if (sender == 0 || sender == own) return pass(header, available, false);
    tell(header, *told, sender);
}

// Also between the answers to our own questions. While it still has the channels of its last
// client, nothing is.
bool ServerForwarder::is_for_client(const wire::NotificationBody& told)
{
    if (client_ == nullptr || server_.relisten_in > 0) return false;
    if (!client_->listening) return true;
    const auto hearing = client_->listening->hear_server(told.channel, told.payload);
    if (hearing == Listening::Hearing::passed) {
        client_->listening->told += client_->listening->inbox.drain(
            to_client_.own(), process_id_of(client_->id)
        );
        to_client_.commit(); // it has come earlier
        return true;
    }
    if (is_own(told) && !is_answer_to_us()) ++server_.own_notifications;
    return false;
}

// Of the transaction at hand: the server tells it before it is said to be over.
bool ServerForwarder::is_own(const wire::NotificationBody& told) const
{
    return told.process_id == server_.process_id;
}

// From the process that clients take the server for.
void ServerForwarder::tell(
    FrameHeader header, const wire::NotificationBody& told, std::uint32_t sender
)
{
    wire::append_notification(to_client_.own(), {sender, told.channel, told.payload});
    to_client_.commit();
    used_ = header.frame_size(); // all of it: it was read
}

// Its administrator has closed the host for writers: that is no wish of the client's, which it
// would take along to the next one.
bool ServerForwarder::is_from_outside(const wire::ParameterBody& told) const
{
    return told.name == "default_transaction_read_only" && !server_.doubts.has(Part::settings);
}

void ServerForwarder::parameter(FrameHeader header, Bytes available)
{
    const auto read = wire::read_parameter(body_of(header, available));
    if (read && read->name == "in_hot_standby") server_.chores |= Chore::look_again;
    if (is_reconciling()) return pass(header, available, true);
    if (read && is_from_outside(*read)) {
        server_.chores |= Chore::look_again;
        return pass(header, available, client_ == nullptr);
    }
    if (!read || is_fixed_parameter(read->name)) return pass(header, available, client_ == nullptr);
    const std::string name = lower_case(read->name);
    const std::string* const asked = client_ != nullptr ? client_->startup->find(name) : nullptr;
    const std::string* const initial = server_.defaults->find(name);
    const bool has_default = initial != nullptr && *initial == read->value;
    const bool is_reset = server_.is_resetting || server_.is_discarding
                          || (server_.sets_default && has_default);
    const bool goes_back = asked != nullptr && is_reset;
    if (goes_back) {
        tell_startup_value(header, available, *read, *asked);
    } else {
        pass(header, available, client_ == nullptr);
    }
    server_.has_told_settings = true;
    const SettingsRef changed = with_setting(*server_.settings, read->name, read->value);
    const bool is_default = has_default && asked == nullptr;
    server_.settings = is_default ? without_setting(*changed, name) : changed;
    if (client_ == nullptr || server_.is_discarding) return;
    client_->wanted = goes_back ? with_setting(*server_.settings, name, *asked) : server_.settings;
}

// RESET leads back to what the client asked for at its start; the server knows only its default.
void ServerForwarder::tell_startup_value(
    FrameHeader header, Bytes available, const wire::ParameterBody& told, const std::string& asked
)
{
    const Settings& then = server_.settings_then ? *server_.settings_then : *server_.settings;
    const std::string* const before = then.find(lower_case(told.name));
    const bool has_it = before != nullptr && lower_case(*before) == lower_case(asked);
    if (!has_it) {
        wire::append_parameter(to_client_.own(), told.name, asked);
        to_client_.commit();
    }
    pass(header, available, true);
}

} // namespace pgweir::session
