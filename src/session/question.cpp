#include <pgweir/session/question.hpp>

#include <pgweir/session/forward.hpp>
#include <pgweir/session/sequences.hpp>
#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/session/sql_statement.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgweir::session {

namespace {

bool is_custom(const Settings::Entry& entry) { return entry.first.find('.') != std::string::npos; }

bool is_named(const ServerState& server, const std::string& name)
{
    return std::ranges::find(server.named, name) != server.named.end();
}

constexpr std::size_t doubtful_size = 80;

struct Reading {
    const ServerState& server;
    const ClientState& client;
    const Knowledge& knowledge;
};

// Whether it says no more than that nothing was set. PostgreSQL never forgets a custom parameter:
// RESET leaves its default, or an empty one. That is the client's only if it had it before, or has
// just named it; and not if it has one to go back to.
bool is_default(const Settings::Entry& entry, const Reading& reading)
{
    if (entry.first == "role") return entry.second == "none";
    if (!is_custom(entry)) return false;
    const Catalog* const catalog = reading.knowledge.catalog.get();
    const std::string* const value = catalog != nullptr ? catalog->find_custom_default(entry.first)
                                                        : nullptr;
    if (value != nullptr) return *value == entry.second;
    if (!entry.second.empty() || is_named(reading.server, entry.first)) return false;
    const std::string* const before = reading.client.wanted->find(entry.first);
    if (before == nullptr) return true;
    return !before->empty() && reading.client.startup->find(entry.first) != nullptr;
}

SettingsRef settings_of(Answer& answer, const Reading& reading)
{
    std::vector<Settings::Entry> entries;
    for (Settings::Entry& entry : answer.entries) {
        if (!is_default(entry, reading)) entries.push_back(std::move(entry));
    }
    const std::string_view reported = "session_authorization"; // pg_settings does not show it
    if (const std::string* const user = reading.server.settings->find(reported)) {
        entries.emplace_back(reported, *user);
    }
    if (entries.empty()) return no_settings();
    return std::make_shared<const Settings>(std::move(entries));
}

// What RESET goes back to is what the client has asked for at its start; the server knows nothing
// of that.
SettingsRef with_startup(const SettingsRef& settings, const Settings& startup)
{
    const auto is_missing = [&](const Settings::Entry& entry) {
        return settings->find(entry.first) == nullptr;
    };
    if (std::ranges::none_of(startup.entries(), is_missing)) return settings;
    std::vector<Settings::Entry> entries = startup.entries();
    std::ranges::copy(settings->entries(), std::back_inserter(entries));
    return std::make_shared<const Settings>(std::move(entries));
}

// PostgreSQL keeps the whole text that a PREPARE came in. Empty: it is not to be found there.
std::string prepare_text(std::string_view text, std::string_view name)
{
    std::string found;
    int count = 0;
    SqlReader reader{text};
    while (const SqlStatement* const statement = reader.next()) {
        const bool is_prepare = statement->command == Command::prepare && !statement->is_uncertain;
        if (is_prepare && identifier(statement->name) == name) found = statement->text;
        ++count;
    }
    return count == 1 && !found.empty() ? std::string{text} : found;
}

void take_prepared(Answer& answer, ServerState& server, ClientState& client)
{
    server.sql_prepared = nullptr;
    for (auto& [name, text] : answer.prepared) {
        text = prepare_text(text, name);
        if (text.empty()) client.pins |= Part::prepared_statements; // it cannot be said again
    }
    if (!answer.prepared.empty()) {
        std::ranges::sort(answer.prepared);
        server.sql_prepared = std::make_shared<const SqlPrepared>(std::move(answer.prepared));
    }
    client.sql_prepared = server.sql_prepared;
}

// The first call of anything in a database tells that it must be asked which functions matter.
Parts parts_of_calls(const SqlReading& reading, const Knowledge& knowledge)
{
    if (reading.calls.empty() && !reading.writes) return {};
    Parts parts;
    for (const std::string_view name : reading.calls) parts |= knowledge.pinning.find(name);
    if (!knowledge.catalog) return parts | askable_parts | Part::catalog;
    for (const std::string_view name : reading.calls)
        parts |= knowledge.catalog->functions.find(name);
    if (reading.writes) parts |= knowledge.catalog->by_triggers;
    return parts;
}

// True: there are parameters in it that nobody knew of.
bool learn(Knowledge& knowledge, const std::shared_ptr<const Catalog>& catalog)
{
    const std::size_t known = knowledge.customs.size();
    knowledge.catalog = catalog;
    knowledge.has_news = true;
    for (const std::string& name : catalog->customs) knowledge.add_custom(name);
    for (const Settings::Entry& each : catalog->custom_defaults) knowledge.add_custom(each.first);
    return knowledge.customs.size() > known;
}

// `by_others`: by functions, or by what is executed.
void note_settings_change(ServerState& server, const SqlReading& reading, bool by_others)
{
    const SettingsChange change = by_others ? SettingsChange::unknown : reading.settings_change;
    if (change == SettingsChange::none) return;
    server.unknown_settings.change(change, reading.text, server.serial, server.segment);
}

bool calls(const SqlReading& reading, std::string_view function)
{
    return std::ranges::any_of(reading.calls, [=](std::string_view name) {
        return lower_case(name) == function;
    });
}

// Which of the two functions has failed must be certain.
void note_signals(ServerState& server, const SqlReading& reading, const Clientele* clientele)
{
    const bool terminates = calls(reading, "pg_terminate_backend");
    const bool cancels = calls(reading, "pg_cancel_backend");
    if (terminates) server.may_end_itself = true;
    server.has_signalled = false;
    server.signals_to = terminates != cancels ? clientele : nullptr;
}

void note_new_defaults(ServerState& server, const SqlReading& reading)
{
    for (const DefaultsScope& scope : reading.new_defaults) {
        const bool is_noted = std::ranges::find(server.new_defaults, scope)
                              != server.new_defaults.end();
        if (!is_noted) server.new_defaults.push_back(scope);
    }
    if (reading.sets_default) server.sets_default = true;
}

void note_temp_schema(ServerState& server, const ClientState& client, Parts parts)
{
    const bool may_be_first = server.temp_schema_owner == ClientId{};
    if (may_be_first && parts.has(Part::temp_objects)) server.temp_schema_owner = client.id;
}

// Of parameters "class.name", which PostgreSQL has to be asked about by name.
void note_names(ServerState& server, const SqlReading& reading, Knowledge& knowledge)
{
    for (const std::string& name : reading.customs) {
        knowledge.add_custom(name);
        if (!is_named(server, name)) server.named.push_back(name);
    }
    for (const std::string& name : reading.strings) knowledge.add_custom(name);
}

} // namespace

void raise_doubts(
    ServerState& server,
    ClientState& client,
    const SqlReading& reading,
    Knowledge& knowledge,
    const Clientele* clientele
)
{
    const Parts by_calls = parts_of_calls(reading, knowledge);
    const bool prepares = reading.changes.has(Part::prepared_statements);
    if (prepares) {
        client.prepared_changes |= reading.prepared | by_calls;
        client.has_prepared_view |= reading.reads_prepared;
    }
    Parts owned = client.pins;
    if (client.sql_prepared) owned |= Part::prepared_statements;
    if (client.channels) owned |= Part::channels;

    if (!reading.database.empty()) {
        knowledge.vacated = reading.database;
        knowledge.has_news = true;
    }
    note_new_defaults(server, reading);
    follow_sequences(server, client, reading, knowledge);
    Parts by_others = by_calls;
    if (reading.executes) by_others |= client.prepared_changes;
    const bool is_guess = !knowledge.catalog && !knowledge.is_asked;
    note_settings_change(server, reading, by_others.has(Part::settings) && !is_guess);
    Parts parts = reading.changes | by_others | (reading.ends & owned);
    if (parts.has(Part::prepared_statements)) parts |= client.pins & Part::temp_objects;
    parts = parts.without(Part::sequences); // nobody can be asked about them
    if (!parts.empty() && !knowledge.catalog) parts |= Part::catalog; // while we are at it
    server.doubts |= parts;
    server.changes |= reading.changes | (knowledge.catalog ? by_others : Parts{});
    if (reading.notifies) server.sender.set(client.id);
    if (reading.uses_process_id) note_signals(server, reading, clientele);
    note_temp_schema(server, client, parts);
    const bool may_do_anything = (reading.changes & askable_parts) == askable_parts; // DO
    const bool may_load = may_do_anything || parts.has(Part::libraries)
                          || (knowledge.catalog && !by_others.empty());
    if (may_load) client.may_have_libraries = true;
    if (!(parts & pinning_parts).empty()) server.doubtful = reading.text.substr(0, doubtful_size);
    if (parts.has(Part::settings)) note_names(server, reading, knowledge);
}

void ask(ServerState& server, Knowledge& knowledge, Gather& to_server)
{
    const Parts asked = server.doubts & (askable_parts | Part::catalog);
    if (asked.has(Part::settings)) {
        for (const Settings::Entry& entry : server.settings->entries()) {
            if (is_custom(entry)) knowledge.add_custom(entry.first);
        }
    }
    server.answer = std::make_unique<Answer>();
    server.answer->asked = asked;
    if (asked.has(Part::catalog)) server.answer->catalog = std::make_shared<Catalog>();
    if (asked.empty()) return;
    append_hidden_query(server, question_about(asked, knowledge), false, to_server);
}

void take_answer(ServerState& server, ClientState& client, Knowledge& knowledge)
{
    const auto answer = std::exchange(server.answer, nullptr);
    const bool is_incomplete = answer->catalog && learn(knowledge, answer->catalog)
                               && answer->asked.has(Part::settings);
    if (is_incomplete) {
        server.doubts = server.doubts.without(Part::catalog);
        return;
    }
    const Parts doubts = std::exchange(server.doubts, {});
    server.changes = {};
    server.has_changes_from_before = false;
    const bool had_temp_objects = client.pins.has(Part::temp_objects);
    client.pins |= doubts & unaskable_pins;
    client.pins = client.pins.without(answer->asked) | answer->found;
    if (answer->found.has(Part::temp_objects)) server.temp_schema_owner = client.id;
    if (answer->asked.has(Part::prepared_statements)) take_prepared(*answer, server, client);
    // What was prepared beside a temporary table may need one of that name, gone as it may be now:
    // on another server it could not even be parsed.
    if (had_temp_objects && client.sql_prepared) client.pins |= Part::temp_objects;
    if (answer->asked.has(Part::channels)) {
        server.channels = make_channels(std::move(answer->channels));
        client.channels = server.channels;
    }
    if (answer->asked.has(Part::settings)) {
        server.settings = settings_of(*answer, {server, client, knowledge});
        client.wanted = with_startup(server.settings, *client.startup);
        server.unknown_settings.become_known();
    }
    server.named.clear();
}

// Not to be asked again for what it did not understand.
void give_up_question(ServerState& server, Knowledge& knowledge)
{
    server.answer = nullptr;
    server.named.clear();
    if (!knowledge.catalog) knowledge.catalog = std::make_shared<const Catalog>();
}

} // namespace pgweir::session
