#include <pgweir/net/worker.hpp>

#include <pgweir/base/log.hpp>

#include <algorithm>
#include <pthread.h>
#include <random>
#include <utility>

namespace pgweir::net {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t receive_buffer_size = 65'536;
constexpr Duration tick_interval = std::chrono::milliseconds{500};

bool has_timeouts(const pool::Options& options)
{
    return options.query_timeout > Duration::zero()
           || options.transaction_timeout > Duration::zero()
           || options.idle_transaction_timeout > Duration::zero()
           || options.client_idle_timeout > Duration::zero();
}

Counter& count_closed(pool::Counters& counters, pool::CloseReason reason)
{
    if (reason == pool::CloseReason::too_old) return counters.servers_closed_old;
    if (reason == pool::CloseReason::evicted) return counters.servers_evicted;
    return counters.servers_closed_idle;
}

session::ForwardOptions forward_options(const pool::Options& options, std::size_t hold_max)
{
    return {
        .hold_max = hold_max,
        .max_prepared_statements = std::max(options.max_prepared_statements, 1U),
        .prepare_unnamed = options.prepare_unnamed,
        .refuses_blocks = options.mode == pool::Mode::statement,
        .refuses_pins = options.pin == pool::Pin::error && options.mode != pool::Mode::session,
        .tells_own_id = options.mode != pool::Mode::session,
        .begins_lazily = options.lazy_begin && options.mode == pool::Mode::transaction,
    };
}

void take_options(WorkerPool& pool, std::size_t hold_max)
{
    pool.forward = forward_options(pool.options, hold_max);
    pool.has_timeouts = has_timeouts(pool.options);
    pool.knowledge.is_asked = pool.options.mode != pool::Mode::session;
    pool.grouping = pool::Grouping{pool.options};
    pool.knowledge.pinning = {};
    for (const std::string& name : pool.options.pin_functions) {
        pool.knowledge.pinning.add(name, session::Part::functions);
    }
}

} // namespace

WorkerPool::WorkerPool(
    std::shared_ptr<Pool> shared_pool, WorkerId worker, const FrontDoorPort& front_door
)
    : pool{std::move(shared_pool)},
      options{pool->options()},
      core{pool->shared(), worker, options, std::random_device{}()},
      counters{pool->counters(worker)},
      clientele{front_door, *pool}
{
}

Worker::Worker(WorkerId id, std::vector<Worker*>& workers, FrontDoorPort& front_door, Limits limits)
    : id_{id},
      workers_{workers},
      front_door_{front_door},
      limits_{limits},
      now_{Clock::now()},
      wheel_{now_},
      balance_{id, limits.load_max},
      receive_buffer_(receive_buffer_size)
{
    reactor_.add(mailbox_.fd(), *this);
}

Worker::~Worker() { stop(); }

void Worker::start()
{
    thread_ = std::thread{[this] { run(); }};
    const std::string name = "worker-" + std::to_string(index_of(id_));
    pthread_setname_np(thread_.native_handle(), name.c_str());
}

void Worker::stop()
{
    if (!thread_.joinable()) return;
    must_stop_.store(true);
    post([](Worker&) {});
    thread_.join();
}

void Worker::post(std::function<void(Worker&)> call) { mailbox_.post(Call{std::move(call)}); }

void Worker::run()
{
    next_tick_ = now_ + tick_interval;
    next_look_ = next_tick_;
    meter_.start(now_);
    while (!must_stop_.load(std::memory_order_relaxed)) one_batch();
    for (const ClientId id : client_ids()) {
        if (ClientSession* const session = find_client(id)) {
            session->end(
                ClientEnd::shutting_down,
                {"FATAL", "57P01", "terminating connection because pgweir has stopped", {}, {}}
            );
        }
    }
    // Also what a client left behind to be finished: PostgreSQL does not look whether we are there.
    for (auto& [serial, server] : servers_) server->stop();
    dead_clients_.clear();
    clients_.clear();
    dead_servers_.clear();
    servers_.clear();
}

void Worker::one_batch()
{
    const TimePoint wheel_at = wheel_.next().value_or(TimePoint::max());
    const TimePoint wake_at = std::min({next_tick_, next_lease_look_, wheel_at});
    const Duration timeout = run_again_.empty() ? std::max(wake_at - now_, Duration::zero())
                                                : Duration::zero();
    reactor_.wait(timeout);
    now_ = Clock::now();
    reactor_.dispatch();
    running_again_.swap(run_again_); // who is added while it runs has his turn in the next batch
    for (ClientSession* const client : running_again_) client->on_server_ready();
    running_again_.clear();
    wheel_.advance(now_);
    if (now_ >= next_tick_) tick();
    if (now_ >= next_look_) look_at_load();
    if (now_ >= next_lease_look_) look_at_leases();
    send_departures();
    dead_clients_.clear();
    dead_servers_.clear();
}

void Worker::tick()
{
    next_tick_ = now_ + tick_interval;
    for (auto& [key, pool] : pools_) {
        pool->core.tick(now_);
        obey(*pool);
        if (pool->listener) pool->listener->tick();
    }
    std::vector<Server*> silent;
    for (auto& [serial, server] : servers_) {
        const Duration delay = server->worker_pool().options.server_check_delay;
        const TimePoint heard_of = std::max(server->idle_since, server->checked_at());
        const bool is_due = delay > Duration::zero() && now_ - heard_of >= delay;
        const bool is_idle = server->use == ServerUse::idle && !server->is_leaving;
        if (is_idle && is_due) silent.push_back(server.get());
    }
    for (Server* const server : silent) check(*server);
}

// Who has a server for long is slow, whatever was thought of him.
void Worker::look_at_leases()
{
    bool has_more = false;
    for (auto& [serial, server] : servers_) {
        has_more |= server->worker_pool().core.look_at(*server, now_);
    }
    next_lease_look_ = has_more ? now_ + lease_look_interval : TimePoint::max();
}

void Worker::on_ready(std::uint32_t /*events*/)
{
    for (Message& message : mailbox_.take()) {
        std::visit([this](auto& each) { receive(std::move(each)); }, message);
    }
}

void Worker::receive(LoggedInClient client)
{
    WorkerPool& own = pool(client.pool);
    own.counters.logins.add();
    const ClientId id = client.id;
    const Buffer welcome = std::move(client.welcome);
    auto session = std::make_unique<ClientSession>(*this, own, std::move(client));
    ClientSession& started = *session;
    clients_.emplace(id, std::move(session));
    started.start(welcome);
    if (is_draining_ && !started.is_over()) started.drain();
}

WorkerPool& Worker::pool(const std::shared_ptr<Pool>& pool)
{
    std::unique_ptr<WorkerPool>& own = pools_[pool.get()];
    if (!own) {
        own = std::make_unique<WorkerPool>(pool, id_, front_door_);
        take_options(*own, limits_.hold_max);
    }
    return *own;
}

void Worker::configure_pools()
{
    for (auto& [key, own] : pools_) {
        own->options = own->pool->options();
        own->core.configure(own->options);
        take_options(*own, limits_.hold_max);
        own->core.tick(now_);
        obey(*own);
    }
    for (const ClientId id : client_ids()) {
        if (ClientSession* const session = find_client(id)) {
            session->forget_group();
            session->on_deadline(now_);
        }
    }
}

[[gnu::noinline]] void Worker::obey_all(WorkerPool& pool)
{
    do {
        const pool::Command command = pool.core.next_command();
        if (const auto* const grant = std::get_if<pool::Grant>(&command)) { // nearly always
            carry_out(pool, *grant);
        } else {
            std::visit([&](const auto& each) { carry_out(pool, each); }, command);
        }
    } while (pool.core.has_commands());
}

void Worker::carry_out(WorkerPool& pool, const pool::Open& /*command*/)
{
    front_door_.open_server(pool.pool, id_);
}

void Worker::carry_out(WorkerPool& pool, const pool::Close& command)
{
    auto& server = static_cast<Server&>(*command.slot);
    count_closed(pool.counters, command.reason).add();
    if (command.reason == pool::CloseReason::evicted) {
        log(LogLevel::debug,
            "server_evicted",
            {{"pool", pool.pool->label()}, {"server_pid", server.cancel_target().process_id}});
    }
    server.say_good_bye();
    bury(server);
}

void Worker::carry_out(WorkerPool& /*pool*/, const pool::Grant& command)
{
    auto& server = static_cast<Server&>(*command.slot);
    if (command.to.worker != id_) return move_server(server, command.to.worker, command.to.client);
    grant(server, *command.to.own);
}

// Who waits here is freed after the batch at most.
void Worker::grant(Server& server, pool::Waiter& waiter)
{
    if (waiter.client() == listener_client) return grant(server, listener_client);
    auto& session = static_cast<ClientSession&>(waiter);
    if (session.is_waiting()) return session.granted(server);
    take_back(server);
}

void Worker::carry_out(WorkerPool& pool, const pool::Refuse& command)
{
    if (command.client == listener_client) {
        return tell_listener(pool, [](Listener& listener) { listener.refused(); });
    }
    const auto refuse = [client = command.client, reason = command.reason](Worker& worker) {
        ClientSession* const session = worker.find_client(client);
        if (session != nullptr && session->is_waiting()) session->refused(reason);
    };
    if (command.worker == id_) {
        refuse(*this);
    } else {
        workers_[index_of(command.worker)]->post(refuse);
    }
}

void Worker::carry_out(WorkerPool& pool, const pool::Ask& command)
{
    workers_[index_of(command.worker)]->post([shared = pool.pool](Worker& worker) {
        WorkerPool& own = worker.pool(shared);
        own.core.asked(worker.now());
        worker.obey(own);
    });
}

// The client may have left while the server was on its way: then the pool has it back.
void Worker::grant(Server& server, ClientId client)
{
    ClientSession* const session = find_client(client);
    if (session != nullptr && session->is_waiting()) return session->granted(server);
    WorkerPool& own = server.worker_pool();
    const bool is_for_listener = client == listener_client && own.listener;
    if (is_for_listener && own.listener->is_waiting()) return own.listener->granted(server);
    take_back(server);
}

void Worker::take_back(Server& server)
{
    WorkerPool& own = server.worker_pool();
    own.core.take_back(server, now_);
    obey(own);
}

void Worker::bury(ClientSession& client)
{
    reactor_.remove(client.stream_.fd());
    if (client.WheelEntry::is_linked()) client.WheelEntry::unlink();
    front_door_.client_left(client.id());
    auto node = clients_.extract(client.id());
    dead_clients_.push_back(std::move(node.mapped()));
    std::erase(run_again_, &client);
    client_count_.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::bury(Server& server)
{
    server.detach();
    server.is_dead = true;
    auto node = servers_.extract(server.serial());
    dead_servers_.push_back(std::move(node.mapped()));
}

void Worker::server_lost(Server& server)
{
    WorkerPool& own = server.worker_pool();
    bury(server);
    own.core.lost(server, now_);
    obey(own);
}

void Worker::run_again(ClientSession& client) { run_again_.push_back(&client); }

ClientSession* Worker::find_client(ClientId client)
{
    const auto found = clients_.find(client);
    return found == clients_.end() ? nullptr : found->second.get();
}

// A copy: whoever walks over it may end sessions.
std::vector<ClientId> Worker::client_ids() const
{
    std::vector<ClientId> ids;
    ids.reserve(clients_.size());
    for (const auto& [id, client] : clients_) ids.push_back(id);
    return ids;
}

// Only for the query that is running now: an idle client has nothing to cancel.
void Worker::cancel_client(ClientId client, Receipt receipt)
{
    ClientSession* const session = find_client(client);
    if (session == nullptr || session->is_asking()) return;
    Server* const server = session->server();
    if (server == nullptr || server->state.is_quiet()) return;
    server->request_cancel_for(std::move(receipt));
}

void Worker::cancel_finished(std::uint64_t serial)
{
    const auto found = servers_.find(serial);
    if (found != servers_.end()) found->second->cancel_finished();
}

void Worker::drain()
{
    is_draining_ = true;
    for (const ClientId id : client_ids()) {
        if (ClientSession* const session = find_client(id)) session->drain();
    }
}

void Worker::pools_resumed()
{
    for (auto& [key, own] : pools_) {
        own->core.asked(now_);
        obey(*own);
    }
}

void Worker::close_idle_servers(const Pool& pool)
{
    for (auto& [serial, server] : servers_) {
        if (server->pool().get() == &pool) server->is_unwanted = true;
    }
    const auto found = pools_.find(&pool);
    if (found == pools_.end()) return;
    found->second->knowledge.catalog = nullptr; // of the defaults there, or of another server
    found->second->core.close_idle(pool::CloseReason::unwanted);
    obey(*found->second);
}

} // namespace pgweir::net
