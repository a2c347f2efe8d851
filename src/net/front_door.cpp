#include <pgweir/net/front_door.hpp>

#include <pgweir/auth/crypto.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/net/client_login.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgweir::net {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t cancels_in_flight_max = 64;
constexpr Duration cancel_deadline = std::chrono::seconds{10};

auth::Digest random_secret()
{
    auth::Digest secret{};
    auth::random_bytes(secret);
    return secret;
}

std::uint64_t random_start()
{
    std::array<std::byte, 4> bytes{};
    auth::random_bytes(bytes);
    return load_be32(bytes.data()) | 1U;
}

} // namespace

FrontDoor::FrontDoor(
    asio::io_context& io,
    FrontDoorOptions options,
    const Directory& directory,
    PoolRegistry& pools,
    std::vector<Worker*>& workers
)
    : io_{io},
      tasks_{io.get_executor()},
      options_{std::move(options)},
      directory_{directory},
      pools_{pools},
      workers_{workers},
      auth_{random_secret(), keys_},
      names_{io.get_executor(), system_names()},
      roles_{io.get_executor(), contexts_, keys_, names_},
      next_client_{random_start()}
{
    names_.set_ttl(options_.dns_max_ttl);
    roles_.set_socket(options_.socket);
    names_.set_changed([this](const HostPort& place, const std::vector<Address>& addresses) {
        leave_addresses(place, addresses);
    });
}

FrontDoor::~FrontDoor()
{
    for (const auto& listener : listeners_) {
        if (!listener->path.empty()) ::unlink(listener->path.c_str());
    }
}

std::string FrontDoor::open()
{
    if (options_.client_tls.mode != TlsMode::disable && !options_.client_tls.cert_file.empty()) {
        ContextResult made = make_listening_context(options_.client_tls);
        if (!made.context) return "client_tls: " + made.problem;
        listening_context_ = std::move(made.context);
    }
    for (const ListenAddress& address : options_.listen) {
        std::string problem = listen_on(address);
        if (!problem.empty()) return problem;
    }
    for (const auto& listener : listeners_) {
        tasks_.spawn("accept", accept_from(listener.get()));
    }
    tasks_.spawn("names", watch_names());
    return {};
}

void FrontDoor::reload(FrontDoorOptions options)
{
    asio::post(io_, [this, options = std::move(options)]() mutable {
        contexts_.clear();
        options.listen = options_.listen;                   // bound once
        options.worker_load_max = options_.worker_load_max; // the workers keep theirs, too
        options_ = std::move(options);
        roles_.forget();
        roles_.set_socket(options_.socket);
        names_.set_ttl(options_.dns_max_ttl);
        if (options_.client_tls.mode == TlsMode::disable || options_.client_tls.cert_file.empty()) {
            listening_context_ = nullptr;
            return;
        }
        ContextResult made = make_listening_context(options_.client_tls);
        if (made.context) {
            listening_context_ = std::move(made.context);
        } else {
            log(LogLevel::error, "reload_failed", {{"reason", "client_tls: " + made.problem}});
        }
    });
}

Task<void> FrontDoor::accept_from(Listener* listener)
{
    while (!is_closing_) {
        const auto [error] = co_await listener->waitable->async_wait(
            WaitableDescriptor::wait_read, use_task
        );
        if (error) co_return;
        accept_all(*listener);
        if (errno == EAGAIN || is_closing_) continue; // on Linux EWOULDBLOCK is the same
        // Out of descriptors or memory: ours, and it will not pass by asking again at once.
        log(LogLevel::error, "accept_failed", {{"reason", std::generic_category().message(errno)}});
        Timer pause{tasks_.executor()};
        pause.expires_after(std::chrono::milliseconds{100});
        co_await pause.async_wait(use_task);
    }
}

// Leaves errno as the last accept left it.
void FrontDoor::accept_all(Listener& listener)
{
    constexpr int batch_max = 256;

    errno = EAGAIN;
    for (int i = 0; i < batch_max; ++i) {
        Descriptor socket{
            ::accept4(listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)
        };
        if (!socket) {
            if (errno == ECONNABORTED || errno == EINTR) continue;
            return;
        }
        if (!listener.is_unix) prepare_socket(socket.get(), options_.socket);
        std::string address = listener.is_unix ? std::string{"unix"}
                                               : Address::of_peer(socket.get()).to_string();
        tasks_.spawn("login", serve(std::move(socket), listener.is_unix, std::move(address)));
        errno = EAGAIN;
    }
}

Task<void> FrontDoor::serve(Descriptor socket, bool is_unix, std::string address)
{
    logins_.fetch_add(1);
    {
        Channel channel{tasks_.executor(), std::move(socket)};
        ClientLogin login{*this, channel, is_unix, std::move(address)};
        co_await login.run();
    }
    logins_.fetch_sub(1);
}

bool FrontDoor::is_full() const
{
    return logins_ + clients_ > options_.max_client_conn; // the one who asks is a login itself
}

FrontDoor::Key FrontDoor::new_key(bool is_long)
{
    constexpr std::size_t long_secret_size = 32;
    do {
        ++next_client_;
    } while (clients_by_process_id_.find(process_id_of(ClientId{next_client_})));
    Buffer secret(is_long ? long_secret_size : 4);
    auth::random_bytes(secret);
    return {ClientId{next_client_}, std::string{as_text(secret)}};
}

void FrontDoor::admit(LoggedInClient client)
{
    clients_.fetch_add(1);
    clients_by_process_id_.add({client.id, client.secret, client.pool.get()});
    workers_[index_of(next_worker())]->adopt(std::move(client));
}

WorkerId FrontDoor::next_worker() const
{
    return pool::worker_for_client(loads_of(workers_), options_.worker_load_max);
}

void FrontDoor::client_left(ClientId client)
{
    clients_.fetch_sub(1);
    clients_by_process_id_.remove(client);
}

Task<void> FrontDoor::cancel(wire::CancelRequest request, TimePoint deadline)
{
    const auto owner = clients_by_process_id_.find(request.process_id);
    if (!owner) co_return;
    if (!auth::constant_time_equal(as_bytes(owner->secret), as_bytes(request.secret))) co_return;
    auto timer = std::make_shared<Timer>(tasks_.executor(), deadline);
    Receipt receipt = make_receipt([&io = io_, timer] {
        asio::post(io, [timer] { timer->cancel(); });
    });
    // Clients move between workers. Who is on the way runs no query, and has nothing to cancel.
    for (Worker* const worker : workers_) {
        worker->post([client = owner->id, receipt](Worker& each) {
            each.cancel_client(client, receipt);
        });
    }
    receipt.reset();
    co_await timer->async_wait(use_task);
}

void FrontDoor::renew(const std::shared_ptr<Pool>& pool)
{
    pool->renew();
    for (Worker* const worker : workers_) {
        worker->post([pool](Worker& each) { each.close_idle_servers(*pool); });
    }
}

// What a session starts with is read by PostgreSQL when its process starts.
void FrontDoor::defaults_changed(const Pool& pool, const session::DefaultsScope& scope)
{
    for (const std::shared_ptr<Pool>& each : pools_.all()) {
        const bool is_meant = (scope.database.empty() || scope.database == each->database())
                              && (scope.role.empty() || scope.role == each->name().user)
                              && each->upstream().hosts == pool.upstream().hosts;
        if (is_meant) renew(each);
    }
}

void FrontDoor::open_console(ConsoleClient client)
{
    if (open_console_) open_console_(std::move(client));
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

void FrontDoor::close_listeners()
{
    asio::post(io_, [this] {
        is_closing_ = true;
        for (const auto& listener : listeners_) {
            listener->waitable->cancel();
            static_cast<void>(listener->waitable->release());
            listener->socket.reset();
            if (!listener->path.empty()) ::unlink(listener->path.c_str());
            listener->path.clear();
        }
    });
}

} // namespace pgweir::net
