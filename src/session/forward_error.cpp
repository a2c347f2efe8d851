// The part of ServerForwarder that deals with errors: what they end, what they undo, and how they
// are told to a client that knows its statements by other names.
#include <pgweir/session/forward.hpp>
#include <pgweir/session/new_process.hpp>
#include <pgweir/session/pinning.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::session {

using wire::body_of;
using wire::FrameHeader;

namespace {

Sqlstate to_sqlstate(std::string_view text)
{
    Sqlstate state{'X', 'X', '0', '0', '0'}; // a server may leave it out
    if (text.size() == state.size()) std::ranges::copy(text, state.begin());
    return state;
}

bool is_fatal(const wire::ErrorFields& fields)
{
    return fields.severity == "FATAL" || fields.severity == "PANIC";
}

constexpr std::string_view old_plan_sqlstate = "0A000";
constexpr std::string_view old_plan_message = "cached plan must not change result type";

bool is_old_plan(const wire::ErrorFields& fields)
{
    return fields.sqlstate == old_plan_sqlstate && fields.message == old_plan_message;
}

// By the routine pgjdbc and asyncpg see that they need only prepare anew.
wire::ErrorText old_plan_error()
{
    return {
        "ERROR",
        std::string{old_plan_sqlstate},
        std::string{old_plan_message},
        {},
        {},
        "RevalidateCachedQuery"
    };
}

// The client has asked for that itself, or it has met a standby.
bool is_read_only(const wire::ErrorFields& fields) { return fields.sqlstate == "25006"; }

bool is_old_type(const wire::ErrorFields& fields)
{
    return fields.sqlstate == "XX000" && fields.message.starts_with("cache lookup failed for type");
}

wire::ErrorText text_of(const wire::ErrorFields& fields)
{
    return {
        std::string{fields.severity},
        std::string{fields.sqlstate},
        std::string{fields.message},
        std::string{fields.detail},
        std::string{fields.hint},
    };
}

} // namespace

void ServerForwarder::error(FrameHeader header, Bytes available)
{
    const wire::ErrorFields fields = wire::read_error(body_of(header, available));
    if (is_fatal(fields)) {
        // The driver knows what the client has lost, and tells it when the connection is closed.
        server_.last_words = text_of(fields);
        return pass(header, available, true);
    }
    if (is_work_of_ours()) {
        ours_failed(fields);
        return pass(header, available, true);
    }
    if (is_read_only(fields)) server_.chores |= Chore::look_again;
    server_.unknown_settings.fail(server_.serial);
    server_.rerun.wants_new_process = wants_new_process(fields);
    server_.rerun.is_wanted = server_.rerun.wants_new_process || can_say_again(fields);
    if (server_.rerun.is_wanted) {
        pass(header, available, true);
    } else {
        const bool refuses = server_.replies.front_refuses_shape();
        server_.errors.push_back(to_sqlstate(refuses ? old_plan_sqlstate : fields.sqlstate));
        pass_error(header, available, fields);
    }
    if (is_old_plan(fields) || is_old_type(fields)) schema_changed(); // behind our back
    fail(fields);
    forget_misnamed(fields);
}

// The first statement of the segment has become unusable since it was prepared, which on a
// connection of the client's own it would not have been, or it asks for the shape of rows anew. It
// was not executed; what came before it in the segment is answered and prepares only, what comes
// behind it is skipped.
bool ServerForwarder::can_say_again(const wire::ErrorFields& fields) const
{
    const Rerun& rerun = server_.rerun;
    const ReplyQueue& replies = server_.replies;
    if (client_ == nullptr || client_->reruns > 0 || is_answer_to_us()) return false;
    if (!rerun.from || rerun.said.empty() || server_.status != 'I') return false;
    if (!replies.is_one_segment()) return false;
    if (!replies.front_is(Reply::bind) && !replies.front_is(Reply::describe)) return false;
    if (is_old_plan(fields)) return rerun.is_shape_new || replies.awaits_description();
    const bool is_lost = fields.sqlstate == "26000" && find_server_name(fields.message);
    return is_lost || is_old_type(fields);
}

// Tried once: what is refused there, too, PostgreSQL would have refused.
bool ServerForwarder::wants_new_process(const wire::ErrorFields& fields)
{
    const Rerun& rerun = server_.rerun;
    if (client_ == nullptr || is_answer_to_us()) return false;
    client_->is_on_trial = false;
    if (!may_be_reserved_here(*client_, rerun.said, fields)) return false;
    client_->may_have_libraries = true;
    const ReplyQueue& replies = server_.replies;
    return server_.status == 'I' && replies.size() == 1 && replies.front_is(Reply::query);
}

void ServerForwarder::keep_process()
{
    client_->is_on_trial = false;
    client_->pins |= Part::libraries;
}

// A failure of it is none of the client's: unlike that of a Parse which we have put in front of the
// client's Bind.
bool ServerForwarder::is_work_of_ours() const
{
    if (!is_answer_to_us()) return false;
    const Expected& front = server_.replies.front();
    return front.reply == Reply::query || front.begins_block || front.is_tolerated;
}

void ServerForwarder::ours_failed(const wire::ErrorFields& fields)
{
    const Expected failed = server_.replies.front();
    if (failed.is_tolerated) {
        if (failed.reply == Reply::query) server_.doubts |= Part::prepared_statements;
        return fail(fields);
    }
    server_.hidden_error = text_of(fields);
    // The SETs were one implicit transaction: none of them holds.
    if (server_.settings_before) server_.settings = server_.settings_before;
    if (server_.relisten_in > 0) server_.chores |= Chore::reset;
    if (failed.begins_block) fail(fields); // what the client has sent behind it is not run
}

// What an error ends: a COPY, and in the extended protocol everything up to the next Sync.
void ServerForwarder::fail(const wire::ErrorFields& fields)
{
    ReplyQueue& replies = server_.replies;
    server_.is_copying_in = false;
    if (is_fatal(fields)) return;
    const bool is_extended = !replies.front_is(Reply::query)
                             && !replies.front_is(Reply::function_call)
                             && (!replies.empty() || server_.is_unsynced);
    if (is_extended) replies.fail_to_sync([this](Effect& effect) { undo(effect); });
    if (replies.is_skipping()) server_.is_unsynced = true; // a Query does not end that
}

// As it is, but for the reason of a cancel that was ours, and for our names of statements.
void ServerForwarder::pass_error(
    FrameHeader header, Bytes available, const wire::ErrorFields& fields
)
{
    const bool is_whole = available.size() >= header.frame_size();
    if (client_ == nullptr || !is_whole) return pass(header, available, client_ == nullptr);

    const Parts refused = server_.replies.empty() ? Parts{} : server_.replies.front().refused;
    if (!refused.empty() && fields.sqlstate == "42601") {
        wire::append_error(to_client_.own(), pin_refusal(refused, server_.status == 'E'));
    } else if (server_.replies.front_refuses_shape() && fields.sqlstate == "42601") {
        wire::append_error(to_client_.own(), old_plan_error());
    } else if (fields.sqlstate == "57014" && server_.cancel_reason) {
        wire::append_error(to_client_.own(), *server_.cancel_reason);
    } else if (fields.sqlstate == "25P02" && server_.abort_reason) {
        wire::append_error(to_client_.own(), *server_.abort_reason);
        server_.abort_reason.reset(); // said once; from now on the server says what it thinks
    } else if (fields.message.find(Statement::name_prefix) != std::string_view::npos) {
        wire::ErrorText error = text_of(fields);
        error.message = with_client_name(fields.message);
        wire::append_error(to_client_.own(), error);
    } else {
        return pass(header, available, false);
    }
    to_client_.commit();
    used_ = header.frame_size();
}

// What we believe about a statement was wrong: the next one that needs it must not suffer.
void ServerForwarder::forget_misnamed(const wire::ErrorFields& fields)
{
    const bool is_missing = fields.sqlstate == "26000";
    if (!is_missing && fields.sqlstate != "42P05") return;
    const auto id = find_server_name(fields.message);
    if (!id) return;
    const PreparedCache::Entry* const entry = server_.prepared.find(*id);
    if (is_missing && entry != nullptr && entry->is_confirmed) server_.prepared.remove(*id);
    if (!is_missing && entry == nullptr) server_.prepared.suspect(*id);
}

void ServerForwarder::undo(Effect& effect)
{
    if (effect.adds_to_server) server_.prepared.remove(effect.id);
    if (effect.removes_from_server) server_.prepared.add_confirmed(effect.id);
    if (client_ == nullptr || !effect.changes_client) return;
    set_statement(*client_, effect.client_name, effect.before, effect.told_before);
    if (effect.client_name.empty()) client_->unnamed_lives_on = 0;
}

// Our names of statements stand in messages of the server; the client knows its own.
std::string ServerForwarder::with_client_name(std::string_view message) const
{
    constexpr std::size_t digits = 32;
    std::string text{message};
    const std::size_t at = text.find(Statement::name_prefix);
    const std::size_t size = Statement::name_prefix.size() + digits;
    if (at == std::string::npos || text.size() < at + size) return text;

    const std::string ours = text.substr(at, size);
    if (const Effect* const effect = server_.replies.front_effect()) {
        if (!effect->client_name.empty()) return text.replace(at, size, effect->client_name);
    }
    if (client_->statements) {
        for (const auto& [name, named] : *client_->statements) {
            if (named.statement->server_name() == ours) return text.replace(at, size, name);
        }
    }
    return text.replace(at, size, ""); // the unnamed one, which has another meaning by now
}

} // namespace pgweir::session
