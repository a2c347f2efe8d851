// The part of both forwarders for pg_terminate_backend(), pg_cancel_backend() and pg_backend_pid().
#include <pgweir/session/forward.hpp>
#include <pgweir/session/signal.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/reader.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir::session {

using wire::body_of;
using wire::frame_header_size;
using wire::FrameHeader;

// Where it keeps its server, that has the number that is of use: pg_locks and the like know it.
bool ClientForwarder::may_tell_own_id() const
{
    return options_.tells_own_id && server_->status == 'I' && !client_.block
           && client_.pins.empty();
}

// `values`: of a Bind, behind its names. Nothing: the text may go to PostgreSQL as it is.
std::optional<ClientForwarder::SignalPlan> ClientForwarder::plan_signal(
    std::string_view sql, Bytes values
) const
{
    if (clientele_ == nullptr || server_->status == 'E') return std::nullopt;
    if (const auto own = read_own_id_call(sql)) {
        if (!may_tell_own_id()) return std::nullopt;
        return SignalPlan{own_id_sql(sql, *own, process_id_of(client_.id)), std::nullopt};
    }
    const auto call = read_signal_call(sql);
    if (!call) return std::nullopt;
    const auto process_id = call->process_id ? call->process_id : bound_process_id(values);
    const auto member = process_id ? clientele_->find(*process_id) : std::nullopt;
    if (!member) return std::nullopt;
    if (member->id == client_.id) return SignalPlan{own_signal_sql(sql, *call), std::nullopt};
    return SignalPlan{
        permission_sql(sql, *call, member->role), Signal{member->id, call->terminates}
    };
}

// True: that was it.
bool ClientForwarder::query_signal(FrameHeader header, std::string_view text)
{
    auto plan = plan_signal(text, {});
    if (!plan) return false;
    wire::append_query(outputs_.to_server.own(), plan->sql);
    outputs_.to_server.commit();
    expect_query(false, {}, plan->signal);
    used_ = header.frame_size();
    return true;
}

bool ClientForwarder::may_signal(std::string_view client_name) const
{
    const StatementRef statement = find(client_name);
    return statement && statement->reading().uses_process_id;
}

// Another statement is bound in place of the one that may name a client of ours.
std::optional<ClientForwarder::BoundSignal> ClientForwarder::bind_signal(
    const wire::BindHead& head, Bytes body, Step& step
)
{
    const StatementRef statement = find(head.statement);
    if (server_->lent.are_all) return std::nullopt;
    const auto plan = plan_signal(statement->query(), body.subspan(head.size));
    if (!plan) return std::nullopt;
    const StatementRef other = table_.intern(plan->sql, statement->types(), parse_hash_now());
    return BoundSignal{prepare(other, head.statement, step), plan->signal};
}

// It is made when the portal is executed. Those of before are gone by then, or never came to be.
void ClientForwarder::note_portal(std::string_view portal, const std::optional<Signal>& signal)
{
    std::erase_if(server_->signal_portals, [&](const auto& each) { return each.first == portal; });
    if (signal) server_->signal_portals.emplace_back(portal, *signal);
}

ClientForwarder::Done ClientForwarder::execute(FrameHeader header, Bytes available, Step& step)
{
    const auto& portals = server_->signal_portals;
    if (portals.empty() || is_skipped()) {
        ++step.counts.queries;
        pass_expecting(header, available, Reply::execute);
        return Done::yes;
    }
    if (const auto done = need_whole(header, available, step)) return *done;
    ++step.counts.queries;
    wire::Reader reader{body_of(header, available)};
    const std::string_view portal = reader.cstring();
    const auto found = std::ranges::find_if(portals, [&](const auto& each) {
        return each.first == portal;
    });
    pass(header, available);
    if (found == portals.end()) {
        server_->replies.push({.reply = Reply::execute});
    } else {
        Effect effect;
        effect.signal = found->second;
        server_->replies.push({.reply = Reply::execute}, std::move(effect));
    }
    server_->is_unsynced = true;
    return Done::yes;
}

// PostgreSQL would do it. Nobody is told so before it is done.
bool ServerForwarder::is_permission(FrameHeader header, Bytes available) const
{
    if (client_ == nullptr || !server_.replies.front_signals()) return false;
    const auto row = wire::read_data_row(body_of(header, available));
    if (!row || row->size() != 1 || !row->front()) return false;
    const std::string_view value = *row->front();
    return value == "t" || value == "\1";
}

// "PID 7 is not a PostgreSQL backend process", in whatever language: a call that was made for each
// row, or with a number that is computed, and in which we see no number. Where both roles are the
// same one there is nothing to ask about permission.
bool ServerForwarder::is_missed_signal(FrameHeader header, Bytes available)
{
    if (client_ == nullptr || is_hidden()) return false;
    const wire::ErrorFields fields = wire::read_error(body_of(header, available));
    if (fields.routine != "pg_signal_backend") return false;
    const std::size_t digits = fields.message.find_first_of("0123456789");
    if (digits == std::string_view::npos) return false;
    std::uint32_t process_id = 0;
    std::from_chars(
        fields.message.data() + digits, fields.message.data() + fields.message.size(), process_id
    );
    const auto member = server_.signals_to->find(process_id);
    const bool has_own_role = client_->wanted->find("role") == nullptr
                              && client_->wanted->find("session_authorization") == nullptr;
    if (!member || !member->is_of_own_role || !has_own_role || member->id == client_->id) {
        return false;
    }
    server_.signal = Signal{member->id, server_.may_end_itself};
    server_.has_signalled = true;
    return true;
}

// The row in which PostgreSQL says that it was in vain, if that is all that it says.
void ServerForwarder::tell_signalled(FrameHeader header, Bytes available)
{
    const bool has_signalled = std::exchange(server_.has_signalled, false);
    const auto row = wire::read_data_row(body_of(header, available));
    const bool is_verdict = has_signalled && row && row->size() == 1 && row->front()
                            && (*row->front() == "f" || *row->front() == std::string_view{"\0", 1});
    if (!is_verdict) return pass(header, available, is_hidden());
    const bool is_text = *row->front() == "f";
    wire::append_row(to_client_.own(), {std::string{is_text ? "t" : "\1"}});
    to_client_.commit();
    used_ = header.frame_size();
}

} // namespace pgweir::session
