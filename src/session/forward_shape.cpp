// The parts of the forwarders that see to it that who was told the shape of the rows of a statement
// is given no others: a statement that is parsed anew, on this server or another, may have got
// them.
#include <pgweir/session/forward.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace pgweir::session {

namespace client_type = wire::client_type;
using wire::body_of;
using wire::frame_header_size;
using wire::FrameHeader;

namespace {

// What fails for certain; PostgreSQL's log shows it.
constexpr std::string_view refused_plan = "refused by pgweir: its rows have another shape by now";

// A longer Bind is not waited for, to see what comes behind it.
constexpr std::size_t peeked_bind_max = 8'192;

} // namespace

// Nothing: it may be bound.
[[gnu::noinline]] std::optional<ClientForwarder::Done> ClientForwarder::look_at_shape(
    FrameHeader header,
    Bytes available,
    const wire::BindHead& head,
    const Target& target,
    Step& step
)
{
    const ReplyQueue& replies = server_->replies;
    const Shape told = target.named->told;
    const bool is_being_told = replies.awaits_shape_of(head.statement);
    if (is_being_told && replies.awaits_earlier_segment()) return Done::wait;
    const bool may_differ = is_being_told ? server_->is_unsettled
                                          : binds_rows(told) && told != target.entry->shape;
    if (may_differ) {
        const Peek next = describes_next(header, available, head, step);
        if (next.not_yet) return next.not_yet;
        if (!next.describes) {
            if (replies.awaits_earlier_segment() || replies.awaits_shape_check()) return Done::wait;
            const PreparedCache::Entry& entry = *target.entry;
            const bool is_checked = entry.is_confirmed && entry.checked_in == server_->segment;
            if (is_checked && binds_rows(told)) return refuse_bind(header, available);
            check_shape(target, step);
            return Done::wait;
        }
    }
    note_bound(head, target);
    return std::nullopt;
}

// Who asks for the shape right behind it is told the new one. Something always follows: Bind alone
// is not answered.
ClientForwarder::Peek ClientForwarder::describes_next(
    FrameHeader header, Bytes available, const wire::BindHead& head, Step& step
)
{
    if (header.frame_size() > peeked_bind_max) return {};
    const auto need = [&](std::size_t behind) {
        step.wanted = header.frame_size() + behind;
        return available.size() < step.wanted;
    };
    if (need(frame_header_size)) return {.not_yet = Done::more};
    const Bytes next = available.subspan(header.frame_size());
    const auto peeked = wire::peek_header(next, wire::body_size_max);
    const bool is_describe = peeked && *peeked && (*peeked)->type == client_type::describe;
    if (!is_describe || (*peeked)->frame_size() > peeked_bind_max) return {};
    if (need((*peeked)->frame_size())) return {.not_yet = Done::more};
    const auto body = wire::read_target(body_of(**peeked, next));
    if (!body) return {};
    return {.describes = body->name == (body->kind == 'S' ? head.statement : head.portal)};
}

// Should its client ask for the shape of the portal: then that is what it is told.
void ClientForwarder::note_bound(const wire::BindHead& head, const Target& target)
{
    BoundPortal& bound = server_->bound;
    bound.client = client_.id;
    bound.portal = head.portal;
    bound.statement = head.statement;
    bound.number = target.named->number;
    bound.id = target.statement->id();
}

// Parsed anew, so that the answer is about the tables of now, and with a Flush: Bind waits for it.
// A Sync would end the transaction of what came before in the segment.
void ClientForwarder::check_shape(const Target& target, Step& step)
{
    PreparedCache::Entry* entry = target.entry;
    if (entry->is_confirmed) {
        close_on_server(target.statement->id());
        entry = &parse_on_server(*target.statement, step);
    }
    entry->checked_in = server_->segment;
    Buffer& own = outputs_.to_server.own();
    wire::append_target(own, client_type::describe, 'S', target.name);
    wire::append_empty(own, client_type::flush);
    outputs_.to_server.commit();
    Effect effect;
    effect.id = target.statement->id();
    effect.is_shape_check = true;
    server_->replies.push({.reply = Reply::describe, .is_hidden = true}, std::move(effect));
    server_->is_unsynced = true;
}

// PostgreSQL itself fails, and with it the segment and the transaction; the words are replaced.
ClientForwarder::Done ClientForwarder::refuse_bind(FrameHeader header, Bytes available)
{
    constexpr std::array<std::byte, 2> no_types{};
    wire::append_parse(outputs_.to_server.own(), "pgweir_refused", refused_plan, no_types);
    outputs_.to_server.commit();
    Effect effect;
    effect.refuses_shape = true;
    server_->replies.push({.reply = Reply::parse}, std::move(effect));
    server_->is_unsynced = true;
    used_ = std::min(header.frame_size(), available.size());
    client_.stream = {.remaining = header.frame_size() - used_, .is_dropped = true};
    return Done::yes;
}

[[gnu::noinline]] void ClientForwarder::expect_shape(
    const wire::TargetBody& body, const Target& target
)
{
    if (!has_lasting_shape(target.statement->query())) {
        return expect_use(Reply::describe, body.name);
    }
    Effect effect;
    effect.client_name = body.name;
    effect.id = target.statement->id();
    effect.number = target.named->number;
    effect.tells_shape = true;
    server_->replies.push({.reply = Reply::describe}, std::move(effect));
    server_->is_unsynced = true;
}

[[gnu::noinline]] ClientForwarder::Done ClientForwarder::describe_bound(
    FrameHeader header, Bytes available
)
{
    const BoundPortal& bound = server_->bound;
    const NamedStatement* const named = find_named(bound.statement);
    const bool is_it = named != nullptr && named->number == bound.number;
    if (!is_it || !has_lasting_shape(named->statement->query())) {
        pass_expecting(header, available, Reply::describe);
        return Done::yes;
    }
    pass(header, available);
    Effect effect;
    effect.client_name = bound.statement;
    effect.id = bound.id;
    effect.number = bound.number;
    effect.tells_shape = true;
    server_->replies.push({.reply = Reply::describe}, std::move(effect));
    server_->is_unsynced = true;
    return Done::yes;
}

// An entry that is not confirmed is of a Parse behind this answer.
void ServerForwarder::shape_told(const Effect& effect, FrameHeader header, Bytes available)
{
    Shape shape = shape_no_rows;
    if (header.type == wire::server_type::row_description) {
        const bool is_whole = available.size() >= header.frame_size();
        shape = is_whole ? shape_of_rows(body_of(header, available)) : shape_too_long;
    }
    PreparedCache::Entry* const entry = server_.prepared.find(effect.id);
    if (entry != nullptr && entry->is_confirmed) entry->shape = shape;
    if (client_ == nullptr || !effect.tells_shape || !client_->statements) return;
    const auto found = client_->statements->find(effect.client_name);
    const bool is_it = found != client_->statements->end() && found->second.number == effect.number;
    if (is_it) found->second.told = shape;
}

} // namespace pgweir::session
