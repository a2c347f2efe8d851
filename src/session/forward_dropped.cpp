// The part of ServerForwarder for commands that drop what is prepared, or make it unusable.
#include <pgweir/session/forward.hpp>

#include <utility>

namespace pgweir::session {

// Behind it in a pipeline the client may have named others already.
void ServerForwarder::statements_dropped()
{
    server_.prepared.clear();
    server_.sql_prepared = nullptr;
    if (client_ == nullptr) return;
    client_->sql_prepared = nullptr;
    if (!client_->statements) return;
    const bool is_query = server_.replies.front_is(Reply::query);
    client_->statements->remove_if([&](const auto& each) {
        return is_query || each.second.number <= server_.named_before_drop;
    });
}

void ServerForwarder::schema_changed()
{
    server_.has_changed_schema = true; // the driver tells the other servers
    server_.prepared.schema_changed();
}

void ServerForwarder::deallocated()
{
    if (server_.deallocating.empty()) return; // one that was made by SQL's PREPARE
    const Deallocation gone = std::move(server_.deallocating.front());
    server_.deallocating.erase(server_.deallocating.begin());
    server_.prepared.forget(gone.id);
    if (client_ == nullptr || !client_->statements) return;
    const auto found = client_->statements->find(gone.client_name);
    const bool is_same = found != client_->statements->end()
                         && found->second.statement->id() == gone.id;
    if (is_same) client_->statements->remove(found);
}

// By the protocol's Close.
void ServerForwarder::sql_name_closed(std::string_view name)
{
    const auto without = [&](const SqlPreparedRef& prepared) -> SqlPreparedRef {
        if (!prepared) return prepared;
        SqlPrepared left = *prepared;
        std::erase_if(left, [&](const auto& each) { return each.first == name; });
        return left.empty() ? nullptr : std::make_shared<const SqlPrepared>(std::move(left));
    };
    const bool is_same = client_ != nullptr && client_->sql_prepared == server_.sql_prepared;
    server_.sql_prepared = without(server_.sql_prepared);
    if (client_ == nullptr) return;
    client_->sql_prepared = is_same ? server_.sql_prepared : without(client_->sql_prepared);
}

// Back to what the client's startup packet asked for; the server went back to its own start.
void ServerForwarder::discarded_all()
{
    statements_dropped();
    server_.channels = nullptr;
    server_.settings_then = std::exchange(server_.settings, no_settings());
    server_.is_discarding = true;
    if (client_ == nullptr) return;
    client_->wanted = client_->startup;
    client_->pins = client_->pins.without(Part::functions);
    server_.doubts = server_.doubts.without(Part::functions);
}

} // namespace pgweir::session
