#include <pgweir/net/role_lookup.hpp>

#include <pgweir/auth/options.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/wire/writer.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace pgweir::net {

using wire::ErrorText;
using Clock = std::chrono::steady_clock;

namespace {

constexpr Duration asking_max = std::chrono::seconds{10}; // to connect, and again for an answer
/// Less than the five seconds for which DROP DATABASE waits until all others have left.
constexpr Duration idle_connection_max = std::chrono::seconds{2};

Buffer question_for(std::string_view query, std::string_view user)
{
    Buffer out;
    const std::array<std::byte, 2> no_types{};
    wire::append_parse(out, "", query, no_types);
    wire::Writer bind{out, wire::client_type::bind};
    bind.cstring("").cstring("").be16(0).be16(1);
    bind.be32(static_cast<std::uint32_t>(user.size())).text(user);
    bind.be16(0).finish();
    wire::Writer execute{out, wire::client_type::execute};
    execute.cstring("").be32(0).finish();
    wire::append_empty(out, wire::client_type::sync);
    return out;
}

ErrorText strange(std::string message) { return {"ERROR", "39000", std::move(message), {}, {}}; }

ErrorText lost_connection(const Channel& channel, const ErrorCode& error)
{
    return {
        "FATAL", "08006", channel.is_timed_out() ? "no answer in time" : error.message(), {}, {}
    };
}

/// The one row of an answer.
struct RoleReader {
    std::string_view user;
    std::optional<auth::Role> role;
    ErrorText error;

    void take(Bytes body)
    {
        const auto row = wire::read_data_row(body);
        if (!row || row->size() < 2) {
            error = strange("auth.query must return a name and a password");
        } else if (role) {
            error = strange("auth.query has returned more than one row");
        } else if (row->front() != user) {
            error = strange("auth.query has returned another name");
        } else {
            read(*row);
        }
    }

private:
    void read(const wire::RowValues& row)
    {
        role.emplace();
        role->password = row[1].value_or("");
        if (row.size() > 2) role->may_log_in = row[2] == "t";
        if (row.size() > 3) role->identity = row[3].value_or("");
    }
};

// Nobody was reached, or it has other troubles than this question.
bool is_passing(const ErrorText& error)
{
    const std::string& state = error.sqlstate;
    return (state.starts_with("08") && state != "08004") || state.starts_with("57")
           || state.starts_with("53");
}

} // namespace

Task<auth::RoleAnswer> RoleLookup::find(RoleSource source, std::string user, TimePoint deadline)
{
    const DeskRef desk = desk_of(source);
    const auto question = desk->questions.ask(Clock::now(), user);
    if (!question->answer && !desk->is_served) {
        desk->is_served = true;
        tasks_.spawn("role_lookup", serve(desk));
    }
    if (desk->idle) desk->idle->cancel();
    while (!question->answer && Clock::now() < deadline) {
        co_await desk->waiters[question].wait(tasks_.executor(), deadline);
    }
    co_return question->answer.value_or(auth::RoleAnswer{.is_available = false, .role = {}});
}

RoleLookup::DeskRef RoleLookup::desk_of(const RoleSource& source)
{
    const auto found = std::ranges::find_if(desks_, [&](const DeskRef& desk) {
        return desk->source == source;
    });
    if (found != desks_.end()) return *found;
    return desks_.emplace_back(std::make_shared<Desk>(source));
}

Task<void> RoleLookup::serve(DeskRef desk)
{
    std::unique_ptr<Channel> channel;
    for (;;) {
        const auto question = desk->questions.next();
        if (question) {
            Asked asked = co_await ask(desk.get(), &question->user, &channel);
            conclude(*desk, question, std::move(asked));
            wake(*desk, question);
            continue;
        }
        if (!channel) break;
        const bool has_work = co_await wait_for_work(desk);
        if (!has_work) break;
    }
    desk->is_served = false;
    if (!channel) co_return;
    Buffer good_bye;
    wire::append_empty(good_bye, wire::client_type::terminate);
    channel->set_deadline(Clock::now() + asking_max);
    co_await channel->write(std::move(good_bye));
}

Task<bool> RoleLookup::wait_for_work(DeskRef desk)
{
    desk->idle = std::make_shared<Timer>(tasks_.executor());
    desk->idle->expires_after(idle_connection_max);
    co_await desk->idle->async_wait(use_task);
    desk->idle.reset();
    co_return !desk->questions.is_empty();
}

// A connection that was idle may be gone, which only shows when it is used: then there is a new
// one.
Task<RoleLookup::Asked> RoleLookup::ask(
    const Desk* desk, const std::string* user, std::unique_ptr<Channel>* channel
)
{
    if (*channel) {
        Asked asked = co_await ask_over(channel->get(), &desk->source.query, user);
        if (!asked.is_lost) co_return asked;
        channel->reset();
    }
    ConnectRequest request;
    request.upstream = desk->source.upstream;
    request.deadline = Clock::now() + asking_max;
    request.socket = socket_;
    ConnectOutcome outcome = co_await connect_server(std::move(request), contexts_, keys_, names_);
    Asked asked;
    asked.error = std::move(outcome.error);
    asked.is_refused = !outcome.server && !is_passing(asked.error);
    if (outcome.server) {
        auto opened = std::make_unique<Channel>(
            tasks_.executor(), std::move(outcome.server->stream), Buffer{}
        );
        asked = co_await ask_over(opened.get(), &desk->source.query, user);
        if (!asked.is_lost) *channel = std::move(opened);
    }
    co_return asked;
}

Task<RoleLookup::Asked> RoleLookup::ask_over(
    Channel* channel, const std::string* query, const std::string* user
)
{
    Asked asked;
    asked.is_lost = true;
    channel->set_deadline(Clock::now() + asking_max);
    if (const ErrorCode error = co_await channel->write(question_for(*query, *user))) {
        asked.error = lost_connection(*channel, error);
        co_return asked;
    }
    RoleReader reader{.user = *user, .role = {}, .error = {}};
    for (;;) {
        const auto message = co_await channel->read_message(login_message_size_max);
        if (!message) {
            const bool has_words = !reader.error.message.empty();
            asked.error = has_words ? reader.error : lost_connection(*channel, message.error());
            co_return asked;
        }
        if (message->type == wire::server_type::data_row) reader.take(message->body);
        if (message->type == wire::server_type::error) {
            const wire::ErrorFields fields = wire::read_error(message->body);
            reader.error = strange(std::string{fields.message});
            reader.error.sqlstate = fields.sqlstate;
        }
        if (message->type == wire::server_type::ready_for_query) break;
    }
    asked.is_lost = false;
    asked.error = std::move(reader.error);
    if (asked.error.message.empty()) asked.role = std::move(reader.role);
    co_return asked;
}

// Who may not look is told so only once: nobody may have asked for this. What else goes wrong with
// a name, or with a query of the operator's, is no reason not to look for the next one.
void RoleLookup::conclude(Desk& desk, const QuestionRef& question, Asked asked)
{
    const TimePoint now = Clock::now();
    const ErrorText& error = asked.error;
    if (error.message.empty()) return desk.questions.answer(now, *question, std::move(asked.role));

    const bool is_default = desk.source.query == auth::default_query;
    const bool is_forbidden = is_default && error.sqlstate == "42501";
    bool is_news = true;
    if (is_passing(error)) {
        is_news = desk.questions.fail(now, *question);
    } else if (is_forbidden || asked.is_refused) {
        const Duration pause = is_forbidden ? auth::RoleDesk::long_pause : auth::RoleDesk::pause;
        is_news = desk.questions.refuse(now, *question, pause);
    } else {
        desk.questions.answer(now, *question, {});
    }
    if (!is_news) return;
    const char* const hint = is_forbidden
                                 ? "only users of the configuration can log in; for others, "
                                   "set auth.user to a role that may read pg_authid, or "
                                   "auth.query to a function that may"
                                 : "see auth.query and auth.user";
    log(is_forbidden ? LogLevel::info : LogLevel::warning,
        "auth_query_failed",
        {{"user", question->user},
         {"asked_by", desk.source.upstream.user},
         {"sqlstate", error.sqlstate},
         {"reason", error.message},
         {"hint", hint}});
}

// All who wait have an answer when there is trouble: then nobody is left in the queue.
void RoleLookup::wake(Desk& desk, const QuestionRef& answered)
{
    if (auto node = desk.waiters.extract(answered)) node.mapped().wake();
    if (!desk.questions.is_empty()) return;
    for (auto& [question, waiters] : desk.waiters) {
        if (question->answer) waiters.wake();
    }
    std::erase_if(desk.waiters, [](const auto& entry) { return entry.first->answer.has_value(); });
}

} // namespace pgweir::net
