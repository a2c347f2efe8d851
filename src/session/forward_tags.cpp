// The part of ServerForwarder for what a command's tag tells: that it has dropped what is prepared,
// or made it unusable, or changed the session in other ways.
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

void ServerForwarder::command_complete(Bytes body)
{
    std::string_view tag = as_text(body);
    const bool was_described = std::exchange(server_.has_described, false);
    if (tag.empty()) return;
    const bool is_into = !was_described && tag.starts_with("SELECT ")
                         && server_.replies.front_is(Reply::query);
    if (is_into) server_.doubts |= Part::temp_objects; // INTO TEMP, perhaps: rows have a shape
    if (client_ != nullptr && client_->is_on_trial && !is_answer_to_us()) keep_process();
    if (!may_change_session(tag.front())) return;
    if (tag.ends_with('\0')) tag.remove_suffix(1);
    const bool is_ddl = tag.starts_with("CREATE ") || tag.starts_with("ALTER ")
                        || tag.starts_with("DROP ");
    if (is_ddl) schema_changed();
    if (tag == "RESET") {
        server_.is_resetting = true;
        server_.settings_then = server_.settings;
    }
    const bool is_replay = is_answer_to_us(); // of what the client has
    if (tag == "LISTEN" && !is_replay) server_.doubts |= Part::channels;
    if (tag == "PREPARE" && !is_replay) server_.doubts |= Part::prepared_statements;
    if (tag == "DEALLOCATE" && !is_replay) return deallocated();
    if (tag == "DISCARD ALL") return discarded_all();
    if (tag == "DEALLOCATE ALL") statements_dropped();
}

} // namespace pgweir::session
