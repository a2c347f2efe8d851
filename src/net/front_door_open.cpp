// The part of FrontDoor that opens connections to PostgreSQL.
#include <pgweir/base/log.hpp>
#include <pgweir/net/front_door.hpp>
#include <pgweir/net/refusal.hpp>
#include <pgweir/net/target.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace pgweir::net {

using wire::ErrorText;
using Clock = std::chrono::steady_clock;

namespace {

// Not there, starting, stopping or full. What else it says, a password is wrong or a database is
// missing, it will say again.
bool is_down(std::string_view sqlstate)
{
    return sqlstate.starts_with("08") || sqlstate.starts_with("57P0") || sqlstate == "53300";
}

// Who opens it may be another: it is looked for now and then as well.
constexpr Duration look_again = std::chrono::milliseconds{500};

/// A login waits for the first server of its pool.
class AwaitedFirst {
public:
    explicit AwaitedFirst(pool::Shared& shared) : shared_{shared} { shared_.await_first(); }
    AwaitedFirst(const AwaitedFirst&) = delete;
    AwaitedFirst& operator=(const AwaitedFirst&) = delete;
    ~AwaitedFirst() { shared_.end_await_first(); }

private:
    pool::Shared& shared_;
};

// `epoch`: of the pool, when the connect began.
void give_to(
    const std::shared_ptr<Pool>& pool, std::uint32_t epoch, TimePoint started, OpenedServer& server
)
{
    server.pool = pool;
    server.defaults = pool->welcome();
    server.connected_at = started;
    server.epoch = epoch;
}

void use_secret(ConnectRequest& request, const std::optional<auth::Secret>& secret)
{
    if (!secret) return;
    if (const auto* const keys = std::get_if<auth::ScramKeys>(&*secret)) {
        request.keys = *keys;
    } else {
        request.upstream.password = std::get<std::string>(*secret);
        request.upstream.has_password = true;
    }
}

} // namespace

void FrontDoor::open_server(std::shared_ptr<Pool> pool, WorkerId worker)
{
    asio::post(io_, [this, pool = std::move(pool), worker]() mutable {
        tasks_.spawn("open_server", open_for_pool(std::move(pool), worker));
    });
}

void FrontDoor::open_for(
    std::shared_ptr<Pool> pool,
    WorkerId worker,
    ClientId client,
    std::vector<session::Settings::Entry> parameters
)
{
    auto start =
        [this, pool = std::move(pool), worker, client, parameters = std::move(parameters)] {
            tasks_.spawn("open_for", open_for_client(pool, worker, client, parameters));
        };
    asio::post(io_, std::move(start));
}

ConnectRequest FrontDoor::request_for(const Pool& pool, TimePoint started) const
{
    ConnectRequest request;
    request.upstream = pool.upstream();
    if (!request.upstream.has_password) use_secret(request, pool.secret());
    request.last = hosts_.last(request.upstream);
    request.deadline = started + pool.options().server_connect_timeout;
    request.socket = options_.socket;
    return request;
}

Task<void> FrontDoor::open_for_pool(std::shared_ptr<Pool> pool, WorkerId worker)
{
    ++openings_[pool.get()].running;
    const TimePoint started = Clock::now();
    const std::uint32_t epoch = pool->epoch();
    ConnectOutcome outcome = co_await connect_server(
        request_for(*pool, started), contexts_, keys_, names_
    );
    if (!outcome.server) {
        log(LogLevel::error,
            "server_connect_failed",
            {{"pool", pool->label()},
             {"sqlstate", outcome.error.sqlstate},
             {"reason", outcome.error.message}});
        pool->set_last_error(outcome.error);
        workers_[index_of(worker)]->open_failed(pool, is_down(outcome.error.sqlstate));
        opening_ended(pool.get(), true);
        co_return;
    }
    log(LogLevel::debug,
        "server_opened",
        {{"pool", pool->label()},
         {"address", outcome.server->cancel.address.to_string()},
         {"server_pid", outcome.server->cancel.process_id}});
    remember_host(*outcome.server);
    pool->set_welcome(std::move(outcome.parameters), epoch);
    give_to(pool, epoch, started, *outcome.server);
    const CancelTarget& target = outcome.server->cancel;
    outcome.server->is_unwanted = !names_.is_current(target.place, target.address);
    workers_[index_of(worker)]->adopt_server(std::move(*outcome.server));
    opening_ended(pool.get(), false);
}

// Not a primary that was only taken because there is no standby. When it is another host than the
// last time, those that are connected to that one may be wrong there.
void FrontDoor::remember_host(const OpenedServer& server)
{
    const Upstream& upstream = server.cancel.upstream;
    const SessionAttrs wanted = upstream.target_session_attrs;
    if (!objection(wanted, server.role).empty()) return;
    const bool is_other = hosts_.note(upstream, server.cancel.place);
    if (!is_other || upstream.balances_hosts || wanted == SessionAttrs::any) return;
    log(LogLevel::info, "host_changed", {{"address", server.cancel.address.to_string()}});
    workers_.front()->doubt_hosts(upstream);
}

Task<void> FrontDoor::open_for_client(
    std::shared_ptr<Pool> pool,
    WorkerId worker,
    ClientId client,
    std::vector<wire::Parameter> parameters
)
{
    const TimePoint started = Clock::now();
    const std::uint32_t epoch = pool->epoch();
    ConnectRequest request = request_for(*pool, started);
    const bool is_replication = !parameters.empty();
    request.parameters = std::move(parameters);
    ConnectOutcome outcome = co_await connect_server(std::move(request), contexts_, keys_, names_);
    if (!outcome.server) {
        workers_[index_of(worker)]->open_failed_for(pool, client, outcome.error);
        co_return;
    }
    give_to(pool, epoch, started, *outcome.server);
    outcome.server->is_replication = is_replication;
    workers_[index_of(worker)]->adopt_server_for(std::move(*outcome.server), client);
}

// Also those of pools that connect to nobody for a long time.
Task<void> FrontDoor::watch_names()
{
    Timer timer{tasks_.executor()};
    while (!is_closing_) {
        const bool has_ttl = options_.dns_max_ttl > Duration::zero();
        timer.expires_after(has_ttl ? options_.dns_max_ttl : Duration{std::chrono::seconds{1}});
        co_await timer.async_wait(use_task);
        if (!has_ttl) continue;
        std::vector<HostPort> hosts;
        for (const auto& pool : pools_.all()) {
            if (pool->shared().total() == 0) continue;
            for (const HostPort& host : pool->upstream().hosts) {
                if (std::ranges::find(hosts, host) == hosts.end()) hosts.push_back(host);
            }
        }
        for (const HostPort& host : hosts) names_.look_again(host);
    }
}

void FrontDoor::leave_addresses(const HostPort& place, const std::vector<Address>& addresses)
{
    std::string all;
    for (const Address& each : addresses) all += (all.empty() ? "" : ",") + each.host();
    log(LogLevel::debug, "addresses", {{"host", place.host}, {"addresses", all}});
    for (Worker* const worker : workers_) {
        worker->post([place, addresses](Worker& each) { each.leave_addresses(place, addresses); });
    }
}

void FrontDoor::opening_ended(const Pool* pool, bool is_failed)
{
    Opening& opening = openings_[pool];
    --opening.running;
    if (is_failed) ++opening.failures;
    opening.waiters.wake();
}

// For a login. When a cap of many pools is full, a worker opens it as soon as there is a place.
bool FrontDoor::try_open(const std::shared_ptr<Pool>& pool)
{
    pool::Shared& shared = pool->shared();
    if (!shared.may_open(Clock::now()) || !shared.may_start_open()) return false;
    const WorkerId worker = next_worker();
    pool::Nudges nudges;
    const bool has_place = shared.try_reserve(worker, shared.is_first_awaited(), nudges);
    const bool is_opening = has_place && shared.try_start_open();
    if (has_place && !is_opening) shared.unreserve(nudges);
    for (const pool::Nudge& each : nudges) workers_[index_of(each.worker)]->nudge(*each.party);
    if (is_opening) tasks_.spawn("open_server", open_for_pool(pool, worker));
    return is_opening;
}

// The first client of a pool waits for its first server: only PostgreSQL knows its version,
// encoding and time zone. The bound holds here as everywhere.
Task<ErrorText> FrontDoor::ensure_welcome(std::shared_ptr<Pool> pool, TimePoint deadline)
{
    Opening& opening = openings_[pool.get()];
    const bool is_renewed = pool->has_old_welcome() && (opening.running > 0 || try_open(pool));
    // If it fails, the old one is left.
    if (is_renewed) co_await opening.waiters.wait(tasks_.executor(), deadline);
    const std::uint64_t failures = opening.failures;
    const AwaitedFirst awaited{pool->shared()};
    while (pool->welcome()->entries().empty()) {
        const TimePoint now = Clock::now();
        if (opening.failures != failures || !pool->shared().may_open(now)) {
            ErrorText error = pool->last_error();
            error.severity = "FATAL";
            if (error.message.empty()) {
                error = {"FATAL", "08006", "the server cannot be reached", {}, {}};
            }
            co_return error;
        }
        if (now >= deadline) {
            ErrorText late{"FATAL", "57P03", "the server has not answered yet", {}, {}};
            late.detail = caps_text(pool->shared());
            late.hint = "Try again later.";
            co_return late;
        }
        if (pool->shared().opening() == 0) try_open(pool);
        if (opening.failures != failures) continue; // a socket file that is missing fails at once
        co_await opening.waiters.wait(tasks_.executor(), std::min(deadline, now + look_again));
    }
    co_return ErrorText{};
}

} // namespace pgweir::net
