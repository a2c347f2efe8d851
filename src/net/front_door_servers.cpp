// The part of FrontDoor that connects to servers, for pools and to cancel.
#include <pgweir/base/log.hpp>
#include <pgweir/net/connect.hpp>
#include <pgweir/net/front_door.hpp>

#include <boost/asio/post.hpp>

#include <utility>

namespace pgweir::net {

using wire::ErrorText;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t cancels_in_flight_max = 64;
constexpr Duration cancel_deadline = std::chrono::seconds{10};

// Not there, starting, stopping or full. What else it says, a password is wrong or a database is
// missing, it will say again.
bool is_down(std::string_view sqlstate)
{
    return sqlstate.starts_with("08") || sqlstate.starts_with("57P0") || sqlstate == "53300";
}

} // namespace

void FrontDoor::open_server(std::shared_ptr<Pool> pool, WorkerId worker)
{
    asio::post(io_, [this, pool = std::move(pool), worker]() mutable {
        tasks_.spawn("open_server", open_for_pool(std::move(pool), worker));
    });
}

void FrontDoor::open_replication(
    std::shared_ptr<Pool> pool,
    WorkerId worker,
    ClientId client,
    std::vector<session::Settings::Entry> parameters
)
{
    auto start = [this,
                  pool = std::move(pool),
                  worker,
                  client,
                  parameters = std::move(parameters)] {
        tasks_.spawn("open_replication", open_for_replication(pool, worker, client, parameters));
    };
    asio::post(io_, std::move(start));
}

Task<void> FrontDoor::open_for_pool(std::shared_ptr<Pool> pool, WorkerId worker)
{
    ++openings_[pool.get()].running;
    const TimePoint started = Clock::now();
    const std::uint32_t epoch = pool->epoch();
    ConnectRequest request;
    request.upstream = pool->upstream();
    request.deadline = started + pool->options().server_connect_timeout;
    request.socket = options_.socket;
    ConnectOutcome outcome = co_await connect_server(std::move(request), contexts_, keys_);
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
    pool->set_welcome(std::move(outcome.parameters), epoch);
    outcome.server->pool = pool;
    outcome.server->defaults = pool->welcome();
    outcome.server->connected_at = started;
    outcome.server->epoch = epoch;
    workers_[index_of(worker)]->adopt_server(std::move(*outcome.server));
    opening_ended(pool.get(), false);
}

Task<void> FrontDoor::open_for_replication(
    std::shared_ptr<Pool> pool,
    WorkerId worker,
    ClientId client,
    std::vector<wire::Parameter> parameters
)
{
    const TimePoint started = Clock::now();
    const std::uint32_t epoch = pool->epoch();
    ConnectRequest request;
    request.upstream = pool->upstream();
    request.deadline = started + pool->options().server_connect_timeout;
    request.socket = options_.socket;
    request.parameters = std::move(parameters);
    ConnectOutcome outcome = co_await connect_server(std::move(request), contexts_, keys_);
    if (!outcome.server) {
        workers_[index_of(worker)]->replication_failed(pool, client, outcome.error);
        co_return;
    }
    outcome.server->pool = pool;
    outcome.server->defaults = pool->welcome();
    outcome.server->connected_at = started;
    outcome.server->epoch = epoch;
    outcome.server->is_replication = true;
    workers_[index_of(worker)]->adopt_replication_server(std::move(*outcome.server), client);
}

void FrontDoor::opening_ended(const Pool* pool, bool is_failed)
{
    Opening& opening = openings_[pool];
    --opening.running;
    if (is_failed) ++opening.failures;
    for (const auto& timer : std::exchange(opening.waiters, {})) timer->cancel();
}

// For a login.
bool FrontDoor::try_open(const std::shared_ptr<Pool>& pool)
{
    pool::Shared& shared = pool->shared();
    if (!shared.may_open(Clock::now()) || !shared.try_start_open()) return false;
    if (!shared.try_reserve()) {
        shared.end_open();
        return false;
    }
    tasks_.spawn("open_server", open_for_pool(pool, next_worker()));
    return true;
}

Task<void> FrontDoor::wait_for_opening(Opening& opening, TimePoint deadline)
{
    auto timer = std::make_shared<Timer>(tasks_.executor());
    timer->expires_at(deadline);
    opening.waiters.push_back(timer);
    co_await timer->async_wait(use_task);
}

// The first client of a pool waits for its first server: only PostgreSQL knows its version,
// encoding and time zone. The bound holds here as everywhere.
Task<ErrorText> FrontDoor::ensure_welcome(std::shared_ptr<Pool> pool, TimePoint deadline)
{
    Opening& opening = openings_[pool.get()];
    const bool is_renewed = pool->has_old_welcome() && (opening.running > 0 || try_open(pool));
    if (is_renewed)
        co_await wait_for_opening(opening, deadline); // if it fails, the old one is left
    const std::uint64_t failures = opening.failures;
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
            late.hint = "Try again later.";
            co_return late;
        }
        if (pool->shared().opening() == 0) try_open(pool);
        co_await wait_for_opening(opening, deadline);
    }
    co_return ErrorText{};
}

void FrontDoor::send_cancel(CancelTarget target, WorkerId worker, std::uint64_t serial)
{
    asio::post(io_, [this, target = std::move(target), worker, serial]() mutable {
        tasks_.spawn("cancel", cancel_at_server(std::move(target), worker, serial));
    });
}

// Bounded: who sends cancels in a storm loses some, and no query but its own is the slower for it.
Task<void> FrontDoor::cancel_at_server(CancelTarget target, WorkerId worker, std::uint64_t serial)
{
    if (cancels_in_flight_ < cancels_in_flight_max) {
        ++cancels_in_flight_;
        co_await cancel_on_server(std::move(target), Clock::now() + cancel_deadline, contexts_);
        --cancels_in_flight_;
    } else {
        log(LogLevel::warning, "cancel_dropped", {{"in_flight", cancels_in_flight_}});
    }
    workers_[index_of(worker)]->post([serial](Worker& at) { at.cancel_finished(serial); });
}

// Posted behind the requests of the workers, so that all of them have begun.
void FrontDoor::stop_when_quiet(TimePoint deadline)
{
    asio::post(io_, [this, deadline] { tasks_.spawn("stop", wait_for_cancels(deadline)); });
}

Task<void> FrontDoor::wait_for_cancels(TimePoint deadline)
{
    Timer timer{tasks_.executor()};
    while (cancels_in_flight_ > 0 && Clock::now() < deadline) {
        timer.expires_after(std::chrono::milliseconds{5});
        co_await timer.async_wait(use_task);
    }
    io_.stop();
}

} // namespace pgweir::net
